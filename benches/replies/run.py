"""Drafted replies through the real binary, beside the reply to the nearest old ticket. See README.md."""

import csv
import gzip
import json
import math
import os
import re
import sqlite3
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from binary import load, nightclerk

DATA = Path(os.environ["NIGHTCLERK_DATA"])
CJK = r"\u3400-\u4dbf\u4e00-\u9fff"
WORDS = re.compile(rf"[{CJK}]|[^\W_{CJK}]+|[^\w\s]|_")


def rows(language):
    """Pairs of (subject, body, reply): English e-mails, or Chinese letters to a city."""
    name = {"en": "support-tickets/tickets", "zh": "support-zh-tickets/tickets_replies"}[language]
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        all_rows = list(csv.DictReader(file))
    if language == "zh":
        return [(row["subject"], row["body"], row["reply"]) for row in all_rows]
    chosen = [row for row in all_rows if row["language"] == "en" and row["answer"].strip()]
    return [(row["subject"], row["body"], row["answer"]) for row in chosen]


def split(pairs):
    order = numpy.random.RandomState(7).permutation(len(pairs))
    tests = len(pairs) // 10
    return [pairs[i] for i in order[tests:]], [pairs[i] for i in order[:tests]]


def words(text):
    return WORDS.findall(text.lower())


def rouge_l(a, b):
    """F1 of the longest common subsequence, bit-parallel (Hyyrö 2004)."""
    if not a or not b:
        return 0.0
    places = {}
    for at, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << at
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return 2 * (len(a) - row.bit_count()) / (len(a) + len(b))


def bleu(pairs):
    """Corpus BLEU-4 without smoothing."""
    found, said = [0] * 4, [0] * 4
    for draft, reply in pairs:
        for n in range(4):
            groups = lambda text: Counter(tuple(text[i : i + n + 1]) for i in range(len(text) - n))
            have = groups(reply)
            found[n] += sum(min(count, have[group]) for group, count in groups(draft).items())
            said[n] += max(len(draft) - n, 0)
    if min(found) == 0:
        return 0.0
    short = 1 - sum(len(reply) for _, reply in pairs) / max(sum(len(draft) for draft, _ in pairs), 1)
    return math.exp(min(short, 0) + sum(math.log(f / s) for f, s in zip(found, said)) / 4)


def night(train, test, above):
    """Imports, runs the support job, and returns (draft, confidence, nearest reply) a test ticket, and CPU seconds.

    `above`: the job's suggest_above_chance; none leaves the default.
    """
    with tempfile.TemporaryDirectory() as folder:

        def tickets(open_ones):
            old = [[f"old{i:05}", subject, body, "closed", 1_700_000_000 + i] for i, (subject, body, _) in enumerate(train)]
            new = [[f"new{i:05}", subject, body, "open", 1_700_100_000 + i] for i, (subject, body, _) in enumerate(open_ones)]
            load(folder, "tickets", ["ticket_id", "subject", "body", "status", "created_at"], old + new)

        nightclerk(folder, "init")
        if above is not None:
            job = Path(folder) / "jobs/support.toml"
            changed, found = re.subn(r"(?m)^suggest_above_chance = [0-9.]+", f"suggest_above_chance = {above}", job.read_text())
            assert found == 1, "the job file does not state suggest_above_chance"
            job.write_text(changed)
        tickets([])
        replies = [[f"r{i:05}", f"old{i:05}", "agent", reply, 1_700_000_000 + i] for i, (_, _, reply) in enumerate(train)]
        load(folder, "replies", ["source_id", "ticket_id", "author", "body", "at"], replies)
        without, _ = nightclerk(folder, "run", "support")
        tickets(test)
        used, _ = nightclerk(folder, "run", "support")
        base = sqlite3.connect(f"{folder}/shop.db")
        drafts = base.execute(
            "SELECT d.reply, d.confidence, r.body FROM ticket_drafts AS d"
            " LEFT JOIN ticket_neighbours AS n ON n.ticket_id = d.ticket_id AND n.rank = 1"
            " LEFT JOIN replies AS r ON r.ticket_id = n.neighbour_ticket_id ORDER BY d.ticket_id"
        ).fetchall()
        numbers = base.execute(
            "SELECT s.metric, s.value FROM scores AS s WHERE result = 'ticket_drafts' AND model = 'consensus'"
            " AND run_id = (SELECT max(run_id) FROM scores WHERE result = 'ticket_drafts')"
            " AND metric IN ('temperature', 'beta', 'replies') ORDER BY s.metric"
        ).fetchall()
    if len(drafts) != len(test):
        sys.exit(f"{len(drafts)} drafts for {len(test)} open tickets")
    return drafts, used, 1000 * (used - without) / len(test), dict(numbers)


def main():
    print("| data | model | drafts | ROUGE-L | BLEU-4 | surest fifth | CPU s, whole job | CPU ms a draft |")
    print("|---|---|---|---|---|---|---|---|")
    for language in ["en", "zh"]:
        train, test = split(rows(language))
        drafts, used, each, numbers = night(train, test, 0)
        chosen = ", ".join(f"{key} {value:g}" for key, value in numbers.items())
        every = range(len(test))
        report(language, "nearest reply", drafts, 2, test, every, " | ")
        report(language, f"nightclerk, every draft ({chosen})", drafts, 0, test, every, f"{used:.1f} | {each:.1f}")
        drafts, used, each, _ = night(train, test, None)
        shown = [i for i in every if drafts[i][0]]
        for name, those in [("shown", shown), ("not shown, the nearest reply", sorted(set(every) - set(shown)))]:
            if those:
                column = 0 if name == "shown" else 2
                report(language, name, drafts, column, test, those, f"{used:.1f} | {each:.1f}" if column == 0 else " | ")


def report(language, name, drafts, column, test, those, cost):
    """One row of the table: the texts of a column of the drafts of those tickets against the replies that were sent."""
    said = [words(drafts[i][column] or "") for i in those]
    truth = [words(test[i][2]) for i in those]
    overlap = [rouge_l(a, b) for a, b in zip(said, truth)]
    surest = sorted(range(len(those)), key=lambda at: -drafts[those[at]][1])[: max(len(those) // 5, 1)]
    fifth = sum(overlap[at] for at in surest) / len(surest)
    score = 100 * bleu(list(zip(said, truth)))
    figures = f"{100 * sum(overlap) / len(overlap):.1f} | {score:.1f} | {100 * fifth:.1f}"
    print(f"| {language} | {name} | {len(those)} | {figures} | {cost} |", flush=True)


if __name__ == "__main__":
    main()
