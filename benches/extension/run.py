"""The extension beside FTS5 in one Python process: see README.md.

    run.py LIBRARY FOLDER [TICKETS]     FOLDER holds corpus.jsonl and queries.json (benches/search/corpus.py); the shop is made there
"""
import csv
import gzip
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

library, folder = sys.argv[1], Path(sys.argv[2])
clerk = os.environ["NIGHTCLERK"]
database = folder / "shop.db"
PRODUCTS, SESSIONS = 20_000, 60_000
NOW = 1_790_000_000


def rows(*name):
    with gzip.open(Path(os.environ["NIGHTCLERK_DATA"]).joinpath(*name), "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def connect(path=":memory:"):
    connection = sqlite3.connect(path)
    connection.enable_load_extension(True)
    connection.load_extension(library)
    return connection


def make():
    """Tickets without a label from the corpus, solved ones with queue and answer, a catalogue and sessions in it; one night."""
    subprocess.run([clerk, "--db", database, "init", "--quiet"], check=True)
    dice = random.Random(3)
    shop = sqlite3.connect(database)
    corpus = [json.loads(line) for line in open(folder / "corpus.jsonl", encoding="utf-8")]
    with shop:
        shop.executemany(
            "INSERT INTO tickets (ticket_id, subject, body, status, created_at) VALUES (?, ?, ?, ?, ?)",
            ((number, subject, body, "open" if at < 2000 else "closed", NOW - 3600 * 24 * 400 + at * 60)
             for at, (number, subject, body) in enumerate(corpus)))
        teams = ["returns", "delivery", "billing", "technical"]
        shop.executemany("INSERT INTO agents (agent_id, name, team) VALUES (?, ?, ?)",
                         ((f"A{at}", f"Agent{at}", teams[at % 4]) for at in range(20)))
        answered = [row for row in rows("support-tickets", "tickets.csv.gz") if row["answer"]]
        asked = [{"subject": "", "body": row["instruction"], "queue": row["category"], "answer": ""} for row in rows("support-bitext", "bitext.csv.gz")]
        for at, row in enumerate(answered + asked):
            number, when = f"Q{at}", NOW - 3600 * 24 * 90 + at * 200
            shop.execute("INSERT INTO tickets (ticket_id, subject, body, status, category, created_at, closed_at) VALUES (?, ?, ?, 'closed', ?, ?, ?)",
                         (number, row["subject"], row["body"], row["queue"], when, when + 3600))
            if row["answer"]:
                shop.execute("INSERT INTO replies (ticket_id, author, agent_id, body, at) VALUES (?, 'agent', ?, ?, ?)",
                             (number, f"A{at % 20}", row["answer"], when + 1800))
        shop.executemany("INSERT INTO products (product_id, title, category, price, in_stock, created_at) VALUES (?, ?, ?, ?, 5, ?)",
                         ((f"P{at:05}", f"{dice.choice(['red', 'blue', 'oak', 'steel', 'linen'])} {dice.choice(['lamp', 'chair', 'table', 'shelf', 'rug'])} {at}",
                           f"c{at % 40}", 10 + at % 90, NOW - 3600 * 24 * 300) for at in range(PRODUCTS)))
        for session in range(SESSIONS):
            # Popular ones more often, and neighbours of the last one.
            product = int(PRODUCTS * dice.random() ** 3)
            when = NOW - 3600 * 24 * 60 + session * 86
            for step in range(dice.randrange(2, 9)):
                shop.execute("INSERT INTO events (user_id, session_id, product_id, kind, at) VALUES (?, ?, ?, ?, ?)",
                             (f"U{session % 5000}", f"S{session}", f"P{product:05}", "view" if step % 4 else "purchase", when + step * 5))
                product = (product + int(dice.expovariate(0.2)) + 1) % PRODUCTS
    shop.close()
    subprocess.run([clerk, "--db", database, "run", "--quiet"], check=True)


def make_fts5():
    path = folder / "fts5.db"
    fts5 = sqlite3.connect(path)
    fts5.execute("CREATE TABLE documents (number INTEGER PRIMARY KEY, ticket_id TEXT, subject TEXT, body TEXT)")
    fts5.execute("ATTACH ? AS clerk", (str(database),))
    fts5.execute("INSERT INTO documents (ticket_id, subject, body) SELECT ticket_id, subject, body FROM clerk.tickets")
    fts5.execute("CREATE VIRTUAL TABLE t USING fts5(subject, body, content='documents', content_rowid='number')")
    fts5.execute("INSERT INTO t (t) VALUES ('rebuild')")
    fts5.execute("INSERT INTO t (t) VALUES ('optimize')")
    fts5.commit()
    fts5.close()
    return path


def timed(question, arguments):
    """Milliseconds of CPU and on the clock of each call, after a pass that is not counted."""
    for argument in arguments[:50]:
        question(argument)
    cpu, wall = [], []
    for argument in arguments:
        began, began_wall = time.process_time_ns(), time.perf_counter_ns()
        question(argument)
        wall.append((time.perf_counter_ns() - began_wall) / 1e6)
        cpu.append((time.process_time_ns() - began) / 1e6)
    return sorted(cpu), sorted(wall)


def told(name, times, asked=""):
    cpu, wall = times
    at = lambda of, share: of[min(len(of) - 1, int(len(of) * share))]
    print(f"| {name} | {at(cpu, 0.5):.3f} / {at(cpu, 0.99):.3f} | {at(wall, 0.5):.3f} / {at(wall, 0.99):.3f} | {asked} |", flush=True)
    return at(cpu, 0.5), at(wall, 0.5)


def main():
    if not database.exists():
        make()
    fts5 = folder / "fts5.db"
    if not fts5.exists():
        make_fts5()
    c = connect(str(database))
    c.execute("ATTACH ? AS peer", (str(fts5),))
    queries = json.load(open(folder / "queries.json", encoding="utf-8"))
    tickets = c.execute("SELECT count(*) FROM tickets").fetchone()[0]
    print(f"{tickets} tickets, SQLite {sqlite3.sqlite_version}; milliseconds, p50 / p99\n")
    print("| | CPU | clock | asked |\n|---|---|---|---|")
    began = time.perf_counter_ns()
    c.execute("SELECT id FROM ticket_search('refund', 1)").fetchall()
    first = (time.perf_counter_ns() - began) / 1e6
    run = lambda sql: lambda value: c.execute(sql, (value,)).fetchall()
    ours = lambda words: " OR ".join(words)
    theirs = lambda words: " OR ".join(f'"{word}"' for word in words)
    for name in ("one word", "two words, OR", "two words, AND"):
        joined = (" ".join if name.endswith("AND") else ours, (lambda w: " ".join(f'"{x}"' for x in w)) if name.endswith("AND") else theirs)
        mine, other = [joined[0](q) for q in queries[name]], [joined[1](q) for q in queries[name]]
        a = told(f"{name}, 20 best by score", timed(run("SELECT id, score FROM ticket_search(?, 20) ORDER BY score DESC"), mine))
        b = told(f"{name}, FTS5", timed(run("SELECT rowid, rank FROM peer.t WHERE t MATCH ? ORDER BY rank LIMIT 20"), other))
        print(f"| ratio of the medians | 1/{b[0] / a[0]:.0f} | 1/{b[1] / a[1]:.0f} | {'1/50' if 'OR' in name else ''} |")
        a = told(f"{name}, with snippet and join", timed(run(
            "SELECT s.id, s.snippet, t.status FROM ticket_search(?, 20) AS s JOIN tickets AS t ON t.ticket_id = s.id ORDER BY s.score DESC"), mine))
        b = told(f"{name}, FTS5, with snippet and join", timed(run(
            "SELECT d.ticket_id, snippet(t, 1, '<mark>', '</mark>', '...', 24), k.status FROM peer.t JOIN peer.documents AS d ON d.number = t.rowid "
            "JOIN tickets AS k ON k.ticket_id = d.ticket_id WHERE t MATCH ? ORDER BY rank LIMIT 20"), other))
        print(f"| ratio of the medians | 1/{b[0] / a[0]:.0f} | 1/{b[1] / a[1]:.0f} | {'1/20' if 'OR' in name else ''} |")
    nothing = [f"zq{at}xw9" for at in range(200)]
    told("a number nobody has", timed(run("SELECT id FROM ticket_search(?, 20)"), nothing), "0.1")
    told("a word nobody has, typos tried", timed(run("SELECT id FROM ticket_search(?, 20)"), [f"{a}zq{b}vxk" for a in "abcdefghij" for b in "klmnopqrst"]))
    texts = [row[0] for row in c.execute("SELECT body FROM tickets WHERE ticket_id LIKE 'R%' AND length(body) = length(CAST(body AS BLOB)) ORDER BY ticket_id LIMIT 200")]
    began = time.perf_counter_ns()
    c.execute("SELECT classify_ticket('hello')").fetchall()
    models = (time.perf_counter_ns() - began) / 1e6
    told("classify_ticket", timed(run("SELECT classify_ticket(?)"), texts), "0.3")
    told("route_ticket", timed(run("SELECT route_ticket(?)"), texts))
    told("draft_reply", timed(run("SELECT draft_reply(?)"), texts), "20")
    paths = [[row[0] for row in c.execute("SELECT DISTINCT product_id FROM events WHERE session_id = ? ORDER BY at", (f"S{at * 29}",))] for at in range(200)]
    began = time.perf_counter_ns()
    c.execute("SELECT * FROM recommend_session('[]')").fetchall()
    sessions = (time.perf_counter_ns() - began) / 1e6
    told(f"recommend_session, {PRODUCTS} products", timed(run("SELECT * FROM recommend_session(?, 20)"), [json.dumps(path) for path in paths]), "1")
    told("recommend_session, after one product", timed(run("SELECT * FROM recommend_session(?, 20)"), [json.dumps(path[:1]) for path in paths]), "1")
    told("nightclerk_status", timed(run("SELECT nightclerk_status() WHERE ?"), [1] * 50))
    program = ("import sqlite3, sys, time; c = sqlite3.connect(':memory:'); c.enable_load_extension(True); t = time.perf_counter_ns(), time.process_time_ns();"
               "c.load_extension(sys.argv[1]); print(time.process_time_ns() - t[1], time.perf_counter_ns() - t[0])")
    loads = [subprocess.run([sys.executable, "-c", program, library], check=True, capture_output=True, text=True).stdout.split() for _ in range(21)]
    told("loading the library", tuple(sorted(int(load[at]) / 1e6 for load in loads) for at in (0, 1)), "20")
    memory = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    print(f"\nfirst search of a process (opens and verifies the index) {first:.0f} ms, first question about a ticket (reads the models) {models:.0f} ms, "
          f"first session {sessions:.0f} ms on the clock; memory of the process with all of it {int(memory.split()[1]) // 1024} MB")


main()
