"""buy_again and next_products judged through the product itself: see README.md. Python's standard library alone."""

import csv
import datetime
import gzip
import math
import os
import pathlib
import re
import sqlite3
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from binary import nightclerk

DAY = 86_400
HORIZON = 28 * DAY


def stamp(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())


def rows(path):
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def online_retail(data):
    """Lines as (user, product, order, at, quantity), and the products' texts."""
    lines, texts = [], {}
    for row in rows(data / "online-retail" / "online_retail.csv.gz"):
        sold = int(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0 and not row["InvoiceNo"].startswith("C")
        if row["CustomerID"] and sold and re.match(r"[0-9]{5}", row["StockCode"]):
            at = stamp(row["InvoiceDate"])
            lines.append((row["CustomerID"], row["StockCode"], row["InvoiceNo"], at, int(row["Quantity"])))
            texts[row["StockCode"]] = max(texts.get(row["StockCode"], ""), row["Description"])
    return lines, texts


def complete_journey(data):
    """The same of the supermarket; what is sold by weight has a quantity of 0 and is left out by the product."""
    texts = {}
    for row in rows(data / "complete-journey" / "products.csv.gz"):
        texts[row["product_id"]] = " ".join((row["product_category"], row["product_type"], row["package_size"]))
    lines = []
    for row in rows(data / "complete-journey" / "transactions.csv.gz"):
        if float(row["quantity"]) > 0:
            at = stamp(row["transaction_timestamp"])
            lines.append((row["household_id"], row["product_id"], row["basket_id"], at, float(row["quantity"])))
    for line in lines:
        texts.setdefault(line[1], line[1])
    return lines, texts


def publish(folder, lines, texts):
    """A fresh file with these purchases, and one night over it."""
    nightclerk(folder, "init")
    known = {line[1] for line in lines}
    tables = {
        "products": (("product_id", "title"), sorted((p, text) for p, text in texts.items() if p in known)),
        "events": (
            ("user_id", "product_id", "order_id", "at", "quantity", "kind"),
            ((*line, "purchase") for line in lines),
        ),
    }
    for table, (header, content) in tables.items():
        with open(folder / f"{table}.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(content)
        nightclerk(folder, "import", table, f"{table}.csv")
    spent, _ = nightclerk(folder, "run", "recommendations")
    return sqlite3.connect(folder / "shop.db"), spent


def ndcg(found, wanted):
    """NDCG@10 and HR@10 of one list."""
    gained = sum(1 / math.log2(place + 2) for place, product in enumerate(found[:10]) if product in wanted)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
    return gained / ideal, float(gained > 0)


def buy_again(name, lines, texts):
    """The last four weeks are never imported; the view is read for everybody who bought something again in them."""
    cut = max(line[3] for line in lines) - HORIZON
    train = [line for line in lines if line[3] <= cut]
    owned, bought = {}, {}
    for user, product, order, at, _ in train:
        times, last = owned.setdefault(user, {}).get(product, (set(), 0))
        owned[user][product] = (times | {order}, max(last, at))
    for user, product, _, at, _ in lines:
        if at > cut and product in owned.get(user, {}):
            bought.setdefault(user, set()).add(product)
    with tempfile.TemporaryDirectory() as place:
        base, spent = publish(pathlib.Path(place), train, texts)
        read = "SELECT product_id, score FROM buy_again WHERE user_id = ? ORDER BY rank"
        lists = {user: base.execute(read, (user,)).fetchall() for user in owned}
    naive = {
        user: sorted(of, key=lambda product: (-len(of[product][0]), -of[product][1], product)) for user, of in owned.items()
    }
    for which, found in (
        ("view buy_again", {user: [product for product, _ in of] for user, of in lists.items()}),
        ("frequency", naive),
    ):
        figures = [ndcg(found[user], wanted) for user, wanted in bought.items()]
        means = [sum(column) / len(figures) for column in zip(*figures)]
        yield name, which, len(figures), *means, spent if which != "frequency" else None
    said = sum(score for of in lists.values() for _, score in of)
    came = sum(product in bought.get(user, ()) for user, of in lists.items() for product, _ in of)
    yield name, f"bought again {came}, expected {said:.0f}", len(lists), None, None, None


def main():
    data = pathlib.Path(os.environ["NIGHTCLERK_DATA"])
    line = "{:<18} {:<44} {:>7} {:>8} {:>8} {:>7}"
    print(line.format("shop", "what", "of", "ndcg@10", "hr@10", "CPU s"))
    shops = [("Online Retail", "online-retail", online_retail), ("Complete Journey", "complete-journey", complete_journey)]
    for name, folder, load in shops:
        if (data / folder).is_dir() and (not sys.argv[1:] or folder in sys.argv[1:]):
            for shop, what, number, *values, spent in buy_again(name, *load(data)):
                shown = ("" if value is None else f"{value:.4f}" for value in values)
                print(line.format(shop, what, number, *shown, "" if spent is None else f"{spent:.0f}"), flush=True)


if __name__ == "__main__":
    main()
