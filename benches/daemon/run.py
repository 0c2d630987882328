"""The same load without and with the daemon: what the application's inserts cost, how soon tickets are routed and found."""

import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CLERK = os.environ["NIGHTCLERK"]
EVENTS, TICKETS = 500, 20


def connect(path):
    conn = sqlite3.connect(path, timeout=30, isolation_level=None)
    conn.execute("PRAGMA synchronous = normal")
    return conn


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


class Load(threading.Thread):
    """Writes at the stated rates; `took` holds each insert's seconds, `came` when each ticket was written."""

    def __init__(self, path, seconds, name):
        super().__init__()
        self.path, self.seconds, self.label = path, seconds, name
        self.took, self.came, self.late = [], {}, 0

    def run(self):
        dice = random.Random(7)
        conn = connect(self.path)
        users = [r[0] for r in conn.execute("SELECT DISTINCT user_id FROM events WHERE user_id IS NOT NULL LIMIT 5000")]
        products = [r[0] for r in conn.execute("SELECT product_id FROM products")]
        texts = conn.execute("SELECT subject, body FROM tickets WHERE status = 'closed' LIMIT 2000").fetchall()
        period = 1.0 / (EVENTS + TICKETS)
        begun = time.monotonic()
        at = 0
        while True:
            due = begun + at * period
            now = time.monotonic()
            if now - begun > self.seconds:
                break
            if now < due:
                time.sleep(due - now)
            elif now - due > 1:
                self.late += 1
            is_ticket = at % ((EVENTS + TICKETS) // TICKETS) == 0
            before = time.perf_counter()
            if is_ticket:
                name = f"{self.label}{at}"
                subject, body = dice.choice(texts)
                conn.execute(
                    "INSERT INTO tickets (ticket_id, user_id, subject, body, created_at) VALUES (?, ?, ?, ?, ?)",
                    (name, dice.choice(users), subject, f"{body} word{name}", int(time.time())),
                )
            else:
                conn.execute(
                    "INSERT INTO events (user_id, product_id, kind, at) VALUES (?, ?, 'view', ?)",
                    (dice.choice(users), dice.choice(products), int(time.time())),
                )
            self.took.append(time.perf_counter() - before)
            if is_ticket:
                self.came[name] = time.monotonic()
            at += 1
        conn.close()


class Watch(threading.Thread):
    """Notes when each ticket of a load is routed, and for some when the search finds them."""

    def __init__(self, path, load):
        super().__init__()
        self.path, self.load = path, load
        self.routed, self.found, self.stop = {}, {}, False

    def run(self):
        conn = connect(self.path)
        searching, count = None, 0
        while True:
            done = self.stop
            waiting = [name for name in list(self.load.came) if name not in self.routed]
            for first in range(0, len(waiting), 500):
                part = waiting[first : first + 500]
                rows = conn.execute(
                    f"SELECT ticket_id FROM ticket_routes WHERE ticket_id IN ({','.join('?' * len(part))})", part
                )
                for (name,) in rows:
                    self.routed[name] = time.monotonic() - self.load.came[name]
            if searching is None:
                # Of the last ones of a load nobody asked at once: how long they waited for that is not the clerk's.
                now = time.monotonic()
                fresh = [n for n in list(self.load.came)[-3:] if n not in self.found and now - self.load.came[n] < 0.2]
                count += 1
                if fresh and count % 40 == 0:
                    searching = fresh[-1]
            if searching is not None:
                out = subprocess.run(
                    [CLERK, "--db", self.path, "--json", "search", f"word{searching}"], capture_output=True, text=True
                ).stdout
                if searching in out:
                    self.found[searching] = time.monotonic() - self.load.came[searching]
                    searching = None
            if done:
                break
            time.sleep(0.05)
        conn.close()


HOLDER = """
import fcntl, json, os, struct, sys, time
# Byte 120 of the -shm file is the lock of whoever writes (SQLite's walformat); asking for its holder disturbs nobody.
file = os.open(sys.argv[1] + "-shm", os.O_RDWR)
own, question = int(sys.argv[2]), struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 120, 1, 0)
longest, holder, since = [], 0, 0.0
while os.getppid() == own:
    kind, _, _, _, found = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, question))
    found, now = (0 if kind == fcntl.F_UNLCK else found), time.perf_counter()
    if found != holder:
        if holder not in (0, own):
            longest = sorted([*longest, now - since], reverse=True)[:1000]
        holder, since = found, now
    if os.path.exists(sys.argv[3]):
        break
    time.sleep(0.0002)
print(json.dumps(longest))
"""


def memory(process):
    """The process's own memory; pages of the mapped index are the system's, which takes them back when it likes."""
    with open(f"/proc/{process}/status") as status:
        for line in status:
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
    return float("nan")


def line(name, load):
    ms = [1000 * t for t in load.took]
    print(
        f"{name:16} {len(ms):8} inserts   median {statistics.median(ms):6.2f}   p99 {quantile(ms, 0.99):6.2f}   "
        f"p99.9 {quantile(ms, 0.999):7.2f}   longest {max(ms):7.1f} ms   behind by > 1 s: {load.late}",
        flush=True,
    )


def main():
    seconds = 60 * float(sys.argv[1]) if len(sys.argv) > 1 else 600
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([CLERK, "demo", folder, "--scale", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        path = os.path.join(folder, "shop.db")
        alone = Load(path, seconds, "A")
        alone.start()
        alone.join()
        line("nobody else", alone)
        # What came meanwhile is taken in first, so that the second load meets a daemon that is up to date.
        subprocess.run([CLERK, "--db", path, "--quiet", "run"], check=True, stdout=subprocess.DEVNULL)
        log = open(os.path.join(folder, "log"), "w")
        daemon = subprocess.Popen([CLERK, "--db", path, "serve", "--listen", "none"], stderr=log)
        time.sleep(8)
        load = Load(path, seconds, "B")
        watch = Watch(path, load)
        ended = os.path.join(folder, "ended")
        held = subprocess.Popen(
            [sys.executable, "-c", HOLDER, path, str(os.getpid()), ended], stdout=subprocess.PIPE, text=True
        )
        load.start()
        watch.start()
        asking, sizes, nights = connect(path), [], 0
        while load.is_alive():
            open_runs = asking.execute(
                "SELECT count(*) FROM run_requests AS q LEFT JOIN runs AS r USING (run_id) "
                "WHERE r.run_id IS NULL OR r.status IN ('queued', 'running')"
            ).fetchone()[0]
            if open_runs == 0:
                asking.execute(
                    "INSERT INTO run_requests (job) VALUES ('recommendations'), ('prices'), ('support'), ('upkeep')"
                )
                nights += 1
            sizes.append(memory(daemon.pid))
            load.join(5)
        time.sleep(5)
        open(ended, "w").close()
        held = [1000 * t for t in json.loads(held.communicate()[0])]
        watch.stop = True
        watch.join()
        line("with the daemon", load)
        routed = list(watch.routed.values())
        found = list(watch.found.values())
        print(
            f"tickets {len(load.came)}, routed {len(routed)}: median {statistics.median(routed):.2f}, "
            f"p99 {quantile(routed, 0.99):.2f}, longest {max(routed):.2f} s"
        )
        print(
            f"searched for {len(found)}: median {statistics.median(found):.2f}, p99 {quantile(found, 0.99):.2f}, "
            f"longest {max(found):.2f} s"
        )
        print(f"the daemon's longest holds of the write lock: {', '.join(f'{ms:.1f}' for ms in held[:8])} ms")
        third = max(1, len(sizes) // 3)
        print(
            f"daemon's memory: first third {statistics.median(sizes[:third]):.0f} MB, last third "
            f"{statistics.median(sizes[-third:]):.0f} MB, most {max(sizes):.0f} MB; nights begun meanwhile {nights}"
        )
        bad = asking.execute("SELECT job, status, error FROM runs WHERE status IN ('failed', 'timeout')").fetchall()
        print(f"runs that failed: {bad if bad else 'none'}")
        daemon.terminate()
        print(f"daemon ended with code {daemon.wait(60)}")


main()
