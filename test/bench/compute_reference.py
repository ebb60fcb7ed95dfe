"""Plain NumPy of what the kernels compute, for the compute bench.

Reads a list of tasks from stdin as JSON, each [kind, ...sizes]; writes the library and a list of
{milliseconds, check}, check being the root mean square of the result. The inputs are made as
compute.bench.ts makes them, to the bit.
"""
import json
import statistics
import sys
import time

import numpy as np


def bell(rows, columns, seed):
    """Sums of the four bytes of a hash of each index: nearly normal."""
    mask = 2**32 - 1
    x = np.arange(rows * columns, dtype=np.int64) + seed * 1000003
    for _ in range(2):
        x = (x ^ (x >> 16)) * 73244475 & mask
    x = x ^ (x >> 16)
    total = (x & 255) + (x >> 8 & 255) + (x >> 16 & 255) + (x >> 24) - 510
    return (total.astype(np.float32) / np.float32(128)).reshape(rows, columns)


def hessian(x):
    """2/n X^T X, summed in f32 as is usual, and a tenth of its mean diagonal on the diagonal."""
    h = (x.T @ x).astype(np.float64) * (2 / len(x))
    return h + 0.1 * h.trace() / len(h) * np.eye(len(h))


def inverse_factor(h):
    return np.linalg.cholesky(np.linalg.inv(h)).T


def symmetric_grid(w, maxq):
    scale = np.maximum(np.abs(w).max(axis=-1, keepdims=True), 1e-10) * np.float32(2 / maxq)
    return scale, np.float32((maxq + 1) / 2)


def rtn(w, scale, zero, maxq):
    return scale * (np.clip(np.round(w / scale) + zero, 0, maxq) - zero)


def gptq(w, u, group, maxq):
    """The column loop of GPTQ: blocks of 128, the rest updated after each block."""
    w, u = w.copy(), u.astype(np.float32)
    columns = w.shape[1]
    for start in range(0, columns, 128):
        end = min(start + 128, columns)
        part, inverse = w[:, start:end].copy(), u[start:end, start:end]
        errors = np.empty_like(part)
        for i in range(end - start):
            if (start + i) % group == 0:
                scale, zero = symmetric_grid(w[:, start + i:start + i + group], maxq)
            column = part[:, i:i + 1]
            rounded = rtn(column, scale, zero, maxq)
            error = (column - rounded) / inverse[i, i]
            part[:, i + 1:] -= error @ inverse[i:i + 1, i + 1:]
            part[:, i:i + 1] = rounded
            errors[:, i:i + 1] = error
        w[:, start:end] = part
        w[:, end:] -= errors @ u[start:end, end:]
    return w


NF4 = np.array([
    -1, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0,
    0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1,
], dtype=np.float32)


def nf4(w, width):
    groups = w.reshape(-1, width)
    scale = np.abs(groups).max(axis=1, keepdims=True)
    codes = np.searchsorted((NF4[1:] + NF4[:-1]) / 2, groups / scale).astype(np.uint8)
    return scale * NF4[codes]


def prepare(kind, sizes):
    """The run to time."""
    if kind == "gemm":
        form, m, n, k, kept = sizes
        dtype = np.float32 if kept == "f32" else np.float64
        a = bell(*((k, m) if form[0] == "T" else (m, k)), 1).astype(dtype)
        b = bell(*((n, k) if form[1] == "T" else (k, n)), 2).astype(dtype)
        a, b = a.T if form[0] == "T" else a, b.T if form[1] == "T" else b
        c = np.empty((m, n), dtype)
        return lambda: np.matmul(a, b, out=c)
    if kind == "hessian":
        x = bell(*sizes, 1)
        return lambda: hessian(x)
    if kind in ("cholesky", "inverse_factor"):
        n, = sizes
        h = hessian(bell(2 * n, n, 1))
        return lambda: (np.linalg.cholesky if kind == "cholesky" else inverse_factor)(h)
    if kind == "gptq":
        rows, columns, group, maxq = sizes
        w, u = bell(rows, columns, 2), inverse_factor(hessian(bell(2 * columns, columns, 1)))
        return lambda: gptq(w, u, group, maxq)
    rows, columns, width = sizes
    w = bell(rows, columns, 1)
    if kind == "nf4":
        return lambda: nf4(w, width)
    groups = w.reshape(-1, width)
    return lambda: rtn(groups, *symmetric_grid(groups, 15), 15)


def measure(kind, sizes):
    run = prepare(kind, sizes)
    result = run()
    times = []
    while len(times) < 3 or (sum(times) < 0.5 and len(times) < 200):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    check = float(np.sqrt(np.mean(np.square(result, dtype=np.float64))))
    return {"milliseconds": 1000 * statistics.median(times), "check": check}


answers = [measure(kind, sizes) for kind, *sizes in json.load(sys.stdin)]
json.dump({"library": f"NumPy {np.__version__}", "answers": answers}, sys.stdout)
