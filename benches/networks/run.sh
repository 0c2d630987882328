#!/bin/sh
# Training steps of our networks beside PyTorch's, one thread each, in turns in one run: see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${NIGHTCLERK_NETWORKS:=$here/../../target/release/examples/networks}"
[ -x "$NIGHTCLERK_NETWORKS" ] || { echo "$NIGHTCLERK_NETWORKS: no such program; run cargo build --release --example networks first" >&2; exit 2; }
if [ -z "${PYTHON:-}" ]; then
    PYTHON=$here/.venv/bin/python
    if [ ! -x "$PYTHON" ]; then
        python3 -m venv "$here/.venv"
        "$here/.venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    fi
fi
export NIGHTCLERK_NETWORKS PYTHONDONTWRITEBYTECODE=1
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 RAYON_NUM_THREADS=1
exec "$PYTHON" "$here/run.py" "$@"
