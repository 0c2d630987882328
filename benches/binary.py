"""The real binary, run by the comparisons that read what it published. Python's standard library alone."""

import csv
import os
import resource
import subprocess
import sys


def nightclerk(folder, *words):
    """Runs one verb on shop.db in `folder`; returns its CPU seconds and the peak memory of all runs so far in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [os.path.abspath(os.environ["NIGHTCLERK"]), "--db", "shop.db", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr or done.stdout}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024


def load(folder, table, header, rows):
    """Writes the rows as TABLE.csv in `folder` and imports the file."""
    with open(os.path.join(folder, f"{table}.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    nightclerk(folder, "import", table, f"{table}.csv")
