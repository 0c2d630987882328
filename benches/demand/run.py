"""Orange-juice demand through the real binary, beside the regression on the own price. See README.md."""

import csv
import datetime
import gzip
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
WINDOW = 8
# The first day of week 1 of the chain's calendar, a Thursday.
WEEK_1 = datetime.date(1989, 9, 14)
BRANDS = (
    "Tropicana Premium 64,Tropicana Premium 96,Florida's Natural,Tropicana,Minute Maid 64,Minute Maid 96,Citrus Hill,"
    "Tree Fresh,Florida Gold,Dominick's 64,Dominick's 128"
).split(",")


def monday_like(year, month, weekday, number):
    """The `number`-th given weekday of a month (Monday is 0); -1 is the last."""
    days = [datetime.date(year, month, 1) + datetime.timedelta(days=d) for d in range(31)]
    days = [day for day in days if day.month == month and day.weekday() == weekday]
    return days[number - 1] if number > 0 else days[-1]


def holidays():
    easter = {1990: (4, 15), 1991: (3, 31), 1992: (4, 19)}
    for year in range(1990, 1993):
        yield "christmas", datetime.date(year, 12, 25)
        yield "new year", datetime.date(year, 1, 1)
        yield "thanksgiving", monday_like(year, 11, 3, 4)
        yield "easter", datetime.date(year, *easter[year])
        yield "memorial day", monday_like(year, 5, 0, -1)
        yield "independence day", datetime.date(year, 7, 4)
        yield "labor day", monday_like(year, 9, 0, 1)


def day(week):
    return WEEK_1 + datetime.timedelta(weeks=week - 1)


def read():
    path = Path(os.environ["NIGHTCLERK_DATA"]) / "orange-juice" / "orange-juice.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            yield (
                int(row["store"]),
                int(row["brand"]),
                int(row["week"]),
                float(row["units_oz"]),
                float(row["price_per_oz"]),
                int(row["deal"]),
                float(row["feat"]),
            )


def files(rows, folder):
    """The shop's input tables as CSV: a product is a brand in a store, its unit an ounce."""

    def write(table, header, lines):
        with open(f"{folder}/{table}.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header.split())
            writer.writerows(lines)

    series = {}
    for store, brand, week, *rest in rows:
        series.setdefault((store, brand), []).append((week, *rest))
    name = "s{:03}-b{:02}".format
    write(
        "products",
        "product_id title brand category",
        [(name(*key), BRANDS[key[1] - 1], BRANDS[key[1] - 1], f"store {key[0]}") for key in series],
    )
    prices, events, drivers = [], [], []
    for key, weeks in series.items():
        weeks.sort()
        for i, (week, units, price, deal, feat) in enumerate(weeks):
            if i and week != weeks[i - 1][0] + 1:
                # The store has no record of the weeks between: not on sale.
                prices.append((name(*key), day(weeks[i - 1][0] + 1), "", 0))
            prices.append((name(*key), day(week), price, deal))
            events.append((name(*key), "purchase", units, price, f"{day(week) + datetime.timedelta(days=3)}T12:00:00Z"))
            drivers += [("feat", name(*key), day(week) + datetime.timedelta(days=d), feat) for d in range(7) if feat]
        if weeks[-1][0] < 160:
            prices.append((name(*key), day(weeks[-1][0] + 1), "", 0))
    drivers += [(holiday, "", date, 1) for holiday, date in holidays()]
    write("prices", "product_id at price promotion", prices)
    write("events", "product_id kind quantity price at", events)
    write("drivers", "name product_id day value", drivers)


def nightclerk(folder, *words):
    """Runs one verb and returns its CPU seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    binary = os.environ.get("NIGHTCLERK", str(ROOT / "target/release/nightclerk"))
    done = subprocess.run([binary, "--db", "shop.db", "--quiet", *words], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"nightclerk {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def regression(rows, last, columns):
    """WAPE of the weeks last-7..last: ln(units) on `columns` with a constant per store, by brand, from all weeks before."""
    table = np.array([row for row in rows if row[2] <= last])
    error = total = 0.0
    for brand in range(1, 12):
        of = table[table[:, 1] == brand]
        regressors = {"price": np.log(of[:, 4]), "deal": of[:, 5], "feat": of[:, 6]}
        x, y = np.stack([regressors[c] for c in columns], 1), np.log(of[:, 3])
        past = of[:, 2] <= last - WINDOW
        fitted = np.empty(len(of))
        parts = [(of[:, 0] == store, (of[:, 0] == store) & past) for store in np.unique(of[:, 0])]
        for everything, known in parts:
            x[everything] -= x[known].mean(0)
            fitted[everything] = y[known].mean()
            y[everything] -= y[known].mean()
        fitted += x @ np.linalg.lstsq(x[past], y[past], rcond=None)[0]
        error += np.abs(of[~past, 3] - np.exp(fitted[~past])).sum()
        total += of[~past, 3].sum()
    return error / total


def naive(rows, last):
    """WAPE of the median of the eight weeks before, the check on the product's own figure."""
    series = {}
    for store, brand, week, units, *_ in sorted(rows):
        series.setdefault((store, brand), []).append((week, units))
    error = total = 0.0
    for weeks in series.values():
        past = [units for week, units in weeks if week <= last - WINDOW]
        for week, units in weeks:
            if last - WINDOW < week <= last:
                error += abs(units - np.median(past[-8:]))
                total += units
    return error / total


def main():
    rows = list(read())
    lasts = [160 - WINDOW * back for back in range(4)]
    table, spent, elasticities = {}, [], None
    with tempfile.TemporaryDirectory() as folder:
        files(rows, folder)
        nightclerk(folder, "init")
        for name in ("products", "prices", "events", "drivers"):
            nightclerk(folder, "import", name, f"{folder}/{name}.csv")
        for last in reversed(lasts):
            as_of = str(day(last) + datetime.timedelta(days=6))
            spent.append(nightclerk(folder, "run", "prices", "--as-of", as_of, "--publish"))
            base = sqlite3.connect(f"{folder}/shop.db")
            found = base.execute(
                "SELECT result, model, metric, value FROM scores WHERE slice = 'steady' AND run_id = (SELECT max(run_id) FROM scores)"
                " AND result IN ('price_elasticities', 'price_whatif') AND value IS NOT NULL"
            )
            for result, model, metric, value in found:
                table.setdefault((result, model, metric), {})[last] = value
            elasticities = base.execute(
                "SELECT count(*), sum(elasticity < 0), sum(hi95 < 0), min(elasticity), max(elasticity), avg(std_error)"
                " FROM price_elasticities"
            ).fetchone()
            base.close()
    if "--skip-peers" not in sys.argv:
        for columns in (["price"], ["price", "deal", "feat"]):
            key = ("peer", f"regression on {', '.join(columns)}", "wape")
            table[key] = {last: regression(rows, last, columns) for last in lasts}
        table[("peer", "median of 8 weeks", "wape")] = {last: naive(rows, last) for last in lasts}
    line = "{:<20} {:<34} {:<11}" + " {:>8}" * (len(lasts) + 1)
    print(line.format("of", "model", "metric", *(f"week {last}" for last in lasts), "mean"))
    for (result, model, metric), values in table.items():
        figures = [values[last] for last in lasts if last in values]
        if len(figures) == len(lasts):
            print(line.format(result, model, metric, *(f"{f:.4f}" for f in [*figures, sum(figures) / len(figures)])))
    count, negative, clear, low, high, error = elasticities
    print(f"elasticities of week 160: {count}, below zero {negative}, clearly so {clear}; {low:.2f} to {high:.2f}, standard error {error:.2f} on average")
    print(f"CPU seconds of the whole prices job: {', '.join(f'{s:.1f}' for s in spent)}")


if __name__ == "__main__":
    main()
