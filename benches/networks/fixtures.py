"""Writes src/neural/pytorch.json: small layers with the values, losses and gradients that PyTorch gives them.

    python benches/networks/fixtures.py > src/neural/pytorch.json

The tests of src/neural/pytorch.rs compare. Weights stand in our shapes (inputs by outputs), numbers with nine digits, which is every
bit of a float.
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(8)
torch.set_num_threads(1)


def rand(*shape):
    return (torch.rand(*shape) * 2 - 1).requires_grad_()


def flat(value):
    return [float(f"{x:.9g}") for x in value.detach().reshape(-1).tolist()]


def case(loss, leaves, **more):
    """The values of the leaves, the loss, its gradients, and whatever else the test wants."""
    loss.backward()
    made = {name: flat(leaf) for name, leaf in leaves.items()}
    made.update({f"d {name}": flat(leaf.grad) for name, leaf in leaves.items()})
    made.update({name: flat(value) for name, value in more.items()})
    made["loss"] = float(f"{loss.item():.9g}")
    return made


def recurrent(kind, gates, steps=3, batch=2, inputs=3, size=5):
    """The sum of squares of all states; the module's own weights are the leaves' transposes."""
    leaves = {
        "x": rand(steps, batch, inputs),
        "h0": rand(batch, size),
        "wx": rand(inputs, gates * size),
        "wh": rand(size, gates * size),
        "b": rand(gates * size),
    }
    if gates == 4:
        leaves["c0"] = rand(batch, size)
    else:
        leaves["bh"] = rand(gates * size)
    module = kind(inputs, size)
    own = {
        "weight_ih_l0": leaves["wx"].t(),
        "weight_hh_l0": leaves["wh"].t(),
        "bias_ih_l0": leaves["b"],
        "bias_hh_l0": leaves.get("bh", torch.zeros(gates * size)),
    }
    begin = leaves["h0"].unsqueeze(0)
    if gates == 4:
        begin = (begin, leaves["c0"].unsqueeze(0))
    states, _ = torch.func.functional_call(module, own, (leaves["x"], begin))
    return case((states**2).sum(), leaves, states=states)


def attention(additive, steps=3, others=4, lengths=(4, 2), nq=5, nk=6, inner=7):
    leaves = {"queries": rand(steps, 2, nq), "keys": rand(others, 2, nk)}
    q, k = leaves["queries"].transpose(0, 1), leaves["keys"].transpose(0, 1)
    if additive:
        leaves.update(wq=rand(nq, inner), wk=rand(nk, inner), v=rand(inner))
        both = (q @ leaves["wq"]).unsqueeze(2) + (k @ leaves["wk"]).unsqueeze(1)
        scores = torch.tanh(both) @ leaves["v"]
    else:
        leaves["w"] = rand(nq, nk)
        scores = torch.bmm(q @ leaves["w"], k.transpose(1, 2))
    beyond = torch.arange(others) >= torch.tensor(lengths).unsqueeze(1)
    weights = torch.softmax(scores.masked_fill(beyond.unsqueeze(1), float("-inf")), -1)
    context = torch.bmm(weights, k).transpose(0, 1)
    return case((context**2).sum() + (weights**3).sum(), leaves, context=context, weights=weights)


def conv(batch=3, length=6, inputs=4, filters=5, window=3):
    leaves = {"x": rand(batch, length, inputs), "w": rand(window * inputs, filters), "b": rand(filters)}
    weight = leaves["w"].view(window, inputs, filters).permute(2, 1, 0)
    found = F.relu(F.conv1d(leaves["x"].transpose(1, 2), weight, leaves["b"])).amax(2)
    return case((found**2).sum(), leaves, found=found)


def cross_entropy(rows=4, classes=7):
    leaves = {"logits": rand(rows, classes)}
    targets, weights = torch.tensor([3, 0, 6, 3]), torch.tensor([1.0, 0.5, 0.0, 2.0])
    losses = F.cross_entropy(leaves["logits"], targets, reduction="none")
    return case((losses * weights).sum() / weights.sum(), leaves)


def sampled(rows=4, classes=9, width=5):
    leaves = {"states": rand(rows, width), "table": rand(classes, width), "bias": rand(classes)}
    targets, negatives = torch.tensor([3, 0, 8, 3]), torch.tensor([1, 3, 5, 1, 0, 7])
    corrections = torch.rand(classes)
    logits = leaves["states"] @ leaves["table"].t() + leaves["bias"] - corrections
    twins = negatives.unsqueeze(0) == targets.unsqueeze(1)
    others = logits[:, negatives].masked_fill(twins, float("-inf"))
    own = logits.gather(1, targets.unsqueeze(1))
    loss = F.cross_entropy(torch.cat([others, own], 1), torch.full((rows,), len(negatives)))
    return case(loss, leaves, corrections=corrections)


def pinball(rows=4):
    leaves = {"predictions": rand(rows, 3)}
    targets, quantiles = rand(rows).detach(), torch.tensor([0.1, 0.5, 0.9])
    error = targets.unsqueeze(1) - leaves["predictions"]
    return case(torch.maximum(quantiles * error, (quantiles - 1) * error).mean(), leaves, targets=targets)


def optimiser(make, rows=None, clip=None, steps=5):
    """A vector moved along given gradients; with rows, a table of 4 by 3 of which each step touches some."""
    p = rand(12)
    gradients = [torch.rand(12) * 4 - 2 for _ in range(steps)]
    start = flat(p)
    if rows:
        table = torch.nn.Parameter(p.detach().view(4, 3).clone())
        moving = make([table])
        for gradient, touched in zip(gradients, rows):
            ids = torch.tensor(touched)
            table.grad = torch.sparse_coo_tensor(ids.unsqueeze(0), gradient.view(4, 3)[ids], (4, 3))
            moving.step()
        p = table
    else:
        moving = make([p])
        for gradient in gradients:
            p.grad = gradient.clone()
            if clip:
                torch.nn.utils.clip_grad_norm_([p], clip)
            moving.step()
    return {"start": start, "gradients": flat(torch.stack(gradients)), "end": flat(p)}


ROWS = [[0, 2], [2], [1, 2, 3], [0], [1, 3]]
print(
    json.dumps(
        {
            "torch": torch.__version__,
            "lstm": recurrent(torch.nn.LSTM, 4),
            "gru": recurrent(torch.nn.GRU, 3),
            "general": attention(False),
            "additive": attention(True),
            "conv": conv(),
            "cross_entropy": cross_entropy(),
            "sampled": sampled(),
            "pinball": pinball(),
            "adam": optimiser(lambda p: torch.optim.Adam(p, lr=0.1)),
            "adamw_clipped": optimiser(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.3), clip=1.5),
            "sparse_adam": optimiser(lambda p: torch.optim.SparseAdam(p, lr=0.1), rows=ROWS),
        },
        indent=0,
        separators=(",", ":"),
    )
    .replace(",\n", ",")
    .replace("[\n", "[")
    .replace("\n]", "]")
    .replace("],\"", "],\n\"")
    .replace("},\"", "},\n\"")
)
