"""Ten thousand waiting tickets for two hundred agents through the real binary. See README.md."""

import csv
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKETS, AGENTS = 10_000, 200
TEAMS = ["post", "money", "desk", "shop"]
LANGUAGES = ["en", "de", "zh"]


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    binary = os.environ.get("NIGHTCLERK", str(ROOT / "target/release/nightclerk"))
    dice = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        shop = f"{folder}/shop.db"

        def call(*arguments):
            began = cpu()
            done = subprocess.run([binary, "--db", shop, "--quiet", *arguments], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"nightclerk {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
            return cpu() - began

        def load(table, header, lines):
            with open(f"{folder}/{table}.csv", "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(header)
                writer.writerows(lines)
            call("import", table, f"{folder}/{table}.csv")

        call("init")
        header = ["ticket_id", "body", "language", "category", "team", "priority", "status", "created_at"]
        priorities = ["low", "medium", "high", "urgent"]
        words = [f"word{i}" for i in range(3000)]
        lines = []
        for i in range(TICKETS):
            team = dice.choice(TEAMS)
            body = " ".join(dice.choices(words, k=12))
            lines.append([f"t{i:05}", body, dice.choice(LANGUAGES), team, team, dice.choice(priorities), "open", 1_700_000_000 + i])
        load("tickets", header, lines)
        without = call("run", "support")
        agents = []
        for i in range(AGENTS):
            spoken = dice.sample(LANGUAGES, dice.choice([1, 2]))
            agents.append([f"a{i:03}", TEAMS[i % 4], "[" + ", ".join(f'"{one}"' for one in spoken) + "]", dice.randrange(5, 30)])
        load("agents", ["agent_id", "team", "languages", "capacity"], agents)
        used = call("run", "support")
        base = sqlite3.connect(shop)
        one = lambda sql: base.execute(sql).fetchone()[0]
        over = one(
            "SELECT count(*) FROM agents AS a WHERE a.capacity < (SELECT count(*) FROM ticket_queue AS q WHERE q.agent_id = a.agent_id)"
        )
        given, rows, room = (
            one("SELECT count(agent_id) FROM ticket_routes"),
            one("SELECT count(*) FROM ticket_routes"),
            one("SELECT sum(capacity) FROM agents"),
        )
    if over or rows != TICKETS or given != room:
        sys.exit(f"{over} agents beyond their capacity, {rows} routes, {given} given out for {room} places")
    print("| tickets | agents | places | given out | CPU s, whole job with agents | without |")
    print("|---|---|---|---|---|---|")
    print(f"| {rows} | {AGENTS} | {room} | {given} | {used:.1f} | {without:.1f} |")


main()
