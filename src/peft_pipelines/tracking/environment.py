"""The environment of a run: machine, library releases, state of the code, command line.

Nothing here decides a result, and nothing here names a host, a user or a folder.
"""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from peft_pipelines.files.versions import LEARNING, SCORING, TABLES, releases
from peft_pipelines.running.threads import per_cell

LIBRARIES = tuple(dict.fromkeys((*LEARNING, *SCORING, *TABLES, "datasets", "kedro", "codecarbon", "peft-pipelines")))
_CPU, _DRIVER = Path("/proc/cpuinfo"), Path("/proc/driver/nvidia/version")
_ATTENTION = ("flash", "mem_efficient", "cudnn", "math")


def environment(project: Path) -> dict[str, Any]:
    """Describe the present environment.

    Returns:
        ``code`` (commit, and whether files differ from it), ``libraries`` (releases), ``python``, ``system`` and
        ``hardware`` (memory in GB).
    """
    return {
        "code": code_of(project),
        "libraries": releases(LIBRARIES),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "hardware": hardware(),
    }


def hardware() -> dict[str, Any]:
    """Processor, cores, threads of a cell, memory in GB; of a GPU its name and what decides its bits beside libraries.

    What is of a GPU is None where there is none, and where nothing was computed: then torch is not loaded.
    """
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": per_cell(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        **_gpu(),
    }


def _gpu() -> dict[str, Any]:
    """Name, release of CUDA that torch is built for, driver, and the kernels that may compute attention."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return dict.fromkeys(("gpu", "cuda", "driver", "attention"))
    driver = _DRIVER.read_text(encoding="utf-8", errors="replace") if _DRIVER.is_file() else ""
    release = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)", driver)
    kernels = [name for name in _ATTENTION if getattr(torch.backends.cuda, f"{name}_sdp_enabled")()]
    return {
        "gpu": torch.cuda.get_device_name(),
        "cuda": torch.version.cuda,
        "driver": release[1] if release else None,
        "attention": kernels,
    }


@cache
def _processor() -> str:
    lines = _CPU.read_text(encoding="utf-8", errors="replace").splitlines() if _CPU.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@cache
def code_of(project: Path) -> dict[str, Any]:
    """The project's commit and whether its files differ from it; both None where git knows no project there."""
    commit, changes = git(project, "rev-parse", "HEAD"), git(project, "status", "--porcelain")
    known = commit is not None and changes is not None
    return {"git_commit": commit if known else None, "git_dirty": bool(changes) if known else None}


def git(project: Path, *arguments: str) -> str | None:
    """Return what git prints in a folder, without blanks around it; None where it fails or is not installed."""
    command = ["git", "-C", str(project), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def command_line(run: Mapping[str, Any]) -> str:
    """The command that makes a run again, from Kedro's ``run_params``, as a person would type it.

    A folder of this machine stands as its key in angle brackets.

    >>> command_line({"pipeline_names": ["data"], "env": "smoke", "runtime_params": {"store": "/mnt/x", "a": 1}})
    'kedro run --pipelines=data --env=smoke --params=store=<store>,a=1'
    """
    parts = ["kedro run"]
    for option, key in OPTIONS.items():
        value = run.get(key)
        names = [value] if isinstance(value, str) else sorted(value or ())
        if names and names != ["__default__"]:
            parts.append(f"{option}={','.join(names)}")
    pinned = run.get("load_versions") or {}
    if pinned:
        parts.append("--load-versions=" + ",".join(f"{name}:{version}" for name, version in pinned.items()))
    given = run.get("runtime_params") or {}
    if given:
        parts.append("--params=" + ",".join(f"{key}={_public(key, value)}" for key, value in flat(given).items()))
    return " ".join(parts)


OPTIONS = {
    "--pipelines": "pipeline_names",
    "--env": "env",
    "--tags": "tags",
    "--nodes": "node_names",
    "--namespaces": "namespaces",
    "--from-nodes": "from_nodes",
    "--to-nodes": "to_nodes",
    "--from-inputs": "from_inputs",
    "--to-outputs": "to_outputs",
}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted keys.

    >>> flat({"training": {"epochs": 1}, "store": "x"})
    {'training.epochs': 1, 'store': 'x'}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _public(key: str, value: Any) -> Any:
    return f"<{key}>" if isinstance(value, str) and _is_machine_path(value) else value


def public(value: Any) -> Any:
    """A value without folders of this machine: of an absolute path the last part is left.

    >>> public({"folder": "/home/me/models/tiny", "n": [1, "a/b"]})
    {'folder': 'tiny', 'n': [1, 'a/b']}
    """
    if isinstance(value, Mapping):
        return {key: public(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [public(inner) for inner in value]
    return Path(value).name if isinstance(value, str) and _is_machine_path(value) else value


def _is_machine_path(text: str) -> bool:
    """Whether a text is a folder or file of a machine. With a blank in it, it may be words, unless its root is here."""
    if text.startswith("~"):
        return True
    if "\n" in text or len(text) < 2 or not Path(text).is_absolute():  # noqa: PLR2004
        return False
    return " " not in text or Path(*Path(text).parts[:2]).exists()
