"""What comes next in a session, with and without the networks, as the night itself judges it: see README.md.

    run.py [retail] [clicks] [demo]
"""

import os
import pathlib
import random
import re
import sqlite3
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent), str(here.parent / "retail")]
from binary import load, nightclerk

NOW = 1_790_000_000


def retail(folder, data):
    """Invoices with a customer, all of them."""
    from views import online_retail

    lines, titles, countries = online_retail(data)
    nightclerk(folder, "init")
    load(folder, "products", ("product_id", "title"), ((p, titles[p]["title"]) for p in sorted(titles)))
    load(folder, "users", ("user_id", "country"), sorted(countries.items()))
    rows = ((*line[:3], "purchase", line[3], line[4]) for line in lines)
    load(folder, "events", ("user_id", "product_id", "order_id", "kind", "at", "quantity"), rows)


def clicks(folder, _):
    """A click log made by a script: visits that keep to a colour and wander about its prices, families and their neighbours.

    150 families of 4 colours and 5 prices make 3,000 products; 40,000 visits of 2 to 12 clicks in 60 days. A visitor has a colour in
    mind and looks at the next price of the same colour (60 %), at the same colour and price in a family that goes with this one
    (25 %), or at anything popular (15 %). Families are popular by Zipf's law; a fifth of the products come in the last 20 days.
    """
    dice = random.Random(5)
    colours, kinds = ["red", "blue", "oak", "steel"], ["small", "plain", "large", "fine", "royal"]
    name = lambda f, c, p: f"P{f:03}{c}{p}"
    rank = list(range(150))
    dice.shuffle(rank)
    weights = [1 / (rank[f] + 5) for f in range(150)]
    goes_with = [[(f * 7 + 3) % 150, (f * 11 + 50) % 150] for f in range(150)]
    came = {(f, c, p): 0 if dice.random() < 0.8 else dice.randrange(40, 60) for f in range(150) for c in range(4) for p in range(5)}
    nightclerk(folder, "init")
    load(folder, "products", ("product_id", "title", "created_at"),
         ((name(*key), f"{kinds[key[2]]} {colours[key[1]]} thing{key[0]}", NOW - 86_400 * (60 - day)) for key, day in sorted(came.items())))

    def visits():
        for number in range(40_000):
            day = 60 * number // 40_000
            at = NOW - 86_400 * 60 + int(86_400 * 60 * number / 40_000)
            family, colour, price = dice.choices(range(150), weights)[0], dice.randrange(4), dice.randrange(5)
            for step in range(min(12, 2 + int(dice.expovariate(0.35)))):
                if came[family, colour, price] <= day:
                    yield f"U{number % 9000}", f"S{number}", name(family, colour, price), "view", at + 20 * step
                chance = dice.random()
                if chance < 0.6:
                    price = (price + dice.choice((1, 1, 1, 4))) % 5
                elif chance < 0.85:
                    family = dice.choice(goes_with[family])
                else:
                    family, price = dice.choices(range(150), weights)[0], dice.randrange(5)

    load(folder, "users", ("user_id",), ((f"U{n}",) for n in range(9000)))
    load(folder, "events", ("user_id", "session_id", "product_id", "kind", "at"), visits())


def demo(folder, _):
    """The demo shop, three times as large."""
    nightclerk(folder, "demo", ".", "--scale", "3", "--no-run", "--quiet")


def options(folder, **values):
    job = folder / "jobs" / "recommendations.toml"
    text = job.read_text()
    for key, value in values.items():
        text, found = re.subn(rf"(?m)^{key} *=[^#\n]*", f"{key} = {value}  ", text)
        assert found == 1, key
    job.write_text(text)


def show(folder, result, slice):
    base = sqlite3.connect(folder / "shop.db")
    rows = base.execute(
        "SELECT split, model, metric, value, lo90, hi90, chosen FROM scores WHERE result = ? AND slice = ? AND metric NOT IN ('users', 'products')"
        " AND run_id = (SELECT max(run_id) FROM scores WHERE result = ?) ORDER BY split, model, metric", (result, slice, result))
    for split, model, metric, value, lo, hi, chosen in rows:
        spread = f" ({lo:.4f} to {hi:.4f})" if lo is not None else ""
        print(f"  {split:55.55} {model:22} {metric:8} {value:9.4f}{spread}{'  chosen' if chosen else ''}")
    for (why,) in base.execute("SELECT why FROM generations WHERE family = 'recommendations' ORDER BY generation DESC LIMIT 1"):
        print("  why:", next((part for part in why.split("; ") if "MRR@20" in part), why))


def main():
    data = pathlib.Path(os.environ["NIGHTCLERK_DATA"])
    makers = {"retail": retail, "clicks": clicks, "demo": demo}
    for which in sys.argv[1:] or makers:
        print(f"{which}: {makers[which].__doc__.splitlines()[0]}")
        for name, steps in (("without networks", {"rnn_steps": 0, "rnn_list_steps": 0, "cnn_steps": 0}), ("with networks", {})):
            with tempfile.TemporaryDirectory() as made:
                folder = pathlib.Path(made)
                makers[which](folder, data)
                options(folder, **steps)
                cpu, peak = nightclerk(folder, "run", "recommendations")
                print(f" {name}: {cpu:.0f} CPU seconds, {peak:.0f} MB at the highest so far", flush=True)
                if not steps:
                    show(folder, "next_products", "")
                    show(folder, "next_products", "learning")
                    show(folder, "recommendations", "new products")


main()
