"""Series through the real binary: a fresh file, an import, a night, and what it published."""

import csv
import datetime
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400


def instants(frequency, count):
    """The instants of `count` steps, the newest last. A hundred years of months would not fit before 1970."""
    if frequency == "monthly":
        months = range(12 * 2020 - count, 12 * 2020)
        return [int(datetime.datetime(m // 12, m % 12 + 1, 1, tzinfo=datetime.UTC).timestamp()) for m in months]
    step = {"hourly": 3600, "daily": DAY, "weekly": 7 * DAY}[frequency]
    newest = 1_700_000_000 // DAY * DAY
    return [newest - step * (count - 1 - i) for i in range(count)]


def later(frequency, at, step):
    """The instant `step` steps after `at`, which is the newest one."""
    if frequency == "monthly":
        month = 12 * 2020 - 1 + step
        return int(datetime.datetime(month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC).timestamp())
    return at + step * {"hourly": 3600, "daily": DAY, "weekly": 7 * DAY}[frequency]


def day(at):
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d")


class Shop:
    """A file in a folder of its own."""

    def __init__(self, where):
        self.binary = os.environ.get("NIGHTCLERK", str(ROOT / "target/release/nightclerk"))
        self.folder = Path(where)
        self.file = self.folder / "shop.db"
        self.call("init")

    def call(self, *arguments):
        command = [self.binary, "--db", str(self.file), "--quiet", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"nightclerk {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    def rows(self, table, header, rows):
        path = self.folder / f"{table}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        self.call("import", table, str(path))

    def night(self, frequency, horizon):
        """Runs the job `prices`; CPU and wall seconds, and the most memory it took in MB."""
        (self.folder / "jobs/prices.toml").write_text(
            f'kind = "prices"\nschedule = "0 3 * * *"\n[prices]\nfrequency = "{frequency}"\nhorizon = {horizon}\n'
        )
        wall = time.time()
        command = [self.binary, "--db", str(self.file), "--quiet", "run", "prices"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"nightclerk run prices failed:\n{said}")
        return used.ru_utime + used.ru_stime, time.time() - wall, used.ru_maxrss / 1024

    def query(self, sql):
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def forecast(task, origin):
    """What the product publishes for every series of a task that is long enough, knowing nothing of the last `origin`
    horizons. Returns forecasts by id (price, lo80, hi80, lo95, hi95 at each step), the models used, and the cost."""
    with tempfile.TemporaryDirectory() as where:
        shop = Shop(where)
        prices, drivers, products = [], [], []
        for series in task.series:
            known = len(series.values) - origin * task.horizon
            if known < max(1, task.shortest):
                continue
            at = instants(task.frequency, known)
            prices.extend((series.id, t, repr(v)) for t, v in zip(at, series.values))
            products.append((series.id, series.id, series.category))
            for step, (deal, feat) in enumerate(series.flags[: known + task.horizon]):
                when = day(at[step] if step < known else later(task.frequency, at[-1], step - known + 1))
                drivers.append(("deal", series.id, when, deal))
                drivers.append(("feat", series.id, when, feat))
        shop.rows("products", ["product_id", "title", "category"], products)
        shop.rows("prices", ["product_id", "at", "price"], prices)
        if drivers:
            shop.rows("drivers", ["name", "product_id", "day", "value"], drivers)
        cost = shop.night(task.frequency, task.horizon)
        found = defaultdict(list)
        for row in shop.query(
            "SELECT product_id, price, lo80, hi80, lo95, hi95 FROM price_forecasts WHERE seller = '' ORDER BY product_id, step"
        ):
            found[row[0]].append(row[1:])
        models = dict(shop.query("SELECT model, count(*) FROM price_models GROUP BY model ORDER BY 2 DESC"))
        return found, models, cost

