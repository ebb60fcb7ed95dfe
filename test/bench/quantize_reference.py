"""Plain readings of the quantization methods in PyTorch, or else NumPy, for the quantize bench.

Reads one JSON object from stdin: "rows", "columns", "tokens", "threads" and the "methods" to time;
writes one: the library, and for each method its median time in milliseconds and the mean squared
error of its weights; or null where neither library is installed. Weights and inputs are made as quantize.bench.ts makes them, to the bit.
"""
import json
import statistics
import sys
import time

task = json.load(sys.stdin)
try:
    import torch as xp

    xp.set_num_threads(task["threads"])
    library = f"PyTorch {xp.__version__.split('+')[0]}"
except ImportError:
    try:
        import numpy as xp
    except ImportError:
        print("null")
        sys.exit()
    library = f"NumPy {xp.__version__}"
torch = library.startswith("PyTorch")

if torch:
    cast, copy = lambda x, dtype: x.to(dtype), lambda x: x.clone()
    tensor = lambda values: xp.tensor(values, dtype=xp.float32)
else:
    cast, copy = lambda x, dtype: x.astype(dtype), lambda x: x.copy()
    tensor = lambda values: xp.array(values, dtype=xp.float32)


def bell(rows, columns, seed, unit):
    """Sums of the four bytes of a hash of each index: whole numbers, nearly normal, times unit."""
    mask = 2**32 - 1
    x = xp.arange(rows * columns, dtype=xp.int64) + seed * 1000003
    for _ in range(2):
        x = (x ^ (x >> 16)) * 73244475 & mask
    x = x ^ (x >> 16)
    total = (x & 255) + (x >> 8 & 255) + (x >> 16 & 255) + (x >> 24) - 510
    return (cast(total, xp.float32) * unit).reshape(rows, columns)


NF4 = [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1,
]
FP4 = [0, 0.0052083333, 0.16666667, 0.25, 0.33333333, 0.5, 0.66666667, 1]
E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6]


def both_signs(levels):
    return [-x for x in levels[:0:-1]] + levels


def largest(x):
    return xp.amax(xp.abs(x), 1)[:, None]


def nearest(x, scale, levels):
    levels = tensor(levels)
    codes = xp.searchsorted((levels[1:] + levels[:-1]) / 2, x / scale)
    return cast(codes, xp.uint8), scale * levels[codes]


def whole(x, scale, zero, top):
    codes = xp.clip(xp.round(x / scale) + zero, 0, top)
    return cast(codes, xp.uint8), scale * (codes - zero)


def copy_weights(w):
    target[:] = w
    return target


def rtn(w):
    x = w.reshape(-1, 128)
    codes, values = whole(x, 2 * largest(x) / 15, 8, 15)
    return values.reshape(w.shape)


def nf4(w):
    x = w.reshape(-1, 64)
    return nearest(x, largest(x), NF4)[1].reshape(w.shape)


def fp4(w):
    x = w.reshape(-1, 64)
    return nearest(x, largest(x), both_signs(FP4))[1].reshape(w.shape)


def mxint4(w):
    x = w.reshape(-1, 32)
    scale = 2.0 ** xp.floor(xp.log2(largest(x))) / 4
    codes = xp.clip(xp.round(x / scale), -7, 7)
    return (cast(codes, xp.int8) * scale).reshape(w.shape)


def mxfp4(w):
    x = w.reshape(-1, 32)
    scale = 2.0 ** (xp.floor(xp.log2(largest(x))) - 2)
    return nearest(x, scale, both_signs(E2M1))[1].reshape(w.shape)


def int8(w):
    scale = largest(w) / 127
    codes = cast(xp.round(w / scale), xp.int8)
    return codes * scale


def bitnet(w):
    scale = 1 / xp.mean(xp.abs(w))
    codes = cast(xp.clip(xp.round(w * scale), -1, 1), xp.int8)
    return codes / scale


def hqq(w):
    x = w.reshape(-1, 64)
    low, high = xp.amin(x, 1)[:, None], xp.amax(x, 1)[:, None]
    scale = 15 / (high - low)
    zero = xp.round(-low * scale)
    beta, best = 10.0, float("inf")
    for _ in range(20):
        codes = xp.clip(xp.round(x * scale + zero), 0, 15)
        error = x - (codes - zero) / scale
        size = xp.abs(error)
        # A size of 0 gives an infinite power, and then nothing.
        outliers = xp.sign(error) * xp.clip(size - (size + 1e-30) ** -0.3 / beta, 0, None)
        zero = xp.mean(codes - (x - outliers) * scale, 1)[:, None]
        beta *= 1.01
        if float(xp.mean(size)) >= best:
            break
        best = float(xp.mean(size))
    codes = xp.clip(xp.round(x * scale + zero), 0, 15)
    return ((codes - zero) / scale).reshape(w.shape)


def awq(w, x):
    columns = w.shape[1]
    size, output, best = xp.mean(xp.abs(x), 0), x @ w.T, float("inf")
    for step in range(20):
        scales = xp.clip(size ** (step / 20), 1e-4, None)
        scales = scales / (xp.amax(scales) * xp.amin(scales)) ** 0.5
        g = (w * scales).reshape(-1, 128)
        low, high = xp.amin(g, 1)[:, None], xp.amax(g, 1)[:, None]
        step_size = xp.clip(high - low, 1e-5, None) / 15
        zero = xp.clip(-xp.round(low / step_size), 0, 15)
        rounded = whole(g, step_size, zero, 15)[1].reshape(-1, columns) / scales
        loss = float(xp.mean((x @ rounded.T - output) ** 2))
        if loss < best:
            best, values = loss, rounded
    return values


def gptq_hessian(x):
    x = x * 2**0.5
    return x.T @ x


def gptq_factor(h):
    h = copy(h)
    n = h.shape[0]
    h[range(n), range(n)] += 0.1 * xp.diagonal(h).mean()
    if torch:
        inverse = xp.cholesky_inverse(xp.linalg.cholesky(h))
        return xp.linalg.cholesky(inverse, upper=True)
    return xp.linalg.cholesky(xp.linalg.inv(h)).T.copy()


def gptq_loop(w, u):
    w = copy(w)
    columns = w.shape[1]
    q = xp.zeros_like(w)
    for start in range(0, columns, 128):
        end = min(start + 128, columns)
        block = copy(w[:, start:end])
        errors = xp.zeros_like(block)
        scale = 2 * xp.amax(xp.abs(block), 1) / 15
        for i in range(end - start):
            column = block[:, i]
            q[:, start + i] = whole(column, scale, 8, 15)[1]
            error = (column - q[:, start + i]) / u[start + i, start + i]
            block[:, i:] -= error[:, None] * u[start + i, start + i : end]
            errors[:, i] = error
        w[:, end:] -= errors @ u[start:end, end:]
    return q


def median_time(function, *given):
    """Five runs after one to warm up, or the first alone when it takes more than 2 seconds."""
    times = []
    while len(times) < 6 and (not times or times[0] < 2000):
        start = time.perf_counter()
        result = function(*given)
        times.append((time.perf_counter() - start) * 1000)
    return result, statistics.median(times[1:] or times)


def run():
    weights = bell(task["rows"], task["columns"], 1, 2.0**-13)
    inputs = bell(task["tokens"], task["columns"], 2, 2.0**-7)
    global target
    target = xp.zeros_like(weights)
    results = {}
    for name in task["methods"]:
        method = globals()[name]
        if name == "gptq_hessian":
            hessian, milliseconds = median_time(method, inputs)
            results[name] = {"milliseconds": milliseconds}
        elif name == "gptq_factor":
            factor, milliseconds = median_time(method, hessian)
            results[name] = {"milliseconds": milliseconds}
        else:
            more = [factor] if name == "gptq_loop" else [inputs] if name == "awq" else []
            values, milliseconds = median_time(method, weights, *more)
            mse = float(xp.mean((weights - values) ** 2))
            results[name] = {"milliseconds": milliseconds, "mse": mse}
    return results


json.dump({"library": library, "methods": run()}, sys.stdout)
