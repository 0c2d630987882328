"""statsforecast and arch on the same series: CPU milliseconds of fit and forecast, the median of some runs per series.

Usage: peers.py TASKS RUNS. One JSON line per program and series: task, program, ms.
"""

import json
import sys
import time
import warnings

import numpy as np
from arch import arch_model
from statsforecast.models import ARIMA, AutoARIMA

warnings.filterwarnings("ignore")
runs = int(sys.argv[2])


def statsforecast(task):
    if task["season"] == 0:
        return None
    season = task["season"]
    if task["order"] is None:
        make = lambda: AutoARIMA(season_length=season)
    else:
        make = lambda: ARIMA(order=tuple(task["order"]), season_length=season, seasonal_order=tuple(task["seasonal"]), method="ML")
    return lambda values: make().forecast(y=values, h=task["horizon"], level=[80, 95])


def arch(task):
    if task["season"] != 0:
        return None

    def run(values):
        fitted = arch_model(values, mean="Constant", vol="GARCH", p=1, q=1).fit(disp="off")
        return fitted.forecast(horizon=task["horizon"], reindex=False)

    return run


warm = set()
for line in open(sys.argv[1]):
    task = json.loads(line)
    values = np.array(task["values"], dtype=float)
    for name, program in [("statsforecast", statsforecast(task)), ("arch", arch(task))]:
        if program is None:
            continue
        times, failed = [], None
        # Automatic orders take seconds: once is enough. The first call of each kind compiles and is not counted.
        repeats = 1 if task["order"] is None and task["season"] > 0 else runs
        try:
            if (name, task["task"]) not in warm:
                program(values)
                warm.add((name, task["task"]))
            for _ in range(repeats):
                start = time.process_time()
                program(values)
                times.append(1000 * (time.process_time() - start))
        except Exception as error:
            failed = str(error)
        ms = sorted(times)[len(times) // 2] if times and failed is None else None
        print(json.dumps(dict(task=task["task"], program=name, ms=ms, failed=failed)), flush=True)
