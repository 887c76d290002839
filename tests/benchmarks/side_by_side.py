"""The gain of a second worker: the times of a search with one worker, with two, and of two copies of it at once.

    python tests/benchmarks/side_by_side.py
    python tests/benchmarks/side_by_side.py --fine-tuned ../data/disaster/train.csv

Two copies of the search with one worker, run at once, say what two processes of the machine can give at most. Each
trial computes with one thread. The share is what two workers reach of that, for the whole command and for its trials
(to the end of the last one, the start of the workers included).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from measure import machine, print_table

PACKAGED = ["dataset=tweets", "space.modules=[glove-50]"]
FINE_TUNED = [
    *("dataset=disaster", "space.modules=[glove-50,lstm]", "space.trainable=[true]", "space.wide=[none]"),
    *("tuner.max_epochs=9", "tuner.iterations=2"),
]


def main() -> None:
    """Prints the table of a search: the packaged one, or fine-tuned trials."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fine-tuned", type=Path, help="disaster's train.csv: 46 trials on 3,000 rows")
    parser.add_argument("--also", nargs="*", default=[], help="further settings of the search")
    given = parser.parse_args()
    print(machine())
    header = ["of it", "1 worker s", "2 workers s", "two copies s", "faster", "at most", "share"]
    with tempfile.TemporaryDirectory() as folder:
        settings = PACKAGED
        if given.fine_tuned is not None:
            table = Path(folder, "rows.csv")
            pd.read_csv(given.fine_tuned, nrows=3000).to_csv(table, index=False)
            settings = [*FINE_TUNED, f"dataset.path={table}"]
        print_table(header, _rows([*settings, *given.also], Path(folder)))


def _rows(settings: Sequence[str], folder: Path) -> list[list[Any]]:
    """The lines of a search: the whole command, and its trials."""
    _run([*settings, "tuner.max_trials=1"], 1, [folder / "before"])  # fetches modules, computes features
    one = _run(settings, 1, [folder / "one"])
    two = _run(settings, 2, [folder / "two"])
    copies = _run(settings, 1, [folder / "first", folder / "second"])
    return [[part, one[part], two[part], copies[part], *_gains(one[part], two[part], copies[part])] for part in one]


def _gains(one: float, two: float, copies: float) -> tuple[str, str, str]:
    faster, most = one / two, 2 * one / copies
    return f"{faster:.2f}", f"{most:.2f}", f"{faster / most:.2f}"


def _run(settings: Sequence[str], workers: int, folders: Sequence[Path]) -> dict[str, float]:
    """Runs a search in each folder, all at once; gives the seconds of the slowest."""
    told = [*settings, f"parallel.workers={workers}", "parallel.cpus_per_trial=1"]
    started = time.monotonic()
    running = [
        subprocess.Popen([sys.executable, "-m", "search", *told, f"hydra.run.dir={folder}"], stdout=subprocess.DEVNULL)
        for folder in folders
    ]
    for process in running:
        if process.wait() != 0:
            raise SystemExit(f"python -m search {' '.join(told)} failed with {process.returncode}")
    whole = time.monotonic() - started
    trials = max(json.loads((folder / "summary.json").read_text())["seconds"]["search"] for folder in folders)
    print(f"  {', '.join(folder.name for folder in folders)}: {whole:.1f} s, trials {trials:.1f} s", flush=True)
    return {"whole command": whole, "trials": trials}


if __name__ == "__main__":
    main()
