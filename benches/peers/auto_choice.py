#!/usr/bin/env python3
"""How good the choice of `plimsoll forecast --auto` is: its error over that of the best single model, known only afterwards.

    cargo build --locked --release && python3 benches/peers/auto_choice.py [SERIES.tsv]

Series: the two backtests of tests/reference/forecast and the traces in traces/. A file of further ones may be given, one a line,
separated by tabs: name, trace, step, horizon, and arguments of `plimsoll forecast` that it needs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = [
    "naive",
    "seasonal-naive",
    "ets: {seasonal: false}",
    "holt-winters",
    "regression",
    "arima: {seasonal: false}",
    "mstl: {rest: ets}",
    "fourier-arima",
]
TRACES = [
    ("shop-peak", "traces/shop-peak.csv.gz", "15m", "1h", []),
    ("game-event", "traces/game-event.csv.gz", "10m", "1h", []),
    ("game-evening", "traces/game-evening.csv.gz", "5m", "30m", []),
    ("fraud-burst", "traces/fraud-burst.csv.gz", "1h", "3h", []),
    ("llm-chat", "traces/llm-chat.csv.gz", "1m", "10m", []),
]


def references(folder):
    """The backtests' series as counts over time."""
    for name in ("nasa_http_5min", "nab_elb_5min"):
        series = json.loads((ROOT / f"tests/reference/forecast/backtest_{name}.json").read_text())["series"]
        path = Path(folder) / f"{name}.csv"
        rows = "".join(f"{300 * index},{value}\n" for index, value in enumerate(series) if value is not None)
        path.write_text("time,count\n" + rows)
        columns = ["--time", "time", "--count", "count", "--interval", "5m", "--train", "7d"]
        yield name, str(path), "5m", "1h", columns


def forecast(trace, step, horizon, further, what):
    command = [ROOT / "target/release/plimsoll", "forecast", trace, "--step", step, "--horizon", horizon]
    done = subprocess.run([*command, *further, *what, "--format", "json"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["models"]


def pinball(model):
    losses = [loss for loss in model["pinball_percent"] if loss is not None]
    return sum(losses) / len(losses)


def main():
    further = []
    for line in Path(sys.argv[1]).read_text().splitlines() if len(sys.argv) > 1 else []:
        name, trace, step, horizon, *arguments = line.split("\t")
        further.append((name, trace, step, horizon, arguments))
    print("| series | best model | its WAPE | auto's WAPE | ratio | pinball ratio | auto's choice in the end |")
    print("|---|---|---:|---:|---:|---:|---|")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for name, trace, step, horizon, arguments in [*references(folder), *TRACES, *further]:
            models = [argument for model in MODELS for argument in ("--model", model)]
            named = forecast(trace, step, horizon, arguments, models)
            [auto] = forecast(trace, step, horizon, arguments, ["--auto"])
            best = min(named, key=lambda model: model["wape_percent"])
            ratio = auto["wape_percent"] / best["wape_percent"]
            ratios.append(ratio)
            sharpness = pinball(auto) / min(map(pinball, named))
            figures = f"{best['wape_percent']:.2f} | {auto['wape_percent']:.2f} | {ratio:.3f} | {sharpness:.3f}"
            print(f"| {name} | {best['model']} | {figures} | {auto['description']} |", flush=True)
    for within in (1.0, 1.02, 1.05, 1.1):
        print(f"within {100 * (within - 1):.0f}% of the best: {sum(r <= within + 1e-9 for r in ratios)} of {len(ratios)}")


if __name__ == "__main__":
    main()
