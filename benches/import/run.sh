#!/usr/bin/env bash
# Import speed beside `sqlite3 .import`: the same CSV of events into the same table (its indices and triggers
# included), CPU time and peak memory. See README.md. Usage: benches/import/run.sh [ROWS] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=${1:-2000000}
runs=${2:-3}
clerk=${NIGHTCLERK:-${CARGO_TARGET_DIR:-target}/release/nightclerk}
command -v sqlite3 >/dev/null || { echo "sqlite3 is needed (apt install sqlite3)" >&2; exit 2; }
[ -x "$clerk" ] || { echo "$clerk is missing: cargo build --release" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A shop's log: times rise, users and products are skewed, ids are the shop's own. Every cell is filled, because
# `.import` puts '' into an empty one and a STRICT table refuses that. Seeded, so the same file each time.
awk -v rows="$rows" 'BEGIN {
    seed = 1; at = 1600000000; split("view view view cart purchase return", kind, " ")
    print "event_id,source_id,user_id,session_id,order_id,product_id,kind,quantity,price,rating,shown_by,at"
    for (i = 1; i <= rows; i++) {
        seed = (seed * 16807) % 2147483647; u = seed / 2147483647
        seed = (seed * 16807) % 2147483647; p = seed / 2147483647
        at += seed % 60
        printf "%d,log-%09d,user%d,session%d,order%d,sku%d,%s,%d,%.2f,%d,recommendations,%d\n", \
            i, i, u * u * 200000, i / 7, i / 3, p * p * 20000, kind[1 + seed % 6], 1 + seed % 3, 1 + p * 99, 1 + seed % 5, at
    }
}' > "$work/events.csv"
cut -d, -f3- "$work/events.csv" > "$work/plain.csv"
echo "$rows events, $(stat -c %s "$work/events.csv") bytes; medians of $runs; sqlite3 $(sqlite3 --version | cut -d' ' -f1)"

# measure NAME COMMAND...: CPU seconds (user + system), wall seconds and peak kilobytes, appended to NAME.
measure() {
    local name=$1; shift
    rm -f "$work"/shop.db*
    "$clerk" --quiet --db "$work/shop.db" init >/dev/null
    /usr/bin/time -f '%U %S %e %M' -o "$work/time" "$@" >/dev/null
    awk '{ print $1 + $2, $3, $4 }' "$work/time" >> "$work/$name"
    local found
    found=$(sqlite3 "$work/shop.db" 'SELECT count(*) FROM events')
    [ "$found" = "$rows" ] || { echo "$name: $found rows instead of $rows" >&2; exit 1; }
}
columns=user_id,session_id,order_id,product_id,kind,quantity,price,rating,shown_by,at
for _ in $(seq "$runs"); do
    measure keys.sqlite3 sqlite3 "$work/shop.db" '.mode csv' ".import --skip 1 $work/events.csv events"
    measure keys.nightclerk "$clerk" --quiet --db "$work/shop.db" import events "$work/events.csv"
    measure plain.sqlite3 sqlite3 "$work/shop.db" '.mode csv' ".import $work/plain.csv staged" \
        "INSERT INTO events ($columns) SELECT $columns FROM staged; DROP TABLE staged"
    measure plain.nightclerk "$clerk" --quiet --db "$work/shop.db" import events "$work/plain.csv"
done
# The same file again: nothing changes.
/usr/bin/time -f '%U %S %e %M' -o "$work/time" "$clerk" --quiet --db "$work/shop.db" import events "$work/plain.csv" >/dev/null
awk '{ print $1 + $2, $3, $4 }' "$work/time" > "$work/again.nightclerk"

median() { sort -n -k"$2,$2" "$work/$1" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'; }
printf '%-34s %-11s %8s %8s %9s %7s\n' case program cpu_s wall_s peak_MB ratio
row() {
    local cpu wall peak base
    cpu=$(median "$2.$3" 1); wall=$(median "$2.$3" 2); peak=$(median "$2.$3" 3)
    base=$([ -e "$work/$2.sqlite3" ] && median "$2.sqlite3" 1 || echo 0) # 0: nothing to compare with
    awk -v n="$1" -v p="$3" -v c="$cpu" -v w="$wall" -v m="$peak" -v b="$base" \
        'BEGIN { printf "%-34s %-11s %8.2f %8.2f %9.1f %7s\n", n, p, c, w, m / 1024, (b > 0) ? sprintf("%.2f", c / b) : "-" }'
}
row 'rows with keys' keys sqlite3
row 'rows with keys' keys nightclerk
row 'rows without keys (sqlite: staged)' plain sqlite3
row 'rows without keys' plain nightclerk
row 'rows without keys, again' again nightclerk
