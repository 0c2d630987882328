"""The series of the comparison as plain arrays: id, group, values, flags; and what is asked of them. See README.md."""

import csv
import gzip
import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Series:
    id: str
    values: list  # one per step, the newest last
    category: str = ""
    flags: list = field(default_factory=list)  # (deal, feat) at each step, where known


@dataclass
class Task:
    name: str
    frequency: str
    period: int  # of the errors' scale, as the competition defines it
    horizon: int
    origins: list  # how many horizons the newest step known lies before the end
    series: list
    shortest: int = 0  # steps a series must have before an origin


def folder():
    return Path(os.environ["NIGHTCLERK_DATA"])


def competition(path, keep, name, frequency, period, horizon):
    with gzip.open(folder() / path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    series = [Series(row["id"], row["train"] + row["test"]) for row in rows if keep(row)]
    return Task(name, frequency, period, horizon, [1], series)


def m3():
    return competition("m3/m3.jsonl.gz", lambda row: row["freq"] == "monthly", "M3 monthly", "monthly", 12, 18)


def m4_weekly():
    return competition("m4/m4-weekly.jsonl.gz", lambda row: True, "M4 weekly", "weekly", 1, 13)


def m4_hourly():
    return competition("m4/m4-hourly.jsonl.gz", lambda row: True, "M4 hourly", "hourly", 24, 48)


def carried(points, value):
    """The newest value at every step from the first to the last."""
    steps, last = [], None
    for step in range(min(points), max(points) + 1):
        last = points.get(step, last)
        steps.append(value(last, step in points))
    return steps


def orange_juice(known):
    points = defaultdict(dict)
    with gzip.open(folder() / "orange-juice/orange-juice.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            price = float(row["price_per_oz"]) * 64
            points[int(row["brand"]), int(row["store"])][int(row["week"])] = (
                price,
                float(row["deal"]),
                float(row["feat"]),
            )
    series = []
    for (brand, store), weeks in sorted(points.items()):
        flags = carried(weeks, lambda p, seen: (p[1], p[2]) if seen else (0.0, 0.0)) if known else []
        values = carried(weeks, lambda p, _: p[0])
        series.append(Series(f"b{brand}s{store}", values, f"brand {brand}", flags))
    name = "orange juice, deals known" if known else "orange juice"
    return Task(name, "weekly", 1, 8, [1, 2, 3, 4, 5], series, 40)


def coffee():
    sums = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
    with gzip.open(folder() / "polish-scanner/coffee.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            year, month = int(row["month"][:4]), int(row["month"][5:7])
            cell = sums[row["product"], row["outlet"]][12 * year + month]
            quantity = float(row["quantity"])
            cell[0] += quantity * float(row["price"])
            cell[1] += quantity
    series = []
    for (product, outlet), months in sorted(sums.items()):
        points = {month: total / quantity for month, (total, quantity) in months.items() if quantity > 0}
        if points:
            series.append(Series(f"p{product}o{outlet}", carried(points, lambda p, _: p), f"product {product}"))
    return Task("coffee", "monthly", 1, 3, [1, 2, 3, 4, 5], series, 9)


TASKS = {
    "m3": m3,
    "m4-weekly": m4_weekly,
    "m4-hourly": m4_hourly,
    "orange-juice": lambda: orange_juice(False),
    "orange-juice-known": lambda: orange_juice(True),
    "coffee": coffee,
}
