#!/bin/sh
# Forecasts as published beside statsforecast's: see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case " $* " in
*" --scale"* | *" --pictures"*) ;;
*) : "${NIGHTCLERK_DATA:?set it to the folder that holds m3, m4, orange-juice and polish-scanner}" ;;
esac
: "${NIGHTCLERK:=$here/../../target/release/nightclerk}"
[ -x "$NIGHTCLERK" ] || { echo "$NIGHTCLERK: no such program; run cargo build --release first" >&2; exit 2; }
python=${PYTHON:-$here/.venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$here/.venv"
    "$here/.venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
# One thread for both sides' arithmetic.
export NIGHTCLERK PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
exec "$python" "$here/run.py" "$@"
