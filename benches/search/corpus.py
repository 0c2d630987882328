"""Makes the tickets and the queries of the comparison: corpus.jsonl and queries.json in a folder. See README.md.

python3 corpus.py FOLDER ROWS
"""

import csv
import gzip
import json
import os
import random
import re
import sys
from pathlib import Path

QUERIES = 200
ONE_CHARACTER = 100
CJK = re.compile(r"[\u4e00-\u9fff]+")
WORD = re.compile(r"[^\W\d_]+")


def rows(*name):
    path = Path(os.environ["NIGHTCLERK_DATA"]).joinpath(*name)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def texts():
    """Distinct (subject, body) of the four sources, those in Chinese and the others."""
    found = {}
    for row in rows("support-tickets", "tickets.csv.gz"):
        found[row["subject"], row["body"]] = False
    for row in rows("support-bitext", "bitext.csv.gz"):
        found[row["intent"].replace("_", " "), row["instruction"]] = False
    for name in ("tickets_dept.csv.gz", "tickets_replies.csv.gz"):
        for row in rows("support-zh-tickets", name):
            found[row["subject"], row["body"]] = True
    for row in rows("support-zh-reviews", "reviews.csv.gz"):
        found[row["cat"], row["review"]] = True
    return [[pair for pair, chinese in found.items() if chinese == which] for which in (False, True)]


def main():
    folder, wanted = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(5)
    latin, chinese = texts()
    share = len(chinese) / (len(latin) + len(chinese))
    numbers = chance.sample(range(10**9), wanted)
    some = {False: [], True: []}
    with open(folder / "corpus.jsonl", "w", encoding="utf-8") as file:
        for number in numbers:
            which = chance.random() < share
            source = chinese if which else latin
            row = [f"R{number:09}", chance.choice(source)[0], chance.choice(source)[1]]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            if chance.random() < 20_000 / wanted:
                some[which].append(row)

    def drawn(which, count, make):
        made = []
        while len(made) < count:
            query = make(chance.choice(some[which]))
            if query is not None:
                made.append(query)
        return made

    def words(row):
        return [word for word in WORD.findall(row[2]) if len(word) >= 4]

    def one(row):
        return [chance.choice(words(row))] if words(row) else None

    def two(row):
        found = sorted(set(map(str.lower, words(row))))
        return chance.sample(found, 2) if len(found) > 1 else None

    def phrase(row):
        found = re.findall(r"(?=\b([^\W\d_]{4,}) ([^\W\d_]{4,})\b)", row[2])
        return list(chance.choice(found)) if found else None

    def characters(count):
        def make(row):
            runs = [run for run in CJK.findall(row[2]) if len(run) >= count]
            if not runs:
                return None
            run = chance.choice(runs)
            at = chance.randrange(len(run) - count + 1)
            return [run[at : at + count]]

        return make

    pairs = drawn(False, QUERIES, two)
    queries = {
        "one word": drawn(False, QUERIES, one),
        "two words, AND": pairs,
        "two words, OR": pairs,
        "phrase of two words": drawn(False, QUERIES, phrase),
        "prefix of three letters": [[word[0][:3].lower()] for word in drawn(False, QUERIES, one)],
        "order number": drawn(False, QUERIES, lambda row: [row[0]]),
        "one character": drawn(True, ONE_CHARACTER, characters(1)),
        "two characters": drawn(True, QUERIES, characters(2)),
        "three characters": drawn(True, QUERIES, characters(3)),
        "four characters": drawn(True, QUERIES, characters(4)),
    }
    (folder / "queries.json").write_text(json.dumps(queries, ensure_ascii=False), encoding="utf-8")


main()
