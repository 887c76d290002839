"""How well a search is shared out: the time with 1 to 1,024 workers against the least that is possible.

    python tests/benchmarks/workers.py
    python tests/benchmarks/workers.py --epochs 27 --iterations 1 4 --workers 1 4 16

Nothing is trained: trials take the time of their records on a clock of their own (see simulated.py), while the study,
its oracle, the journal and the loop are those of a search. The bound is the larger of the work of all trials over the
workers and of the longest chain of trials that wait for one another: round after round of a bracket.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from typing import Any

from measure import in_own_process, machine, peak_memory, print_table

WORKERS = (1, 2, 4, 16, 64, 256, 1024)
EPOCHS = (27, 81, 243)
ITERATIONS = (1, 4, 20)


def measured(epochs: int, iterations: int, workers: int) -> list[Any]:
    """Runs a search.

    Args:
        epochs: Of a trial of Hyperband that is trained in full.
        iterations: Of Hyperband.
        workers: Trials at once.

    Returns:
        Its trials, hours by its clock, hours of the bound, their ratio, milliseconds of the driver for a trial, and
        megabytes of memory.
    """
    from simulated import SimulatedWorkers, made_tuner

    from search.config.tuner import TunerConfig

    executors: list[SimulatedWorkers] = []

    def executor(_: Any, report: Any) -> SimulatedWorkers:
        executors.append(SimulatedWorkers(workers, report))
        return executors[0]

    with tempfile.TemporaryDirectory() as folder:
        config = TunerConfig(name="hyperband", max_epochs=epochs, iterations=iterations)
        tuner, started = made_tuner(config, folder, executor=executor), time.monotonic()
        tuner.search(verbose=0)
        spent = time.monotonic() - started
    records, simulated = list(tuner.records.values()), executors[0]
    bound = max(simulated.busy / workers, _longest_chain(records, len(records) // iterations))
    hours = simulated.now / 3600
    return [len(records), hours, bound / 3600, bound / simulated.now, 1000 * spent / len(records), peak_memory()]


def _longest_chain(records: list[Any], trials: int) -> float:
    """The seconds of the longest trial of each round of a bracket, added up, of the slowest bracket."""
    longest: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for number, record in enumerate(records):
        rounds = longest[number // trials, record.bracket]
        rounds[record.round] = max(rounds[record.round], record.seconds)
    return max(sum(rounds.values()) for rounds in longest.values())


def main() -> None:
    """Prints a line for each search and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, nargs="+", default=EPOCHS)
    parser.add_argument("--iterations", type=int, nargs="+", default=ITERATIONS)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    arguments = parser.parse_args()
    print(machine())
    header = ["epochs", "iterations", "workers", "trials", "hours", "bound", "share of it", "ms a trial", "MB"]
    cases = [(e, i, w) for e in arguments.epochs for i in arguments.iterations for w in arguments.workers]
    print_table(header, [[*case, *in_own_process(measured, *case)] for case in cases])


if __name__ == "__main__":
    main()
