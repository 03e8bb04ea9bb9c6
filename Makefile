# The project's tasks. `make` alone lists them. VENV=/some/where keeps the environment elsewhere.
VENV ?= .venv
BIN := $(VENV)/bin
VENV5 ?= $(VENV)-transformers5
VENVRAY ?= $(VENV)-ray
DOCS ?= $(VENV)-docs
AUDIT ?= $(VENV)-audit
# One process a core, eight at most: each may take 2 GB. A module's tests stay in one process, as they share what is slow
# to make; the modules keep their order, in which the longest of them are not the last.
PYTEST := $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=8 --dist=loadscope --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install fetch benchmark board check test test-transformers5 test-ray lint format docs pictures audit viz clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## make the environment (the others do so when they need it)

fetch: $(VENV)/.installed  ## bring the default model onto this machine; afterwards everything runs offline
	$(BIN)/kedro fetch

benchmark: fetch  ## run the default benchmark and print its table
	$(BIN)/kedro run --pipeline=benchmark

board: $(VENV)/.installed  ## open the project in the browser, until Ctrl-C
	$(BIN)/kedro board

check: $(VENV)/.installed-dev  ## within a minute: style, order of imports, types, and the tests that load no torch
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(PYTEST) --light -m "not slow and not real" $(PYTEST_ARGS)

test: $(VENV)/.installed-dev  ## run the tests side by side; PYTEST_ARGS are passed on, -n 0 among them for one process
	$(PYTEST) $(PYTEST_ARGS)

test-transformers5: $(VENV5)/.installed  ## run the tests of models and methods on transformers 5, without adapters
	$(VENV5)/bin/python -m pytest -rs $(TESTS5) $(PYTEST_ARGS)

test-ray: $(VENVRAY)/.installed  ## run the tests of cells on a Ray cluster of some nodes of this machine
	$(VENVRAY)/bin/python -m pytest -rs $(TESTSRAY) $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev  ## check style, types, the order of imports, and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(filter Linux,$(shell uname -s)),$(BIN)/hadolint Dockerfile,@echo "the Dockerfile is checked on Linux only")

format: $(VENV)/.installed-dev  ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DOCS)/.installed  ## build the documentation as a site in site/; a dead link is an error
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet

pictures: $(VENV)/.installed-dev  ## take the pictures of README and docs with Chromium; PICTURES=pipeline takes that alone
	@PYTHONPATH=tests/support $(BIN)/python docs/pictures.py $(PICTURES)

# A library that the service does not know counts as not looked up: pip-audit alone would pass over it and be content.
audit: $(AUDIT)/.installed  ## look the locked libraries up among the known vulnerabilities; this needs the network
	@$(AUDIT)/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip --progress-spinner off $(AUDIT_ARGS) \
		> $(AUDIT)/found.txt 2> $(AUDIT)/said.txt; status=$$?; cat $(AUDIT)/found.txt; \
	said=$$(tail -n 1 $(AUDIT)/said.txt | sed 's/^ERROR:[^:]*://'); \
	case "$$status $$said" in "0 "*|*" Found "*) echo "$$said";; \
		*) echo "Error: nothing was checked, the service of known vulnerabilities did not answer: $$said" >&2;; esac; \
	exit $$status

viz: $(VENV)/.installed  ## draw the pipelines in the browser
	$(BIN)/kedro viz run

clean:  ## remove the environment and the caches; keep data
	rm -rf $(VENV) $(VENV5) $(VENVRAY) $(DOCS) $(AUDIT) build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './data/*' -prune -exec rm -rf {} +

# A candidate counts if it runs and its version fits: a name on PATH may be a launcher with nothing behind it.
%/bin/python:
	@for python in $(PYTHON) python3.11 python3.12 python3 python; do \
		if $$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then \
			echo "making $* with $$($$python --version)"; \
			exec $$python -m venv $*; \
		fi; \
	done; \
	echo "Python 3.11 or 3.12 is needed and was not found; install it, or name it: make PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV), a few minutes the first time"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV) with the development tools, a few minutes the first time"
	@$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed

TESTSRAY := $(addprefix tests/running/test_,kedro_runners.py ray_actors.py ray_runner.py)

$(VENVRAY)/.installed: pyproject.toml constraints.txt | $(VENVRAY)/bin/python
	@echo "installing into $(VENVRAY), a few minutes the first time"
	@$(VENVRAY)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,ray]'
	@touch $@

# What an extra of the package names, one a line.
extra = sed -nE '/^$(1) = \[/,/^\]/s/^ *"([^"]+)".*/\1/p' pyproject.toml

# The pages are built from the sources as text, so that this environment needs none of the project's dependencies.
$(DOCS)/.installed: pyproject.toml constraints.txt | $(DOCS)/bin/python
	@echo "installing into $(DOCS)"
	@$(call extra,docs) > $(DOCS)/requirements.txt
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r $(DOCS)/requirements.txt
	@touch $@

$(AUDIT)/.installed: pyproject.toml | $(AUDIT)/bin/python
	@echo "installing into $(AUDIT)"
	@$(call extra,audit) > $(AUDIT)/requirements.txt
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r $(AUDIT)/requirements.txt \
		2> $(AUDIT)/said.txt || { echo "Error: nothing was checked, pip-audit could not be installed:" \
		"$$(grep -v '^WARNING' $(AUDIT)/said.txt | tail -n 1)" >&2; exit 1; }
	@touch $@

# The default's dependencies but for the libraries whose releases hang together with transformers'; those come from a
# file of their own. The package itself is installed without its ranges, which name the default's transformers.
TIED := adapters|huggingface[-_]hub|tokenizers|transformers
TESTS5 := $(addprefix tests/,cli data/test_fetch.py data/test_tokenize.py end_to_end/test_real.py end_to_end/test_smoke.py \
	inference methods models training)

$(VENV5)/.installed: pyproject.toml constraints.txt constraints-transformers5.txt | $(VENV5)/bin/python
	@echo "installing into $(VENV5), a few minutes the first time"
	@$(call extra,(dependencies|dev)) \
		| grep -vE '^($(TIED))[=<>]' > $(VENV5)/requirements.txt
	@grep -vE '^($(TIED))==' constraints.txt > $(VENV5)/constraints.txt
	@$(VENV5)/bin/python -m pip install --quiet --disable-pip-version-check -c $(VENV5)/constraints.txt \
		-r constraints-transformers5.txt -r $(VENV5)/requirements.txt
	@$(VENV5)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@
