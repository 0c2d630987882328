#!/bin/sh
# Our ALS, EASE and item kNN beside implicit's and numpy's, one thread each, in turns in one run: see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${NIGHTCLERK_DATA:?set it to the folder that holds online-retail/online_retail.csv.gz}"
: "${NIGHTCLERK_FACTORS:=$here/../../target/release/examples/factors}"
[ -x "$NIGHTCLERK_FACTORS" ] || { echo "$NIGHTCLERK_FACTORS: no such program; run cargo build --release --example factors first" >&2; exit 2; }
if [ -z "${PYTHON:-}" ]; then
    PYTHON=$here/.venv/bin/python
    if [ ! -x "$PYTHON" ]; then
        python3 -m venv "$here/.venv"
        "$here/.venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    fi
fi
export NIGHTCLERK_DATA NIGHTCLERK_FACTORS PYTHONDONTWRITEBYTECODE=1
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 RAYON_NUM_THREADS=1
exec "$PYTHON" "$here/compare.py" "$@"
