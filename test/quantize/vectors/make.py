"""Writes methods.json: what a plain PyTorch reading of each method gives on small layers.

Written from the formulas, independently of the TypeScript: float32 throughout, except that the
Hessian and its factors are float64. Run: python make.py (needs torch). The tests do not need it.
"""
import json
import pathlib

import torch

torch.set_num_threads(1)


def numbers(seed, count):
    """A linear congruential generator: 16-bit fractions from -0.5 to 0.5, the same in any language."""
    state = seed
    values = []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values.append((state // 256 % 65536) / 65536 - 0.5)
    return values


def layer(rows, columns, tokens, seed, dead=()):
    weights = torch.tensor(numbers(seed, rows * columns)).reshape(rows, columns)
    inputs = torch.tensor(numbers(seed + 1, tokens * columns)).reshape(tokens, columns)
    for j in range(1, columns):  # neighbours are correlated
        inputs[:, j] += 0.5 * inputs[:, j - 1]
    for j in range(columns):  # and columns differ in size
        inputs[:, j] *= 1 + j * 7 % 5
    for j in dead:
        inputs[:, j] = 0
    return weights, inputs, 2 * inputs.double().T @ inputs.double()


def find(x, bits, symmetric):
    zero = torch.zeros(x.shape[0])
    low, high = torch.minimum(x.amin(1), zero), torch.maximum(x.amax(1), zero)
    if symmetric:
        high = torch.maximum(-low, high)
        low = torch.where(low < 0, -high, low)
    empty = (low == 0) & (high == 0)
    low[empty], high[empty] = -1, 1
    scale = (high - low) / (2**bits - 1)
    middle = torch.full_like(scale, 2 ** (bits - 1))
    return scale, middle if symmetric else torch.round(-low / scale)


def to_codes(w, scale, zero, bits):
    return torch.clamp(torch.round(w / scale) + zero, 0, 2**bits - 1)


def rtn(weights, bits, symmetric, group):
    x = weights.reshape(-1, group)
    scale, zero = (v[:, None] for v in find(x, bits, symmetric))
    codes = to_codes(x, scale, zero, bits)
    return (v.reshape(weights.shape) for v in (codes, scale * (codes - zero)))


def gptq(weights, hessian, bits, symmetric, group, damping, order, static, block):
    work, h = weights.clone(), hessian.clone()
    columns = work.shape[1]
    width = columns if group == "row" else group
    scale, zero = find(work, bits, symmetric)
    dead = h.diagonal() == 0
    h[dead, dead] = 1
    work[:, dead] = 0
    fixed = [find(work[:, i : i + width], bits, symmetric) for i in range(0, columns, width)]
    permutation = torch.arange(columns)
    if order:
        permutation = torch.argsort(h.diagonal(), descending=True, stable=True)
        work, h = work[:, permutation], h[permutation][:, permutation]
    h += damping * h.diagonal().mean() * torch.eye(columns)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(h))
    u = torch.linalg.cholesky(inverse, upper=True).float()
    codes, values = torch.zeros_like(work), torch.zeros_like(work)
    for start in range(0, columns, block):
        end = min(start + block, columns)
        current = work[:, start:end].clone()
        errors = torch.zeros_like(current)
        for i in range(start, end):
            w = current[:, i - start]
            if static:
                scale, zero = fixed[int(permutation[i]) // width]
            elif group != "row" and i % width == 0:
                scale, zero = find(work[:, i : i + width], bits, symmetric)
            codes[:, i] = to_codes(w, scale, zero, bits)
            values[:, i] = scale * (codes[:, i] - zero)
            error = (w - values[:, i]) / u[i, i]
            current[:, i - start :] -= error[:, None] * u[i, i:end]
            errors[:, i - start] = error
        work[:, end:] -= errors @ u[start:end, end:]
    back = torch.argsort(permutation)
    return codes[:, back], values[:, back]


def awq_round(w, bits, group):
    x = w.reshape(-1, group)
    low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)
    top = 2**bits - 1
    scale = (high - low).clamp(min=1e-5) / top
    zero = (-torch.round(low / scale)).clamp(0, top)
    codes = torch.clamp(torch.round(x / scale) + zero, 0, top)
    return codes.reshape(w.shape), ((codes - zero) * scale).reshape(w.shape)


def awq(weights, inputs, bits, group, duo):
    rows, columns = weights.shape
    groups = columns // group
    output = inputs.double() @ weights.T.double()
    size = inputs.abs().mean(0)
    x = weights.reshape(-1, group).abs()
    share = (x / (x.amax(1, keepdim=True) + 1e-6)).reshape(rows, columns).mean(0)
    losses, candidates = [], []
    for step in range(20):
        ratio = step / 20
        scales = size**ratio
        if duo:
            scales = scales / (share ** (1 - ratio) + 1e-4)
        scales = scales.clamp(min=1e-4)
        scales = scales / (scales.max() * scales.min()).sqrt()
        rounded = awq_round(weights * scales, bits, group)[1] / scales
        losses.append(((inputs.double() @ rounded.T.double() - output) ** 2).mean().item())
        candidates.append(scales)
    best = min(range(20), key=losses.__getitem__)
    scales = candidates[best]
    w = (weights * scales).reshape(rows, groups, group)
    few = (inputs / scales)[:: max(len(inputs) // 512, 1)].reshape(-1, groups, group).double()
    full = w.abs().amax(-1, keepdim=True)
    limit, least = full.clone(), torch.full_like(full, float("inf")).double()
    for step in range(10):
        most = full * (1 - step / 20)
        clipped = torch.clamp(w, -most, most)
        rounded = awq_round(clipped.reshape(rows, columns), bits, group)[1].reshape(w.shape)
        change = torch.einsum("tgk,rgk->rtg", few, (rounded - w).double())
        error = (change**2).mean(1)[..., None]
        better = error < least
        least[better], limit[better] = error[better], most[better]
    clipped = torch.clamp(w, -limit, limit).reshape(rows, columns)
    codes, rounded = awq_round(clipped, bits, group)
    return {"ratio": best / 20, "losses": losses}, codes, rounded / scales


def hqq(weights, bits, group):
    w = weights.reshape(-1, group)
    top = 2**bits - 1
    low, high = w.amin(1, keepdim=True), w.amax(1, keepdim=True)
    scale = (top / (high - low)).clamp(max=2e4)
    zero = -low * scale
    if bits == 4:
        zero = torch.round(zero)
    beta, best, steps = 10.0, float("inf"), 0
    while steps < 20:
        steps += 1
        codes = torch.round(w * scale + zero).clamp(0, top)
        error = w - (codes - zero) / scale
        size = error.abs()
        outliers = torch.sign(error) * torch.relu(size - size ** (0.7 - 1) / beta)
        zero = (codes - (w - outliers) * scale).mean(1, keepdim=True)
        beta *= 1.01
        if float(size.mean()) >= best:
            break
        best = float(size.mean())
    codes = torch.round(w * scale + zero).clamp(0, top)
    values = (codes - zero) / scale
    return {"steps": steps}, codes.reshape(weights.shape), values.reshape(weights.shape)


def record(shape, spec, weights, codes, values, hessian=None, **more):
    error = (weights - values).double()
    result = {"layer": shape, "spec": spec, **more}
    result["codes"] = ["".join(f"{int(v):02x}" for v in row) for row in codes]
    result["mse"] = (error**2).mean().item()
    if hessian is not None:
        result["trace"] = ((error @ hessian) * error).sum().item()
    return result


def text(value):
    return str(value).lower() if isinstance(value, bool) else value


results = []
for bits in range(1, 9):
    for symmetric in (False, True):
        shape = dict(rows=3, columns=16, tokens=1, seed=20 + bits, dead=[])
        weights = layer(**shape)[0]
        spec = f"rtn:bits={bits},group=8,symmetric={text(symmetric)}"
        results.append(record(shape, spec, weights, *rtn(weights, bits, symmetric, 8)))

common = dict(rows=4, columns=24, tokens=64, dead=[])
plain = dict(bits=4, symmetric=False, group="row", damping=0.01, order=False, static=False, block=128)
for seed, dead, changes in [
    (1, [], {}),
    (2, [], dict(bits=3, symmetric=True, group=8, damping=0.1, block=8)),
    (3, [], dict(bits=2, symmetric=True, group=4, damping=0.1, block=12)),  # stale groups
    (4, [], dict(bits=3, group=8, order=True, block=8)),
    (5, [], dict(bits=3, group=8, order=True, static=True, block=8)),
    (6, [], dict(bits=3, group=8, static=True, block=12)),
    (7, [3, 17], dict(symmetric=True, order=True)),
    (8, [3, 17], dict(group=4, static=True)),
]:
    shape = {**common, "seed": seed, "dead": dead}
    options = {**plain, **changes}
    weights, _, hessian = layer(**shape)
    codes, values = gptq(weights, hessian, **options)
    spec = "gptq:" + ",".join(f"{k}={text(v)}" for k, v in options.items())
    results.append(record(shape, spec, weights, codes, values, hessian))

shape = dict(rows=6, columns=32, tokens=40, seed=11, dead=[])
for bits, group, duo in [(4, 8, False), (3, 16, True)]:
    weights, inputs, hessian = layer(**shape)
    more, codes, values = awq(weights, inputs, bits, group, duo)
    spec = f"awq:bits={bits},group={group},duo={text(duo)}"
    results.append(record(shape, spec, weights, codes, values, hessian, **more))

for bits, group, times in [(4, 16, 1), (2, 32, 4), (3, 64, 1)]:
    shape = dict(rows=6, columns=64, tokens=1, seed=12, dead=[])
    weights = layer(**shape)[0] * times  # at 4 times, errors are large enough to be shrunk
    more, codes, values = hqq(weights, bits, group)
    spec = f"hqq:bits={bits},group={group}"
    results.append(record({**shape, "times": times}, spec, weights, codes, values, **more))

note = f"Made by make.py with PyTorch {torch.__version__}; codes in hexadecimal, two digits each"
path = pathlib.Path(__file__).with_name("methods.json")
path.write_text(json.dumps({"note": note, "vectors": results}, indent=1) + "\n")
