"""BANKING77 through the real binary, beside scikit-learn. See README.md."""

import csv
import gzip
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read(part):
    path = Path(os.environ["NIGHTCLERK_DATA"]) / "support-banking77" / f"{part}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["intent"] for row in rows]


def macro_f1(truth, said):
    scores = []
    for name in set(truth) | set(said):
        hits = sum(t == s == name for t, s in zip(truth, said))
        scores.append(2 * hits / (truth.count(name) + said.count(name)))
    return sum(scores) / len(scores)


def accuracy(truth, said):
    return sum(t == s for t, s in zip(truth, said)) / len(truth)


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def nightclerk(train, test):
    binary = os.environ.get("NIGHTCLERK", str(ROOT / "target/release/nightclerk"))
    with tempfile.TemporaryDirectory() as folder:
        shop = f"{folder}/shop.db"

        def call(*arguments):
            done = subprocess.run([binary, "--db", shop, "--quiet", *arguments], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"nightclerk {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

        with open(f"{folder}/tickets.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["ticket_id", "body", "category", "status"])
            writer.writerows([f"train{i:05}", text, label, "closed"] for i, (text, label) in enumerate(zip(*train)))
            writer.writerows([f"test{i:05}", text, "", "open"] for i, text in enumerate(test[0]))
        call("init")
        call("import", "tickets", f"{folder}/tickets.csv")
        cpu, wall = children(), time.time()
        call("run", "support")
        cpu, wall = children() - cpu, time.time() - wall
        rows = sqlite3.connect(shop).execute("SELECT category, decision FROM ticket_routes ORDER BY ticket_id").fetchall()
        if len(rows) != len(test[0]):
            sys.exit(f"{len(rows)} routes for {len(test[0])} open tickets")
    said = [row[0] for row in rows]
    routed = [(t, s) for t, (s, decision) in zip(test[1], rows) if decision == "route"]
    return said, len(routed) / len(rows), accuracy(*zip(*routed)) if routed else None, cpu, wall


def peers(train, test):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.svm import LinearSVC

    def features():
        words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\w+")
        characters = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5))
        # Two blocks of unit length, the row of unit length again.
        return FeatureUnion([("w", words), ("c", characters)], transformer_weights={"w": 0.5**0.5, "c": 0.5**0.5})

    for name, model in [
        ("scikit-learn LinearSVC C=1", LinearSVC(C=1)),
        ("scikit-learn LogisticRegression C=20", LogisticRegression(C=20, max_iter=60)),
    ]:
        pipeline = make_pipeline(features(), model)
        cpu, wall = time.process_time(), time.time()
        pipeline.fit(*train)
        cpu, wall = time.process_time() - cpu, time.time() - wall
        yield name, pipeline.predict(test[0]).tolist(), cpu, wall


def main():
    train, test = read("train"), read("test")
    print("| model | accuracy | macro-F1 | routed at 95 % | of those right | CPU s | wall s |")
    print("|---|---|---|---|---|---|---|")
    said, share, right, cpu, wall = nightclerk(train, test)
    right = "" if right is None else f"{right:.3f}"
    figures = f"{accuracy(test[1], said):.4f} | {macro_f1(test[1], said):.4f} | {share:.3f} | {right}"
    print(f"| nightclerk, whole support job | {figures} | {cpu:.1f} | {wall:.1f} |", flush=True)
    if "--skip-peers" in sys.argv:
        return
    for name, said, cpu, wall in peers(train, test):
        print(f"| {name} | {accuracy(test[1], said):.4f} | {macro_f1(test[1], said):.4f} | | | {cpu:.1f} | {wall:.1f} |", flush=True)


main()
