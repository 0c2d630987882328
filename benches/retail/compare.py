"""Runs the binary and the peers on one file and prints one table. Called by run.sh."""

import os
import pathlib
import sqlite3
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent / "peers"))
import implicit_peers
from binary import nightclerk

CLEAN = (
    "CustomerID <> '' AND CAST(Quantity AS INTEGER) > 0 AND CAST(UnitPrice AS REAL) > 0 AND InvoiceNo NOT LIKE 'C%' "
    "AND StockCode GLOB '[0-9][0-9][0-9][0-9][0-9]*'"
)
IMPORTS = {
    "products": f"SELECT StockCode AS product_id, max(Description) AS title FROM input WHERE {CLEAN} GROUP BY StockCode",
    "events": "SELECT CustomerID AS user_id, StockCode AS product_id, InvoiceNo AS order_id, 'purchase' AS kind, "
    f"Quantity AS quantity, UnitPrice AS price, InvoiceDate AS at FROM input WHERE {CLEAN}",
}
COLUMNS = ("ndcg@10", "recall@20", "hr@10", "coverage@10")


def ours(folder, data, purpose):
    """Rows of the view scores after one run of the job for this purpose."""
    job = pathlib.Path(folder, "jobs", "recommendations.toml")
    lines = [line for line in job.read_text().splitlines() if not line.startswith("purpose")]
    at = lines.index("[recommendations]")
    job.write_text("\n".join([*lines[: at + 1], f'purpose = "{purpose}"', *lines[at + 1 :], ""]))
    spent, _ = nightclerk(folder, "run", "recommendations")
    base = sqlite3.connect(pathlib.Path(folder, "shop.db"))
    found = base.execute(
        "SELECT model, metric, value, max(chosen) FROM scores WHERE result = 'recommendations' AND slice = '' "
        "AND run_id = (SELECT max(run_id) FROM scores WHERE result = 'recommendations') GROUP BY model, metric"
    ).fetchall()
    models = {}
    for model, metric, value, chosen in found:
        models.setdefault((model, chosen), {})[metric] = value
    for (model, chosen), values in sorted(models.items(), key=lambda item: -item[1]["ndcg@10"]):
        name = f"nightclerk {model}" + (" (chosen)" if chosen else "")
        yield name, int(values["users"]), *(values[column] for column in COLUMNS), spent if chosen else None


def main():
    data = os.path.join(os.path.abspath(os.environ["NIGHTCLERK_DATA"]), "online-retail", "online_retail.csv.gz")
    line = "{:<12} {:<44} {:>6} {:>8} {:>9} {:>7} {:>11} {:>7}"
    print(line.format("purpose", "model", "users", *COLUMNS, "CPU s"))
    for purpose in ("basket", "next_weeks"):
        with tempfile.TemporaryDirectory() as folder:
            nightclerk(folder, "init")
            for table, select in IMPORTS.items():
                nightclerk(folder, "import", table, data, "--select", select)
            rows = list(ours(folder, data, purpose))
        rows += implicit_peers.figures(data, purpose)
        for name, users, *figures, spent in rows:
            seconds = "" if spent is None else f"{spent:.1f}"
            print(line.format(purpose, name, users, *(f"{figure:.4f}" for figure in figures), seconds))


if __name__ == "__main__":
    main()
