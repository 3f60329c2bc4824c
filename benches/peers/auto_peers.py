#!/usr/bin/env python3
"""How good `plimsoll forecast --auto` is beside the methods of statsforecast, from the same origins of the same series.

    python3 -m venv peers && peers/bin/pip install statsforecast statsmodels
    cargo build --locked --release && peers/bin/python benches/peers/auto_peers.py [SERIES.json]

Series: the classical ones that statsmodels ships, AirPassengers and NASA's log by the hour from tests/reference/forecast. A file of
further ones may be given: {name: {values, seasons, train, horizon, every}}, lengths in steps, null for what is missing. Each method is
fitted to the last `train` values before each origin, everything anew. WAPE in percent, mean pinball loss at 5, 10, 50, 90 and 95% in
percent of the values, shares of values in the intervals of 80 and 90%, processor seconds of a fit (of ours, of all it takes).
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def series():
    import statsmodels.api as sm

    def of(values, seasons, train, horizon, every):
        values = [None if v is None or not math.isfinite(v) else float(v) for v in values]
        return {"values": values, "seasons": seasons, "train": train, "horizon": horizon, "every": every}

    def reference(case):
        return json.loads((ROOT / f"tests/reference/forecast/{case}.json").read_text())["series"]["values"]

    datasets = sm.datasets
    yield "nile", of(datasets.nile.load_pandas().data["volume"], [], 60, 5, 1)
    air = np.exp(reference("arima_airpassengers_log_airline")).round()
    yield "airpassengers", of(air, [12], 96, 12, 1)
    yield "sunspots", of(datasets.sunspots.load_pandas().data["SUNACTIVITY"], [], 150, 6, 5)
    co2 = datasets.co2.load_pandas().data["co2"].resample("MS").mean().interpolate()
    yield "co2m", of(co2, [12], 240, 12, 12)
    yield "elnino", of(datasets.elnino.load_pandas().data.iloc[:, 1:].values.ravel(), [12], 360, 12, 17)
    hourly = reference("arima_nasa_http_hourly_sarima")
    yield "nasa_hourly", of(hourly, [24], 336, 12, 11)
    yield "nasa_hourly_week", of(hourly, [24, 168], 504, 12, 7)


def peers(case):
    from statsforecast.models import MSTL, AutoARIMA, AutoETS, AutoTheta, Naive, SeasonalNaive

    seasons = case["seasons"]
    found = {"Naive": Naive, "AutoETS": AutoETS, "AutoARIMA": AutoARIMA}
    for season in seasons:
        found[f"SeasonalNaive-{season}"] = lambda season=season: SeasonalNaive(season_length=season)
    if seasons:
        found["MSTL+AutoARIMA"] = lambda: MSTL(season_length=seasons, trend_forecaster=AutoARIMA())
        found["MSTL+AutoETS"] = lambda: MSTL(season_length=seasons, trend_forecaster=AutoETS(model="ZZN"))
        if seasons[0] <= 24:
            found["AutoTheta"] = lambda: AutoTheta(season_length=seasons[0])
        if seasons[0] <= 12:
            found["AutoETS-seasonal"] = lambda: AutoETS(season_length=seasons[0])
        if seasons[0] <= 12 and case["train"] <= 240:
            found["AutoARIMA-seasonal"] = lambda: AutoARIMA(season_length=seasons[0])
    return found


def judged(make, case, origins):
    values = np.array([np.nan if v is None else v for v in case["values"]])
    known = np.isfinite(values)
    filled = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    error = total = loss = 0.0
    inside, count, started = [0, 0], 0, time.process_time()
    for origin in origins:
        told = make().forecast(y=filled[origin - case["train"] : origin], h=case["horizon"], level=[80, 90])
        came = values[origin : origin + case["horizon"]]
        there = np.isfinite(came)
        rows = [told["lo-90"], told["lo-80"], told["mean"], told["hi-80"], told["hi-90"]]
        rows = [np.maximum(row, 0)[there] for row in rows]
        came = came[there]
        error += np.abs(came - rows[2]).sum()
        total += came.sum()
        count += len(came)
        for level, row in zip(LEVELS, rows):
            loss += np.maximum(level * (came - row), (level - 1) * (came - row)).sum() / len(LEVELS)
        inside[0] += ((came >= rows[1]) & (came <= rows[3])).sum()
        inside[1] += ((came >= rows[0]) & (came <= rows[4])).sum()
    seconds = (time.process_time() - started) / len(origins)
    shares = [100 * share / count for share in inside]
    return {"wape": 100 * error / total, "pinball": 100 * loss / total, "inside": shares, "seconds": seconds}


def ours(case, folder):
    path = Path(folder) / "series.csv"
    # Requests are whole: as many a step as keep four digits.
    factor = 10.0 ** max(0, 4 - math.ceil(math.log10(max(v for v in case["values"] if v is not None))))
    rows = (f"{86400 * t},{v * factor}\n" for t, v in enumerate(case["values"]) if v is not None)
    path.write_text("time,count\n" + "".join(rows))
    days = {name: f"{case[name]}d" for name in ("train", "horizon", "every")}
    command = [ROOT / "target/release/plimsoll", "forecast", path, "--time", "time", "--count", "count", "--interval", "1d"]
    command += ["--step", "1d", "--gaps", "missing", "--format", "json", "--auto"]
    command += [part for name, days in days.items() for part in (f"--{name}", days)]
    command += [part for season in case["seasons"] or ["none"] for part in ("--season", f"{season}d" if season != "none" else season)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    told = json.loads(done.stdout)
    [model] = told["models"]
    inside = [100 * model["in_interval_80_share"], 100 * model["in_interval_90_share"]]
    losses = model["pinball_percent"]
    return {
        "wape": model["wape_percent"],
        "pinball": sum(losses) / len(losses),
        "inside": inside,
        "seconds": seconds / told["origins"],
    }


def main():
    further = json.loads(Path(sys.argv[1]).read_text()).items() if len(sys.argv) > 1 else []
    print("| series (steps ahead) | best peer | its WAPE | auto | ratio | best pinball loss | auto | ratio | auto in 80/90% | CPU s a fit: auto, peer |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, case in [*series(), *further]:
            origins = range(case["train"], len(case["values"]) - case["horizon"] + 1, case["every"])
            found = {peer: judged(make, case, origins) for peer, make in peers(case).items()}
            own = ours(case, folder)
            best = min(found, key=lambda peer: found[peer]["wape"])
            sharpest = min(found, key=lambda peer: found[peer]["pinball"])
            cells = [f"{name} ({case['horizon']})", best]
            for measure, peer in (("wape", best), ("pinball", sharpest)):
                theirs, mine = found[peer][measure], own[measure]
                cells += [f"{theirs:.3g}", f"{mine:.3g}", f"{mine / theirs:.2f}"]
            cells += ["/".join(f"{share:.0f}" for share in own["inside"])]
            cells += [f"{own['seconds']:.3f}, {found[best]['seconds']:.3f}"]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
