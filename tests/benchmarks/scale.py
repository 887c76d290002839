"""How the time and memory of a search over frozen trials grow with the rows of the table and with the trials.

    python tests/benchmarks/scale.py
    python tests/benchmarks/scale.py --rows 10000 1306122 --trials

Each line is a process of its own. For the rows, it reads a CSV of so many made-up texts, cleans and splits it, and
runs 5 trials of one epoch; for the trials, it runs so many of one epoch on 13,000 real texts. Texts are made up by
drawing words of real ones of the same class, so that their lengths, words and classes are like those.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from job import Job, prepared
from measure import disk, in_own_process, peak_memory, print_table
from texts import Source, write_resampled

from search.config.tuner import TunerConfig
from search.datasets import Splits

ROWS = (10_000, 100_000, 1_306_122)
TRIALS = (20, 200, 1000)
_TRIALS_FOR_ROWS = 5
_ROWS_FOR_TRIALS = 13_000
_VALID_FOR_TRIALS = 1_300
_VALID_SHARE = 0.1
_SEED = 1


@dataclass(frozen=True)
class Point:
    """What one process took."""

    train: int
    trials: int
    read: float
    """Seconds to read, clean and split the table."""
    start: float
    """Seconds to import TensorFlow and the rest."""
    features: float
    """Seconds to load the module and pass the texts through it."""
    search: float
    """Seconds of the rest, to the end of the last trial."""
    memory: float
    disk: float
    cache: float
    """Size of the features on disk."""

    def row(self, asked: int) -> list[Any]:
        """The point as a line of the table."""
        times = self.read, self.start, self.features, self.search, 1000 * self.search / self.trials
        return [asked, self.train, self.trials, *times, self.memory, self.disk, self.cache]


HEADER = [
    *("asked for", "texts trained on", "trials"),
    *("read s", "start s", "features s", "trials s", "a trial ms", "peak memory MB", "disk MB", "features MB"),
]


def main() -> None:
    """Runs the benchmark that the command line describes."""
    arguments = _arguments()
    with prepared(arguments, _ROWS_FOR_TRIALS, _VALID_FOR_TRIALS, max_epochs=1, seed=_SEED) as job:
        if arguments.rows:
            table = job.folder / "texts.csv"
            points = []
            for rows in arguments.rows:
                made = in_own_process(write_resampled, job.source, rows, table, _SEED)
                points.append(_run(replace(job, source=made, max_trials=_TRIALS_FOR_ROWS), whole_table=True).row(rows))
            print(f"\nRows, {_TRIALS_FOR_ROWS} trials of one epoch:")
            print_table(HEADER, points)
        if arguments.trials:
            points = [_run(replace(job, max_trials=n), whole_table=False).row(n) for n in arguments.trials]
            print(f"\nTrials of one epoch, {_ROWS_FOR_TRIALS:,} rows:")
            print_table(HEADER, points)


def measure(job: Job, whole_table: bool) -> Point:
    """Reads the data and runs the trials in this process."""
    started = time.monotonic()
    splits: Splits = job.source.splits(None, _VALID_SHARE, job.data_seed) if whole_table else job.splits()
    read = time.monotonic()
    from ours import run_search

    from search.utils.device import configure

    configure("auto", mixed_precision=False)
    ready = time.monotonic()
    # Random search is the oracle that proposes any number of trials of one epoch.
    config = TunerConfig(name="random", max_epochs=1, max_trials=job.max_trials)
    tuner, features = run_search(job, splits, config)
    ended = time.monotonic()
    cached = disk(job.cache)
    return Point(
        train=len(splits.train),
        trials=len(tuner.records),
        read=read - started,
        start=ready - read,
        features=features,
        search=ended - ready - features,
        memory=peak_memory(),
        disk=disk(job.folder) - cached,
        cache=cached,
    )


def _run(job: Job, whole_table: bool) -> Point:
    with tempfile.TemporaryDirectory(dir=job.folder) as folder:
        job = replace(job, folder=Path(folder), cache=Path(folder) / "features")
        point: Point = in_own_process(measure, job, whole_table)
    print(f"  {point.train:,} texts, {point.trials:,} trials: {point.features + point.search:.1f} s", flush=True)
    return point


def _arguments() -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--trials", type=int, nargs="*", default=TRIALS)
    parser.add_argument("--module", default="glove-50", help="glove-50, slow-encoder (2.5 ms a text) or a folder")
    parser.add_argument("--batch", type=int, default=512)
    Source.add_arguments(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
