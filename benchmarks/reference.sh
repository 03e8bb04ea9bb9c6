#!/usr/bin/env bash
# A LoRA cell against PEFT-Factory (reference.py): three cells, or the one that the options name.
#   benchmarks/reference.sh --raw ROWS [--environment FOLDER] [--task sst2 --train 128 --test 64]
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-.venv/bin/python}"
case " $* " in
*" --task "*) exec "$python" benchmarks/reference.py "$@" ;;
esac
for cell in "sst2 128 64" "svamp 128 64" "sst2 512 200"; do
    read -r task train test <<<"$cell"
    "$python" benchmarks/reference.py "$@" --task "$task" --train "$train" --test "$test"
done
