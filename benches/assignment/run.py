"""Ten thousand waiting tickets for two hundred agents through the real binary. See README.md."""

import random
import sqlite3
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from binary import load, nightclerk

TICKETS, AGENTS = 10_000, 200
TEAMS = ["post", "money", "desk", "shop"]
LANGUAGES = ["en", "de", "zh"]


def main():
    dice = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        nightclerk(folder, "init")
        header = ["ticket_id", "body", "language", "category", "team", "priority", "status", "created_at"]
        priorities = ["low", "medium", "high", "urgent"]
        words = [f"word{i}" for i in range(3000)]
        lines = []
        for i in range(TICKETS):
            team = dice.choice(TEAMS)
            body = " ".join(dice.choices(words, k=12))
            lines.append([f"t{i:05}", body, dice.choice(LANGUAGES), team, team, dice.choice(priorities), "open", 1_700_000_000 + i])
        load(folder, "tickets", header, lines)
        without, _ = nightclerk(folder, "run", "support")
        agents = []
        for i in range(AGENTS):
            spoken = dice.sample(LANGUAGES, dice.choice([1, 2]))
            agents.append([f"a{i:03}", TEAMS[i % 4], "[" + ", ".join(f'"{one}"' for one in spoken) + "]", dice.randrange(5, 30)])
        load(folder, "agents", ["agent_id", "team", "languages", "capacity"], agents)
        used, _ = nightclerk(folder, "run", "support")
        base = sqlite3.connect(f"{folder}/shop.db")
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
