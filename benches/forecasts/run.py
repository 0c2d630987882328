"""Price forecasts as published, beside statsforecast on the same series. See README.md."""

import argparse
import time
import warnings

import numpy as np

import data
import scale
import shop

warnings.filterwarnings("ignore")


class Score:
    """Mean absolute scaled error, symmetric percentage error, coverage; over series."""

    def __init__(self):
        self.mase, self.smape, self.hits = [], [], []

    def add(self, past, actual, price, bounds, period):
        past, actual, price = (np.asarray(x, float) for x in (past, actual, price))
        steps = np.abs(past[period:] - past[:-period])
        scale = steps.mean() if len(steps) else 0.0
        # Rounding is no change of price; a price that never moved has no scale.
        if scale > 1e-9 * np.abs(past).max():
            self.mase.append(np.abs(actual - price).mean() / scale)
        self.smape.append((200 * np.abs(actual - price) / (np.abs(actual) + np.abs(price))).mean())
        if bounds is not None:
            low80, high80, low95, high95 = (np.asarray(x, float) for x in bounds)
            near = 1e-9 * np.abs(actual)
            inside = lambda low, high: (low - near <= actual) & (actual <= high + near)
            self.hits.append((inside(low80, high80).mean(), inside(low95, high95).mean()))

    def row(self):
        cover = np.mean(self.hits, axis=0) * 100 if self.hits else (None, None)
        return np.mean(self.mase), np.mean(self.smape), cover[0], cover[1]


def parts(task, origin):
    """Every series long enough: what was known, and what then happened."""
    for series in task.series:
        known = len(series.values) - origin * task.horizon
        if known >= max(1, task.shortest):
            yield series, series.values[:known], series.values[known : known + task.horizon]


def line(name, row, cpu, extra=""):
    mase, smape, in80, in95 = row
    cover = "" if in80 is None else f"{in80:.1f} / {in95:.1f}"
    seconds = "" if cpu is None else f"{cpu:.1f}"
    print(f"| {name} | {mase:.4f} | {smape:.2f} | {cover} | {seconds} | {extra} |", flush=True)


def peers(task, origin, names):
    from statsforecast.models import AutoETS, SeasonalNaive, Theta

    season = {"monthly": 12, "hourly": 24, "weekly": 1}[task.frequency]
    made = {
        "theta": ("statsforecast Theta", lambda: Theta(season_length=season)),
        "snaive": ("statsforecast SeasonalNaive", lambda: SeasonalNaive(season_length=season)),
        "ets": ("statsforecast AutoETS", lambda: AutoETS(season_length=season)),
    }
    for key in names:
        name, make = made[key]
        score, cpu, failed = Score(), 0.0, 0
        for _, past, actual in parts(task, origin):
            begun = time.process_time()
            bounds = None
            try:
                said = make().forecast(np.asarray(past, float), task.horizon, level=[80, 95])
                price = said["mean"]
                bounds = [said["lo-80"], said["hi-80"], said["lo-95"], said["hi-95"]]
            except Exception:
                price, failed = [past[-1]] * task.horizon, failed + 1
            cpu += time.process_time() - begun
            score.add(past, actual, price, bounds, task.period)
        line(name, score.row(), cpu, f"{failed} failed" if failed else "")


def compare(task, names):
    print(f"\n**{task.name}**, {task.frequency}, {task.horizon} steps ahead\n")
    print("| model | MASE | sMAPE | cover 80 / 95 | CPU s | |\n|---|---|---|---|---|---|")
    skills, covers = [], []
    for origin in task.origins:
        found, models, (cpu, _, memory) = shop.forecast(task, origin)
        ours, naive = Score(), Score()
        for series, past, actual in parts(task, origin):
            said = found[series.id]
            price = [step[0] for step in said]
            ours.add(past, actual, price, list(zip(*said))[1:], task.period)
            naive.add(past, actual, [past[-1]] * task.horizon, None, task.period)
        place = "" if len(task.origins) == 1 else f", {(origin - 1) * task.horizon} steps earlier"
        used = ", ".join(f"{model} {count}" for model, count in models.items())
        row = ours.row()
        skills.append(100 * (1 - row[0] / naive.row()[0]))
        covers.append(row[2:])
        note = f"skill {skills[-1]:+.1f} %, {memory:.0f} MB; {used}"
        line(f"nightclerk{place}", row, cpu, note)
        line(f"last price{place}", naive.row(), None)
        if len(task.origins) == 1:
            peers(task, origin, names)
    if len(skills) > 1:
        for count in (3, len(skills)):
            cover = np.mean(covers[:count], axis=0)
            print(
                f"\nNewest {count} origins: skill against the last price {np.mean(skills[:count]):+.1f} % on average, "
                f"{min(skills[:count]):+.1f} % at worst; cover {cover[0]:.1f} / {cover[1]:.1f}."
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(data.TASKS), help="these data sets")
    parser.add_argument("--peers", default="theta,snaive,ets", help="statsforecast's: theta, snaive, ets, or none")
    parser.add_argument("--scale", nargs="*", type=int, help="instead: a simulated shop of so many products, 160 weeks")
    parser.add_argument("--pictures", nargs="?", const=str(shop.ROOT / "docs"), help="instead: the pictures of docs/prices.md, into this folder")
    parser.add_argument("--sales", action="store_true", help="the simulated shop sells, too")
    asked = parser.parse_args()
    if asked.pictures is not None:
        import pictures

        pictures.draw(asked.pictures)
        return
    if asked.scale is not None:
        scale.measure(asked.scale or [5000, 20000], asked.sales)
        return
    names = [name for name in asked.peers.split(",") if name in ("theta", "snaive", "ets")]
    for name in asked.only or data.TASKS:
        compare(data.TASKS[name](), names)


if __name__ == "__main__":
    main()
