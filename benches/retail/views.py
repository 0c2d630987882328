"""Judges the published lists themselves: imports the training part, runs the job, reads the views. See README.md.

Prints one line per protocol with the figures of the lists that an application would have shown, beside those of implicit's
ALS on the same cut. Nothing of the test part is ever imported.
"""

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

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from binary import load, nightclerk

TRAIN_SHARE = 0.8
DEPTH = 100


def stamp(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())


def online_retail(folder):
    """Lines as (user, product, order, at, quantity), product titles, users' countries."""
    lines, titles, countries = [], {}, {}
    with gzip.open(folder / "online-retail" / "online_retail.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            sold = int(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0 and not row["InvoiceNo"].startswith("C")
            if row["CustomerID"] and sold and re.match(r"[0-9]{5}", row["StockCode"]):
                user, product = row["CustomerID"], row["StockCode"]
                lines.append((user, product, row["InvoiceNo"], stamp(row["InvoiceDate"]), int(row["Quantity"])))
                titles[product] = {"title": row["Description"]}
                countries[user] = row["Country"]
    return lines, titles, countries


def complete_journey(folder):
    """The same of the supermarket; a quantity of 0 (sold by weight) counts as one."""
    lines, titles = [], {}
    with gzip.open(folder / "complete-journey" / "products.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            words = (row["product_type"], row["package_size"], "maker" + row["manufacturer_id"])
            titles[row["product_id"]] = {
                "title": " ".join(words),
                "category": row["product_category"],
                "brand": row["brand"],
                "description": row["department"],
            }
    with gzip.open(folder / "complete-journey" / "transactions.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            at, quantity = stamp(row["transaction_timestamp"]), max(1, int(float(row["quantity"])))
            lines.append((row["household_id"], row["product_id"], row["basket_id"], at, quantity))
    for line in lines:
        titles.setdefault(line[1], {"title": line[1]})
    return lines, titles, {}


def first_pairs(lines):
    """Distinct (user, product) with the number of its first line, ordered by (time, line)."""
    pairs = {}
    for number in sorted(range(len(lines)), key=lambda n: (lines[n][3], n)):
        pairs.setdefault(lines[number][:2], number)
    return pairs


def cut_next_weeks(lines, pairs):
    """Training lines, test products per user: everything after the 80 % quantile of pair times is test."""
    times = sorted(lines[number][3] for number in pairs.values())
    instant = times[int(TRAIN_SHARE * (len(times) - 1))]
    train = [line for line in lines if line[3] <= instant]
    test = {}
    for (user, product), number in pairs.items():
        if lines[number][3] > instant:
            test.setdefault(user, set()).add(product)
    return train, test


def cut_basket(lines, pairs):
    """Users with at least five products lose the last fifth of them, and all lines from the first of these on."""
    of_user = {}
    for (user, product), number in pairs.items():
        of_user.setdefault(user, []).append((lines[number][3], number, product))
    boundary, test = {}, {}
    for user, history in of_user.items():
        if len(history) >= 5:
            hidden = sorted(history)[-max(1, int(len(history) * 0.2)) :]
            boundary[user] = hidden[0][:2]
            test[user] = {product for _, _, product in hidden}
    train = [
        line
        for number, line in enumerate(lines)
        if line[0] not in boundary or (line[3], number) < boundary[line[0]]
    ]
    return train, test


def publish(folder, train, titles, countries, purpose, products):
    nightclerk(folder, "init")
    job = folder / "jobs" / "recommendations.toml"
    job.write_text(re.sub(r"(?m)^purpose *=.*$", f'purpose = "{purpose}"', job.read_text()))
    columns = ("title", "category", "brand", "description")
    rows = ((product, *(titles[product].get(column) for column in columns)) for product in sorted(products))
    load(folder, "products", ("product_id", *columns), rows)
    known = sorted({line[0] for line in train})
    load(folder, "users", ("user_id", "country"), ((user, countries.get(user)) for user in known))
    events = ((*line[:3], "purchase", line[3], line[4]) for line in train if line[1] in products)
    load(folder, "events", ("user_id", "product_id", "order_id", "kind", "at", "quantity"), events)
    return nightclerk(folder, "run", "recommendations")


def figures(lists, test, users):
    """NDCG@10, Recall@20 and HR@10 of `lists` over `users`."""
    discount = [1 / math.log2(place + 2) for place in range(DEPTH)]
    sums = np.zeros(3)
    for user in users:
        hits = [product in test[user] for product in lists(user)]
        wanted = len(test[user])
        sums += (
            sum(d for hit, d in zip(hits[:10], discount) if hit) / sum(discount[: min(10, wanted)]),
            sum(hits[:20]) / min(20, wanted),
            any(hits[:10]),
        )
    return len(users), *(sums / max(1, len(users)))


def ours(base, countries):
    """The lists an application reads: a customer's, or for a customer the night does not know the visitor's of the country."""
    known = {user for (user,) in base.execute("SELECT DISTINCT user_id FROM recommendations")}
    places = {place for (place,) in base.execute("SELECT DISTINCT country FROM visitor_recommendations")}

    def read(user):
        if user in known:
            found = base.execute("SELECT product_id FROM recommendations WHERE user_id = ? ORDER BY rank LIMIT 100", (user,))
        else:
            country = countries.get(user) if countries.get(user) in places else ""
            found = base.execute(
                "SELECT product_id FROM visitor_recommendations WHERE country = ? AND language = '' ORDER BY rank LIMIT 100",
                (country,),
            )
        return [product for (product,) in found]

    return read


def implicit_als(train, products, users):
    """implicit's ALS (64 factors, regularisation 10, alpha 1, 15 iterations) on the same training part."""
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    items = {product: i for i, product in enumerate(sorted({line[1] for line in train} & products))}
    people = {user: i for i, user in enumerate(sorted({line[0] for line in train}))}
    pairs = {(people[line[0]], items[line[1]]) for line in train if line[1] in items}
    rows, columns = np.array(sorted(pairs)).T
    matrix = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(people), len(items)))
    model = AlternatingLeastSquares(64, 10.0, 1.0, iterations=15, num_threads=1, random_state=1, use_gpu=False)
    model.fit(matrix, show_progress=False)
    asked = np.array([people[user] for user in users])
    found, _ = model.recommend(asked, matrix[asked], N=DEPTH, filter_already_liked_items=True)
    names = sorted(items)
    answers = {user: [names[item] for item in row] for user, row in zip(users, found)}
    return answers.__getitem__


def protocol(name, loaded, cut, purpose, most=None, everybody=False):
    lines, titles, countries = loaded
    train, test = cut(lines, first_pairs(lines))
    bought = {}
    for user, product in {line[:2] for line in train}:
        bought[product] = bought.get(product, 0) + 1
    products = set(bought)
    if most is not None:
        products = set(sorted(bought, key=lambda product: (-bought[product], product))[:most])
    known = {line[0] for line in train if line[1] in products}
    seen = {user: wanted if most else wanted & products for user, wanted in test.items() if user in known}
    # With a bound on the catalogue products outside it count as misses; users need one inside it to be asked.
    users = sorted(user for user in seen if seen[user] & products)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        spent, memory = publish(folder, train, titles, countries, purpose, products)
        base = sqlite3.connect(folder / "shop.db")
        read = ours(base, countries)
        yield f"{name}, known users", "nightclerk", *figures(read, seen, users), spent, memory
        if everybody:
            yield f"{name}, all users", "nightclerk", *figures(read, test, sorted(test)), None, None
            strangers = sorted(set(test) - known)
            yield f"{name}, unknown users", "nightclerk", *figures(read, test, strangers), None, None
    yield f"{name}, known users", "implicit ALS", *figures(implicit_als(train, products, users), seen, users), None, None


def main():
    data = pathlib.Path(os.environ["NIGHTCLERK_DATA"])
    wanted = sys.argv[1:]
    line = "{:<42} {:<13} {:>6} {:>8} {:>10} {:>7} {:>7} {:>7}"
    print(line.format("protocol", "lists of", "users", "ndcg@10", "recall@20", "hr@10", "CPU s", "MB"))
    shop = online_retail(data)
    runs = [
        ("retail-weeks", ("Online Retail, next weeks", shop, cut_next_weeks, "next_weeks", None, True)),
        ("retail-basket", ("Online Retail, basket", shop, cut_basket, "basket")),
    ]
    if (data / "complete-journey").is_dir() and (not wanted or any(name.startswith("journey") for name in wanted)):
        market = complete_journey(data)
        runs.append(("journey-10k", ("Complete Journey, 10,000 most bought", market, cut_next_weeks, "next_weeks", 10_000)))
        runs.append(("journey", ("Complete Journey, whole", market, cut_next_weeks, "next_weeks")))
    for name, arguments in runs:
        if wanted and name not in wanted:
            continue
        for protocol_name, lists, users, *values, spent, memory in protocol(*arguments):
            shown = (f"{value:.4f}" for value in values)
            ends = ("" if x is None else f"{x:.0f}" for x in (spent, memory))
            print(line.format(protocol_name, lists, users, *shown, *ends), flush=True)


if __name__ == "__main__":
    main()
