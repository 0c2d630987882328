"""Training steps of our networks beside PyTorch's, one thread, same weights and batches, in one run.

Our side (`ours`, the path in NIGHTCLERK_NETWORKS) writes the parameters and the data of a case and the gradients of its first step;
this side reads them, asserts that loss and gradients agree, and takes the CPU time of whole steps (Adam included). Sides take
turns; the table shows medians over all rounds.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
OURS = os.environ["NIGHTCLERK_NETWORKS"]
#: case -> (steps of a round, the most it may cost beside PyTorch)
CASES = {
    "lstm": (60, 1.2),
    "gru4rec": (12, 0.5),
    "gru4rec-sparse": (12, 0.5),
    "seq2seq": (4, 0.9),
    "conv": (60, 1.0),
}


def blob(path):
    """A blob of ours: 32 bytes of header, then a safetensors file."""
    data = path.read_bytes()[32:]
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    table.pop("__metadata__", None)
    data = data[8 + length :]
    read = {}
    for name, entry in table.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
        read[name] = torch.from_numpy(values.copy())
    return read


class Case:
    """Parameters under our names and in our shapes (inputs by outputs), which PyTorch's layers see transposed."""

    def __init__(self, params, data):
        self.p = {name: torch.nn.Parameter(value) for name, value in params.items()}
        self.d = {
            name: value.long() if name in ("ids", "negatives", "read", "written") or self.is_class(name, value) else value
            for name, value in data.items()
        }
        self.prepare()

    @staticmethod
    def is_class(name, value):
        return name == "targets" and bool((value == value.round()).all())

    def prepare(self):
        pass

    def recurrent(self, kind, name):
        """A recurrent module whose own parameters are ours, turned."""
        wx = self.p[f"{name}.wx"]
        module = kind(wx.shape[0], self.p[f"{name}.wh"].shape[0])
        own = {
            "weight_ih_l0": wx.t(),
            "weight_hh_l0": self.p[f"{name}.wh"].t(),
            "bias_ih_l0": self.p[f"{name}.b"],
            "bias_hh_l0": self.p.get(f"{name}.bh", torch.zeros(wx.shape[1])),
        }
        with torch.no_grad():
            for key, value in own.items():
                getattr(module, key).copy_(value)
        if f"{name}.bh" not in self.p:
            module.bias_hh_l0.requires_grad_(False)
        return module

    def gradients(self):
        """By our names and in our shapes."""
        found = {name: p.grad for name, p in self.p.items() if p.grad is not None}
        for name, module in self.modules().items():
            for ours, theirs in (("wx", "weight_ih_l0"), ("wh", "weight_hh_l0"), ("b", "bias_ih_l0"), ("bh", "bias_hh_l0")):
                gradient = getattr(module, theirs).grad
                if gradient is not None and f"{name}.{ours}" in self.p:
                    found[f"{name}.{ours}"] = gradient.t() if gradient.dim() == 2 else gradient
        return {name: g.to_dense() if g.is_sparse else g for name, g in found.items()}

    def modules(self):
        return {}

    def learned(self):
        """What the optimiser moves: modules' own parameters, and ours that belong to no module."""
        owned = tuple(f"{name}." for name in self.modules())
        free = [p for name, p in self.p.items() if not name.startswith(owned or ("\0",))]
        return free + [p for m in self.modules().values() for p in m.parameters() if p.requires_grad]


class Lstm(Case):
    def prepare(self):
        self.lstm = self.recurrent(torch.nn.LSTM, "lstm")
        self.quantiles = torch.tensor([0.1, 0.5, 0.9])

    def modules(self):
        return {"lstm": self.lstm}

    def loss(self):
        hidden, _ = self.lstm(self.d["x"])
        y = torch.addmm(self.p["out.b"], hidden[-1], self.p["out.w"]).view(-1, 14, 3)
        error = self.d["targets"].unsqueeze(-1) - y
        return torch.maximum(self.quantiles * error, (self.quantiles - 1) * error).mean()


class Gru4Rec(Case):
    sparse = False

    def prepare(self):
        self.gru = self.recurrent(torch.nn.GRU, "gru")
        count = len(self.d["negatives"])
        targets = self.d["targets"].reshape(-1)
        self.twins = self.d["negatives"].unsqueeze(0) == targets.unsqueeze(1)
        self.labels = torch.full((len(targets),), count)
        self.targets = targets

    def modules(self):
        return {"gru": self.gru}

    def loss(self):
        look = lambda ids, table: F.embedding(ids, self.p[table], sparse=self.sparse)
        hidden, _ = self.gru(look(self.d["ids"], "items"))
        states = hidden.reshape(-1, hidden.shape[-1])
        negatives = self.d["negatives"]
        logits = torch.addmm(look(negatives, "bias").t(), states, look(negatives, "out").t())
        logits = logits.masked_fill(self.twins, float("-inf"))
        own = (states * look(self.targets, "out")).sum(1, keepdim=True) + look(self.targets, "bias")
        return F.cross_entropy(torch.cat([logits, own], 1), self.labels)


class Gru4RecSparse(Gru4Rec):
    sparse = True


class Seq2Seq(Case):
    def prepare(self):
        self.reader = self.recurrent(torch.nn.GRU, "reader")
        self.writer = self.recurrent(torch.nn.GRU, "writer")

    def modules(self):
        return {"reader": self.reader, "writer": self.writer}

    def loss(self):
        keys, last = self.reader(F.embedding(self.d["read"], self.p["source"]))
        states, _ = self.writer(F.embedding(self.d["written"], self.p["target"]), last)
        states, keys = states.transpose(0, 1), keys.transpose(0, 1)
        weights = torch.softmax(torch.bmm(states @ self.p["attention.w"], keys.transpose(1, 2)), -1)
        both = torch.cat([torch.bmm(weights, keys), states], -1)
        mixed = torch.tanh(both @ self.p["mix.w"] + self.p["mix.b"])
        logits = torch.addmm(self.p["out.b"], mixed.reshape(-1, mixed.shape[-1]), self.p["out.w"])
        return F.cross_entropy(logits, self.d["targets"].t().reshape(-1))


class Conv(Case):
    """Convolutions as PyTorch's own modules, whose weights are filters by inputs by window."""

    def prepare(self):
        self.convs = []
        for window in (1, 2, 3):
            weight, bias = self.p.pop(f"conv{window}.w"), self.p.pop(f"conv{window}.b")
            conv = torch.nn.Conv1d(64, 64, window)
            with torch.no_grad():
                conv.weight.copy_(weight.view(window, 64, 64).permute(2, 1, 0))
                conv.bias.copy_(bias)
            self.convs.append(conv)

    def loss(self):
        x = F.embedding(self.d["ids"], self.p["words"]).transpose(1, 2)
        found = torch.cat([F.relu(conv(x)).amax(2) for conv in self.convs], 1)
        y = torch.addmm(self.p["out.b"], found, self.p["out.w"])
        return F.mse_loss(y, self.d["targets"])

    def gradients(self):
        found = super().gradients()
        for window, conv in zip((1, 2, 3), self.convs):
            found[f"conv{window}.w"] = conv.weight.grad.permute(2, 1, 0).reshape(-1, 64)
            found[f"conv{window}.b"] = conv.bias.grad
        return found

    def learned(self):
        return super().learned() + [p for conv in self.convs for p in conv.parameters()]


KINDS = {"lstm": Lstm, "gru4rec": Gru4Rec, "gru4rec-sparse": Gru4RecSparse, "seq2seq": Seq2Seq, "conv": Conv}


def ours(case, folder, steps):
    made = subprocess.run([OURS, case, folder, str(steps)], capture_output=True, text=True, check=True)
    return json.loads(made.stdout)


def optimisers(case, kind):
    if not getattr(kind, "sparse", False):
        return [torch.optim.Adam(case.learned())]
    tables = [case.p[name] for name in ("items", "out", "bias")]
    rest = [p for p in case.learned() if all(p is not table for table in tables)]
    return [torch.optim.SparseAdam(tables), torch.optim.Adam(rest)]


def micros(calls, call):
    """CPU microseconds of a call, the median of rounds."""
    rounds = []
    for _ in range(41):
        begun = time.process_time()
        for at in range(calls):
            call(at)
        rounds.append((time.process_time() - begun) * 1e6 / calls)
    return statistics.median(rounds)


@torch.inference_mode()
def serving():
    """One answer at a time: PyTorch's modules on networks of the shapes that `ours serving` asks."""
    products, width = 20_000, 100
    items, bias = torch.randn(products, width) * 0.08, torch.randn(products) * 0.01
    gru, state = torch.nn.GRU(width, width), torch.zeros(1, 1, width)
    lstm, out, window = torch.nn.LSTM(4, 64), torch.nn.Linear(64, 42), torch.randn(60, 1, 4)

    def step(at):
        return gru(items[at * 7919 % products].view(1, 1, -1), state)[1]

    theirs = {
        "gru": micros(500, step),
        "gru_scores": micros(20, lambda at: torch.addmv(bias, items, step(at).view(-1))),
        "lstm": micros(50, lambda _: out(lstm(window)[0][-1])),
    }
    mine = json.loads(subprocess.run([OURS, "serving"], capture_output=True, text=True, check=True).stdout)
    print("CPU microseconds of one answer, one thread, medians of 41 rounds")
    print("| answer | PyTorch | ours |")
    print("|---|---|---|")
    for name, what in (
        ("gru", "a step of a session's GRU"),
        ("gru_scores", "the same with the scores of 20,000 products"),
        ("lstm", "the forecast of a price series"),
    ):
        print(f"| {what} | {theirs[name]:.0f} | {mine[name]:.0f} |", flush=True)


def main(names):
    if "serving" in names:
        serving()
        names = [name for name in names if name != "serving"]
        if not names:
            return 0
    print(f"PyTorch {torch.__version__}, one thread; CPU milliseconds of a training step, medians of interleaved rounds")
    print("| network | PyTorch | ours | ratio | at most | loss differs by | largest gradient difference |")
    print("|---|---|---|---|---|---|---|")
    missed = False
    for name in names:
        steps, limit = CASES[name]
        kind = KINDS[name]
        with tempfile.TemporaryDirectory() as folder:
            first = ours(name, folder, 3)
            read = lambda what: blob(pathlib.Path(folder) / f"{name}.{what}")
            case = kind(read("params"), read("data"))
            loss = case.loss()
            loss.backward()
            found, wanted = case.gradients(), read("grads")
            assert set(found) == set(wanted), set(found) ^ set(wanted)
            worst = max((found[key] - wanted[key]).abs().max().item() for key in wanted)
            difference = abs(loss.item() - first["loss"])
            assert difference < 1e-5 and worst < 1e-5, (name, difference, worst)
            moving = optimisers(case, kind)
            theirs, mine = [], []
            for _ in range(5):
                for step in range(steps + 1):
                    begun = time.process_time()
                    for one in moving:
                        one.zero_grad()
                    case.loss().backward()
                    for one in moving:
                        one.step()
                    if step > 0:
                        theirs.append((time.process_time() - begun) * 1e3)
                mine.append(ours(name, folder, steps)["ms"])
            torch_ms, our_ms = statistics.median(theirs), statistics.median(mine)
            ratio = our_ms / torch_ms
            missed |= ratio > limit
            print(f"| {name} | {torch_ms:.2f} | {our_ms:.2f} | {ratio:.2f} | {limit} | {difference:.1e} | {worst:.1e} |", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["serving", *CASES]))
