#!/usr/bin/env python3
"""Fits of the reference series, by Plimsoll and by its Python peers, in one run.

    python3 -m venv peers && peers/bin/pip install statsforecast statsmodels pmdarima
    peers/bin/python benches/peers/forecast_peers.py

Every row is the same model of the same series (tests/reference/forecast): processor time of one fit, the median of several after
one that warms up, and the log-likelihood that was reached, on the scale of the differenced series. `cargo bench --locked
--bench forecast` runs before and after the peers, so that a machine that slows down is seen. Further arguments go to `cargo bench`.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

# One thread each: processor time of one fit, not of the machine.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    "arima_wwwusage_111",
    "arima_airpassengers_log_airline",
    "arima_presidents_300_mean_missing",
    "arima_nab_elb_30min_log",
    "arima_nasa_http_hourly_sarima",
]
UNITS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def read(case):
    data = json.loads((ROOT / "tests/reference/forecast" / f"{case}.json").read_text())
    values = [float("nan") if v is None else float(v) for v in data["series"]["values"]]
    spec = data["spec"]
    return values, spec, data


def plimsoll(extra):
    """Median seconds per fit of each case, from the benchmark's own table."""
    command = ["cargo", "bench", "--locked", *extra, "--bench", "forecast", "--", "fit"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        case = next((case for case in CASES if case in line), None)
        times = re.findall(r"([\d.]+) (ns|µs|us|ms|s)\b", line)
        if case and len(times) >= 3 and case not in found:
            number, unit = times[2]
            found[case] = float(number) * UNITS[unit]
    return found


def timed(fit, most=7):
    """Median processor seconds of a fit, and what the last one returned; the first is not counted."""
    result = fit()
    seconds = []
    while len(seconds) < most and sum(seconds) < 10:
        start = time.process_time()
        result = fit()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), result


def statsmodels(values, spec):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    order = (spec["p"], spec["d"], spec["q"])
    seasonal = (spec["P"], spec["D"], spec["Q"], spec["s"] if spec["P"] + spec["D"] + spec["Q"] else 0)
    trend = "c" if spec["constant"] != "none" else None

    def fit():
        model = SARIMAX(values, order=order, seasonal_order=seasonal, trend=trend, simple_differencing=True)
        return model.fit(disp=0, maxiter=500)

    seconds, fitted = timed(fit)
    return seconds, fitted.llf


def statsforecast(values, spec):
    import numpy
    from statsforecast.arima import arima

    series = numpy.array(values)
    seasonal = {"order": (spec["P"], spec["D"], spec["Q"]), "period": max(spec["s"], 1)}

    def fit():
        constant = spec["constant"] != "none" and spec["d"] + spec["D"] == 0
        return arima(series, order=(spec["p"], spec["d"], spec["q"]), seasonal=seasonal, include_mean=constant)

    seconds, fitted = timed(fit)
    return seconds, fitted["loglik"]


def pmdarima(values, spec):
    import pmdarima as pm

    seasonal = (spec["P"], spec["D"], spec["Q"], spec["s"] if spec["P"] + spec["D"] + spec["Q"] else 0)

    def fit():
        model = pm.ARIMA(
            order=(spec["p"], spec["d"], spec["q"]),
            seasonal_order=seasonal,
            with_intercept=spec["constant"] != "none",
            suppress_warnings=True,
            simple_differencing=True,
        )
        return model.fit(values)

    seconds, fitted = timed(fit)
    return seconds, fitted.arima_res_.llf


def main():
    warnings.simplefilter("ignore")
    extra = sys.argv[1:]
    before = plimsoll(extra)
    peers = {"statsforecast": statsforecast, "statsmodels": statsmodels, "pmdarima": pmdarima}
    rows = {}
    for case in CASES:
        values, spec, _ = read(case)
        for name, peer in peers.items():
            try:
                rows[case, name] = peer(values, spec)
            except Exception as error:  # a peer that refuses a series is a result, too
                rows[case, name] = (None, type(error).__name__)
    after = plimsoll(extra)
    print("| fit | Plimsoll, ms | " + " | ".join(f"{name}, ms (log-likelihood)" for name in peers) + " |")
    print("|---|---:|" + "---:|" * len(peers))
    for case in CASES:
        reference = read(case)[2]
        reached = reference["reference"]["loglik"]
        own = min(before[case], after[case])
        cells = []
        for name in peers:
            seconds, loglik = rows[case, name]
            cells.append(f"fails ({loglik})" if seconds is None else f"{1e3 * seconds:.2f} ({loglik:.2f})")
        said = f" ({reached:.2f})"
        print(f"| {case.removeprefix('arima_')} | {1e3 * own:.2f}{said} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
