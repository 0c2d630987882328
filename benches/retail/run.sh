#!/bin/sh
# Prints nightclerk's and implicit's figures on Online Retail side by side: see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${NIGHTCLERK_DATA:?set it to the folder that holds online-retail/online_retail.csv.gz}"
: "${NIGHTCLERK:=$here/../../target/release/nightclerk}"
[ -x "$NIGHTCLERK" ] || { echo "$NIGHTCLERK: no such program; run cargo build --release first" >&2; exit 2; }
venv=$here/peers/.venv
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/peers/requirements.txt"
fi
export NIGHTCLERK NIGHTCLERK_DATA PYTHONDONTWRITEBYTECODE=1
script=${1:?compare.py or views.py}
shift
exec "$venv/bin/python" "$here/$script" "$@"
