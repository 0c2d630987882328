#!/usr/bin/env bash
# What a fit costs, beside statsforecast, arch and anofox-forecast: see README.md. Usage: run.sh [SERIES] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${NIGHTCLERK_DATA:?set it to the folder that holds m3, orange-juice, dem2gbp and r-series}"
series=${1:-40}
runs=${2:-5}
here=benches/prices
python=${PYTHON:-$here/.venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv $here/.venv
    $here/.venv/bin/pip install --quiet --requirement $here/requirements.txt
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1
"$python" $here/tasks.py "$NIGHTCLERK_DATA" "$work" "$series"
cargo bench --bench prices -- --tasks "$work/tasks.jsonl" --runs "$runs" > "$work/nightclerk.jsonl"
"$python" $here/peers.py "$work/tasks.jsonl" "$runs" > "$work/peers.jsonl"
files=("$work/nightclerk.jsonl" "$work/peers.jsonl")
if cargo build --quiet --release --manifest-path $here/anofox/Cargo.toml; then
    target=${CARGO_TARGET_DIR:-$here/anofox/target}
    "$target/release/nightclerk-anofox" "$work/tasks.jsonl" "$runs" > "$work/anofox.jsonl"
    files+=("$work/anofox.jsonl")
else
    echo "anofox-forecast could not be built: its column stays empty" >&2
fi
"$python" $here/table.py "${files[@]}"
echo
cargo bench --quiet --bench prices -- --juice "$work/juice.txt" --reference "$NIGHTCLERK_DATA/r-series/reference.json"
