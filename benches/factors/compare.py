"""Fits our models and their peers in turns on the same pairs and prints one table. Called by run.sh; see README.md."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import scipy.linalg
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "retail" / "peers"))
from implicit_peers import cut_global, cut_time20, first_pairs

# implicit converts its own neighbours between formats and warns about it.
warnings.filterwarnings("ignore", module="implicit")

DEPTH = 100
LAMBDA = 200
ROUNDS = 3


class Cut:
    """A training matrix, its file for our side, and what it must predict (nothing, for the whole of the data)."""

    def __init__(self, name, train, test, users, items, folder):
        rows, columns = np.array(train).T
        self.name = name
        self.pairs = (rows, columns)
        self.shape = (users, items)
        self.matrix = csr_matrix((np.ones(len(train), dtype=np.float32), self.pairs), shape=self.shape)
        self.seen = np.bincount(columns, minlength=items) > 0
        known = np.bincount(rows, minlength=users) > 0
        self.test = [[i for i in hidden if self.seen[i]] if known[u] else [] for u, hidden in enumerate(test)]
        self.file = os.path.join(folder, f"{name}.pairs")
        with open(self.file, "w") as out:
            out.write(f"{users} {items}\n")
            out.writelines(f"{user} {item}\n" for user, item in train)

    def ndcg10(self, lists):
        """Binary gains, the ideal cut at min(10, test items), mean over users with a test item."""
        discount = 1 / np.log2(np.arange(2, 12))
        values = [
            (np.isin(lists[user, :10], hidden) * discount).sum() / discount[: min(10, len(hidden))].sum()
            for user, hidden in enumerate(self.test)
            if hidden
        ]
        return float(np.mean(values)) if values else None


def ours(model):
    def fit(cut):
        lists = cut.file + ".lists"
        command = [os.environ["NIGHTCLERK_FACTORS"], model, cut.file, lists]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        fitted, listed = map(float, said.split())
        return fitted, listed, np.fromfile(lists, dtype="<u4").astype(np.int64).reshape(-1, DEPTH)

    return fit


def of_implicit(make):
    def fit(cut):
        model = make()
        start = time.process_time()
        model.fit(cut.matrix, show_progress=False)
        fitted = time.process_time()
        everybody = np.arange(cut.shape[0])
        lists, _ = model.recommend(everybody, cut.matrix, N=DEPTH, filter_already_liked_items=True)
        return fitted - start, time.process_time() - fitted, lists

    return fit


def inverse_numpy(gram):
    return np.linalg.inv(gram)


def inverse_lapack(gram):
    """By hand through scipy, for scale: half the inverse, as a triangle."""
    prefix = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}[gram.dtype]
    factor, _ = getattr(scipy.linalg.lapack, prefix + "potrf")(gram, lower=1, overwrite_a=1)
    inverse, _ = getattr(scipy.linalg.lapack, prefix + "potri")(factor, lower=1, overwrite_c=1)
    return np.tril(inverse) + np.tril(inverse, -1).T


def ease(precision, inverse):
    def fit(cut):
        start = time.process_time()
        x = csr_matrix((np.ones(len(cut.pairs[0]), dtype=precision), cut.pairs), shape=cut.shape)
        gram = (x.T @ x).toarray()
        diagonal = np.diag_indices(len(gram))
        gram[diagonal] += precision(LAMBDA)
        b = inverse(gram)
        b /= -np.diag(b)
        b[diagonal] = 0
        fitted = time.process_time()
        lists = []
        for begin in range(0, cut.shape[0], 512):
            scores = x[begin : begin + 512] @ b
            scores[:, ~cut.seen] = -np.inf
            scores[x[begin : begin + 512].nonzero()] = -np.inf
            best = np.argpartition(-scores, DEPTH, axis=1)[:, :DEPTH]
            order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
            lists.append(np.take_along_axis(best, order, 1))
        return fitted - start, time.process_time() - fitted, np.concatenate(lists)

    return fit


def implicit_als():
    return AlternatingLeastSquares(64, 10.0, 1.0, iterations=15, num_threads=1, random_state=1, use_gpu=False)


# (model, whose, fit); ratios are of the first of a model to the row.
MODELS = [
    ("ALS", "nightclerk, 96 factors", ours("als96")),
    ("ALS", "nightclerk, 64 factors", ours("als64")),
    ("ALS", "implicit, 64 factors", of_implicit(implicit_als)),
    ("item kNN cosine, 100", "nightclerk", ours("knn")),
    ("item kNN cosine, 100", "implicit", of_implicit(lambda: CosineRecommender(K=100, num_threads=1))),
    ("EASE, lambda 200", "nightclerk, f32", ours("ease")),
    ("EASE, lambda 200", "numpy inv, f32", ease(np.float32, inverse_numpy)),
    ("EASE, lambda 200", "numpy inv, f64", ease(np.float64, inverse_numpy)),
    ("EASE, lambda 200", "scipy potrf + potri, f32", ease(np.float32, inverse_lapack)),
]


def main():
    path = os.path.join(os.path.abspath(os.environ["NIGHTCLERK_DATA"]), "online-retail", "online_retail.csv.gz")
    pairs, users, items = first_pairs(path)
    line = "{:<8} {:<21} {:<25} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9}"
    print(line.format("cut", "model", "by", "fit s", "lists s", "both s", "fit", "both", "NDCG@10"))
    with tempfile.TemporaryDirectory() as folder:
        cuts = [
            Cut("time20", *cut_time20(pairs, users), users, items, folder),
            Cut("global", *cut_global(pairs, users), users, items, folder),
            Cut("all", [(u, i) for _, _, u, i in pairs], [[] for _ in range(users)], users, items, folder),
        ]
        for cut in cuts:
            taken = {place: [] for place in range(len(MODELS))}
            ndcg = {}
            for _ in range(ROUNDS):  # in turns, so that a busy minute hits all of them
                for place, (_, _, fit) in enumerate(MODELS):
                    fitted, listed, lists = fit(cut)
                    taken[place].append((fitted, listed, fitted + listed))
                    ndcg[place] = cut.ndcg10(lists)
            medians = {p: [statistics.median(column) for column in zip(*rows)] for p, rows in taken.items()}
            mine = {}
            for place, (group, by, _) in enumerate(MODELS):
                fitted, listed, both = medians[place]
                first = mine.setdefault(group, medians[place])
                ratios = ["", ""] if first is medians[place] else [f"{first[0] / fitted:.2f}", f"{first[2] / both:.2f}"]
                value = "" if ndcg[place] is None else f"{ndcg[place]:.4f}"
                seconds = [f"{fitted:.2f}", f"{listed:.2f}", f"{both:.2f}"]
                print(line.format(cut.name, group, by, *seconds, *ratios, value), flush=True)


if __name__ == "__main__":
    main()
