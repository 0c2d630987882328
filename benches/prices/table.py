"""One table from what the programs said: the median over the series, and the ratio to ours.

Usage: table.py FILE...
"""

import json
import statistics
import sys

programs = ["nightclerk", "statsforecast", "arch", "anofox"]
asked = {
    "arima 011, n 112": 0.15,
    "arima 111, n 99": 0.4,
    "arima 011 011 12, n 99": 4.0,
    "auto, season 1, n 112": 15.0,
    "auto, season 12, n 99": 100.0,
    "garch 11, n 1974": 3.0,
}
times, failed = {}, {}
for name in sys.argv[1:]:
    for line in open(name):
        row = json.loads(line)
        key = (row["task"], row["program"])
        if row["ms"] is None:
            failed[key] = failed.get(key, 0) + 1
        else:
            times.setdefault(key, []).append(row["ms"])
print("CPU milliseconds per fit and forecast, one thread, median over the series (how many of them, how many failed)")
print(f"{'task':24s} {'asked':>7s}" + "".join(f" {p:>24s}" for p in programs) + "   times ours: statsforecast, arch, anofox")
for task, limit in asked.items():
    cells, ratios = [], []
    ours = statistics.median(times[(task, programs[0])])
    for program in programs:
        found = times.get((task, program))
        lost = failed.get((task, program), 0)
        cells.append(f"{statistics.median(found):.3f} ({len(found)}, {lost})" if found else (f"- (0, {lost})" if lost else "-"))
        if program != programs[0]:
            ratios.append(f"{statistics.median(found) / ours:.0f}" if found else "-")
    print(f"{task:24s} {limit:7.2f}" + "".join(f" {c:>24s}" for c in cells) + "   " + ", ".join(ratios))
