"""The fit and the bootstrap of the laws bench in SciPy, for comparison.

Reads one JSON object from stdin: the columns "size", "tokens", "bits" and "qid", a "start", the rows
of every resample as "counts" (how often each row was drawn), and how many "runs" to time. Writes one
JSON object: SciPy's version, median times in milliseconds, the fitted parameters and those of every
resample.

The model is evaluated from logarithms taken once, with an analytic Jacobian, and a resample holds
each row once with its count for a weight. Of SciPy's interfaces, leastsq (MINPACK) is the fastest.
"""
import json
import statistics
import sys
import time

import numpy as np
import scipy
from scipy.optimize import leastsq

task = json.load(sys.stdin)
qid = np.array(task["qid"])
design = np.stack([np.log(task["tokens"]), -np.log(task["size"]), -np.log(task["bits"])])


def solve(design, qid, weights, start):
    roots = np.sqrt(weights)

    def residuals(theta):
        return roots * (theta[0] * np.exp(theta[1:] @ design) - qid)

    def jacobian(theta):
        product = roots * np.exp(theta[1:] @ design)
        return np.concatenate([product[None], theta[0] * product * design])

    return leastsq(residuals, start, Dfun=jacobian, col_deriv=True)[0]


def fit():
    return solve(design, qid, np.ones_like(qid), task["start"])


def bootstrap():
    refits = []
    for counts in resamples:
        rows = np.nonzero(counts)[0]
        refits.append(solve(design[:, rows], qid[rows], counts[rows], full))
    return refits


def timed(run):
    times = []
    run()
    for _ in range(task["runs"]):
        begin = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


full = fit()
resamples = np.array(task["counts"], dtype=float)
print(
    json.dumps(
        {
            "version": scipy.__version__,
            "fit": timed(fit),
            "bootstrap": timed(bootstrap),
            "parameters": list(full),
            "estimates": [list(theta) for theta in bootstrap()],
        }
    )
)
