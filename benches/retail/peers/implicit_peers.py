"""implicit's item kNN and ALS on Online Retail, by the cut that nightclerk uses.

Written for this comparison: cleaning, cut and metrics are stated in ../README.md and mirrored here, so that
both sides are judged alike. One thread. Returns rows of (model, users, ndcg@10, recall@20, hr@10, coverage@10, CPU s).
"""

import os

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import csv
import datetime
import gzip
import re
import time
import warnings

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

# implicit converts its own neighbours between formats and warns about it.
warnings.filterwarnings("ignore", module="implicit")

FACTORS, REGULARISATION, ALPHA, ITERATIONS = 64, 10.0, 1.0, 15
NEIGHBOURS = 100
DEPTH = 100


def first_pairs(path):
    """Distinct (user, item) with first time, ordered by (time, line), over indices in the order of the ids."""
    opened = gzip.open if path.endswith(".gz") else open
    pairs = {}
    with opened(path, "rt", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            if (
                row["CustomerID"]
                and int(row["Quantity"]) > 0
                and float(row["UnitPrice"]) > 0
                and not row["InvoiceNo"].startswith("C")
                and re.match(r"[0-9]{5}", row["StockCode"])
            ):
                at = datetime.datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=datetime.timezone.utc)
                key = (row["CustomerID"], row["StockCode"])
                pairs.setdefault(key, (int(at.timestamp()), number))
    users = {user: i for i, user in enumerate(sorted({user for user, _ in pairs}))}
    items = {item: i for i, item in enumerate(sorted({item for _, item in pairs}))}
    ordered = sorted((at, line, users[user], items[item]) for (user, item), (at, line) in pairs.items())
    return ordered, len(users), len(items)


def cut_time20(pairs, users):
    """Users with at least five items lose the last floor(20 %)."""
    of_user = [[] for _ in range(users)]
    for _, _, user, item in pairs:
        of_user[user].append(item)
    train, test = [], [[] for _ in range(users)]
    for user, history in enumerate(of_user):
        tested = max(1, int(len(history) * 0.2)) if len(history) >= 5 else 0
        train += [(user, item) for item in history[: len(history) - tested]]
        test[user] = history[len(history) - tested :]
    return train, test


def cut_global(pairs, users):
    """Everything after the 80 % quantile of pair times is test."""
    times = sorted(at for at, _, _, _ in pairs)
    quantile = times[int(0.8 * (len(times) - 1))]
    train = [(user, item) for at, _, user, item in pairs if at <= quantile]
    test = [[] for _ in range(users)]
    for at, _, user, item in pairs:
        if at > quantile:
            test[user].append(item)
    return train, test


def metrics(lists, tested, test, ranked):
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    rows = []
    for user, found in zip(tested, lists):
        hits = np.isin(found, list(test[user]))
        n = len(test[user])
        rows.append(
            (
                (hits[:10] * discount[: len(hits[:10])]).sum() / discount[: min(10, n)].sum(),
                hits[:20].sum() / min(20, n),
                float(hits[:10].any()),
            )
        )
    coverage = len(np.unique(lists[:, :10])) / ranked
    return (*np.mean(rows, axis=0), coverage)


def figures(path, purpose):
    pairs, users, items = first_pairs(path)
    train, test = {"basket": cut_time20, "next_weeks": cut_global}[purpose](pairs, users)
    seen = {item for _, item in train}
    known = {user for user, _ in train}
    test = [{item for item in hidden if item in seen} if user in known else set() for user, hidden in enumerate(test)]
    tested = [user for user in range(users) if test[user]]
    rows, columns = np.array(train).T
    matrix = csr_matrix((np.ones(len(train), dtype=np.float32), (rows, columns)), shape=(users, items))
    models = {
        f"implicit item kNN cosine, K {NEIGHBOURS}": CosineRecommender(K=NEIGHBOURS, num_threads=1),
        f"implicit ALS, {FACTORS} factors": AlternatingLeastSquares(
            FACTORS, REGULARISATION, ALPHA, iterations=ITERATIONS, num_threads=1, random_state=1, use_gpu=False
        ),
    }
    answers = []
    for name, model in models.items():
        start = time.process_time()
        model.fit(matrix, show_progress=False)
        found, _ = model.recommend(np.array(tested), matrix[tested], N=DEPTH, filter_already_liked_items=True)
        spent = time.process_time() - start
        answers.append((name, len(tested), *metrics(found, tested, test, len(seen)), spent))
    return answers
