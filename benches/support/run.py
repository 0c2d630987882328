"""Ticket classification through the real binary, beside scikit-learn on BANKING77. See README.md."""

import csv
import gzip
import math
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sklearn.model_selection import train_test_split

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ["NIGHTCLERK_DATA"])


def rows(path):
    with gzip.open(DATA / path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def split(tickets, test, seed):
    return train_test_split(tickets, test_size=test, random_state=seed, stratify=[label for _, _, label in tickets])


def banking():
    read = lambda part: [("", row["text"], row["intent"]) for row in rows(f"support-banking77/{part}.csv.gz")]
    return read("train"), read("test")


def out_of_scope():
    known = lambda row: row["intent"] if row["kind"] == "in" else "-"
    read = lambda part: [("", row["text"], known(row)) for row in rows(f"support-banking77/oos_{part}.csv.gz")]
    return read("train"), read("test")


def queue(seed=7):
    tickets = [row for row in rows("support-tickets/tickets.csv.gz") if row["src"].startswith("ml")]
    return split([(row["subject"], row["body"], row["queue"]) for row in tickets], 0.2, seed)


def reviews(seed=7):
    return split([("", row["review"], row["cat"]) for row in rows("support-zh-reviews/reviews.csv.gz")], 0.2, seed)


def gold(seed):
    tickets = [row for row in rows("support-zh-tickets/tickets_dept.csv.gz") if row["label_quality"] == "gold"]
    return split([(row["subject"], row["body"], row["dept"]) for row in tickets], 0.4, seed)


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def night(train, test, precision):
    """Imports, runs the job, reads the routes: for each test ticket (category, confidence, decision); CPU s; the model."""
    binary = os.environ.get("NIGHTCLERK", str(ROOT / "target/release/nightclerk"))
    with tempfile.TemporaryDirectory() as folder:

        def call(*arguments):
            command = [binary, "--db", f"{folder}/shop.db", "--quiet", *arguments]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"nightclerk {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

        with open(f"{folder}/tickets.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["ticket_id", "subject", "body", "category", "status"])
            writer.writerows([f"train{i:05}", *ticket, "closed"] for i, ticket in enumerate(train))
            writer.writerows([f"test{i:05}", *ticket[:2], "", "open"] for i, ticket in enumerate(test))
        call("init")
        job = Path(folder) / "jobs/support.toml"
        job.write_text(re.sub(r"(?m)^precision = [0-9.]+", f"precision = {precision}", job.read_text()))
        call("import", "tickets", f"{folder}/tickets.csv")
        before = children()
        call("run", "support")
        cpu = children() - before
        file = sqlite3.connect(f"{folder}/shop.db")
        routes = file.execute("SELECT category, category_confidence, decision FROM ticket_routes ORDER BY ticket_id").fetchall()
        model = file.execute("SELECT why FROM generations WHERE family = 'support' AND status = 'published'").fetchone()[0]
    if len(routes) != len(test):
        sys.exit(f"{len(routes)} routes for {len(test)} open tickets")
    return routes, cpu, model.split(":")[0] if not model.startswith("stack") else ":".join(model.split(":")[:2])


def macro_f1(truth, said):
    scores = []
    for name in set(truth) | set(said):
        hits = sum(t == s == name for t, s in zip(truth, said))
        scores.append(2 * hits / (truth.count(name) + said.count(name)))
    return sum(scores) / len(scores)


def accuracy(truth, said):
    return sum(t == s for t, s in zip(truth, said)) / len(truth)


def calibration(truth, routes):
    bins = [[0.0, 0] for _ in range(10)]
    for t, (said, sure, _) in zip(truth, routes):
        one = bins[min(int(sure * 10), 9)]
        one[0] += sure
        one[1] += t == said
    return sum(abs(sure - right) for sure, right in bins) / len(truth)


def by_chance(routes):
    """The mean calibration error of confidences that are exactly right, on so many tickets: what chance alone makes of it."""
    dice = random.Random(1)
    total = 0.0
    for _ in range(200):
        lucky = [(True, sure, None) for _, sure, _ in routes]
        total += calibration([dice.random() < sure for _, sure, _ in routes], lucky)
    return total / 200


def judge(name, train, test, precision):
    routes, cpu, model = night(train, test, precision)
    truth, said = [label for _, _, label in test], [route[0] for route in routes]
    routed = [(t, route[0]) for t, route in zip(truth, routes) if route[2] == "route"]
    right = f"{accuracy(*zip(*routed)):.4f}" if routed else ""
    off = f"{calibration(truth, routes):.4f} | {by_chance(routes):.4f}"
    figures = f"{accuracy(truth, said):.4f} | {macro_f1(truth, said):.4f} | {off}"
    print(
        f"| {name} | {precision} | {figures} | {len(routed) / len(test):.3f} | {right} | {cpu:.1f} | {model} |", flush=True
    )
    return accuracy(truth, said)


def peers(train, test):
    """Fit times in the same run: our chosen recipe on its own, and scikit-learn on the same kind of features."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion
    from sklearn.svm import LinearSVC

    with tempfile.TemporaryDirectory() as folder:
        for name, part in [("train", train), ("test", test)]:
            lines = (f"{label}\t{' '.join(body.split())}\n" for _, body, label in part)
            Path(f"{folder}/{name}").write_text("".join(lines), encoding="utf-8")
        ours = os.environ.get("NIGHTCLERK_SUPPORT", str(ROOT / "target/release/examples/support"))
        print(subprocess.run([ours, f"{folder}/train", f"{folder}/test"], capture_output=True, text=True, check=True).stdout, end="", flush=True)
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\w+", min_df=2)
    characters = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), min_df=2)
    weights = {"w": math.sqrt(0.5), "c": math.sqrt(0.5)}
    union = FeatureUnion([("w", words), ("c", characters)], transformer_weights=weights)
    (texts, labels), (asked, truth) = [([t[1] for t in part], [t[2] for t in part]) for part in (train, test)]
    x, y = union.fit_transform(texts), union.transform(asked)
    for name, model in [
        ("LinearSVC C=1", LinearSVC(C=1)),
        ("LogisticRegression C=20, 60 L-BFGS steps", LogisticRegression(C=20, max_iter=60)),
    ]:
        cpu = time.process_time()
        model.fit(x, labels)
        cpu = time.process_time() - cpu
        print(f"| scikit-learn {name} | {accuracy(truth, model.predict(y).tolist()):.4f} | {cpu:.1f} | |", flush=True)


SETS = {
    "banking77": lambda: judge("banking77, official split", *banking(), 0.95),
    "queue": lambda: judge("tickets, e-mail to queue", *queue(), 0.9),
    "zh-reviews": lambda: judge("zh reviews to department", *reviews(), 0.95),
    "oos": lambda: judge("banking77, out of scope", *out_of_scope(), 0.9),
}


def main():
    wanted = sys.argv[1:] or [*SETS, "gold", "fit"]
    print("| set | aimed | accuracy | macro-F1 | ECE | by chance | routed | of those right | CPU s | model |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in wanted:
        if name in SETS:
            SETS[name]()
    if "gold" in wanted:
        mean = sum(judge(f"zh tickets to department, split {seed}", *gold(seed), 0.95) for seed in range(10)) / 10
        print(f"| zh tickets, mean of ten splits | | {mean:.4f} | | | | | | | |", flush=True)
    if "fit" in wanted:
        print("\n| fit on banking77 | accuracy | CPU s | predictions per CPU s |\n|---|---|---|---|")
        peers(*banking())


main()
