"""The series to fit, as JSON lines every program reads, and the orange-juice regressions as plain numbers.

Usage: tasks.py DATA OUT [SERIES]
"""

import csv
import gzip
import json
import math
import random
import sys
from pathlib import Path

data, out = Path(sys.argv[1]), Path(sys.argv[2])
most = int(sys.argv[3]) if len(sys.argv) > 3 else 40


def lines(name):
    with gzip.open(data / name, "rt") as file:
        for line in file:
            yield json.loads(line)


def sample(series, count):
    series = list(series)
    random.Random(1).shuffle(series)
    return series[:count]


def orange_juice():
    """Weekly prices per 64 oz, one series per store and brand, weeks without a record carried forward."""
    rows = {}
    with gzip.open(data / "orange-juice/orange-juice.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            rows.setdefault((int(row["store"]), int(row["brand"])), {})[int(row["week"])] = 64 * float(row["price_per_oz"])
    for key in sorted(rows):
        weeks = rows[key]
        values, last = [], None
        for week in range(min(weeks), max(weeks) + 1):
            last = weeks.get(week, last)
            values.append(last)
        if len(values) > 112 + 8 and len(set(values[-120:-8])) > 5:
            yield values[-120:-8]


monthly = [s["train"] for s in lines("m3/m3.jsonl.gz") if s["freq"] == "monthly" and len(s["train"]) >= 99]
with gzip.open(data / "dem2gbp/dem2gbp.csv.gz", "rt") as file:
    returns = [float(row["ret"]) for row in csv.DictReader(file)]

juice = sample(orange_juice(), most)
months = [values[-99:] for values in sample(monthly, most)]
few = max(5, most // 4)
tasks = [
    ("arima 011, n 112", [0, 1, 1], [0, 0, 0], 1, 8, juice),
    ("arima 111, n 99", [1, 1, 1], [0, 0, 0], 1, 18, months),
    ("arima 011 011 12, n 99", [0, 1, 1], [0, 1, 1], 12, 18, months),
    ("auto, season 1, n 112", None, None, 1, 8, juice[:few]),
    ("auto, season 12, n 99", None, None, 12, 18, months[:few]),
    ("garch 11, n 1974", None, None, 0, 30, [returns]),
]
with open(out / "tasks.jsonl", "w") as file:
    for name, order, seasonal, season, horizon, series in tasks:
        for values in series:
            task = dict(task=name, order=order, seasonal=seasonal, season=season, horizon=horizon, values=values)
            print(json.dumps(task), file=file)

# The regressions of reference.json: one line per store and week, all eleven log prices, and each brand's deal, feature
# and log units.
weeks = {}
with gzip.open(data / "orange-juice/orange-juice.csv.gz", "rt") as file:
    for row in csv.DictReader(file):
        weeks.setdefault((int(row["store"]), int(row["week"])), {})[int(row["brand"])] = row
with open(out / "juice.txt", "w") as file:
    for (store, week), brands in sorted(weeks.items()):
        numbers = [store, week]
        numbers += [math.log(float(brands[b]["price_per_oz"])) for b in range(1, 12)]
        for b in range(1, 12):
            row = brands[b]
            numbers += [float(row["deal"]), float(row["feat"]), math.log(float(row["units_oz"]))]
        print(*map(repr, numbers), file=file)
