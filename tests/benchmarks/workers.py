"""How well a search is shared out: the time with 1 to 1,024 workers against the least that is possible.

    python tests/benchmarks/workers.py
    python tests/benchmarks/workers.py --tuners asha --epochs 27 --iterations 1 4 --workers 1 4 16

Nothing is trained: trials take the time of their records on a clock of their own (see simulated.py), while the study,
its oracle, the journal and the loop are those of a search. The bound is the larger of the work of all trials over the
workers and of the longest chain of trials that wait for one another: round after round of a bracket of Hyperband, and
with ASHA, which gets as many trials, one promotion after another.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from itertools import product
from typing import Any

from measure import in_own_process, machine, peak_memory, print_table

TUNERS = ("hyperband", "asha")
WORKERS = (1, 2, 4, 16, 64, 256, 1024)
EPOCHS = (27, 81, 243)
ITERATIONS = (1, 4, 20)


def measured(tuner_name: str, epochs: int, iterations: int, workers: int) -> list[Any]:
    """Runs a search.

    Args:
        tuner_name: hyperband or asha.
        epochs: Of a trial of Hyperband that is trained in full.
        iterations: Of Hyperband.
        workers: Trials at once.

    Returns:
        Its trials, hours by its clock, hours of the bound, their ratio, the driver's processor time a trial in ms, and
        megabytes of memory.
    """
    from simulated import SimulatedWorkers, made_tuner

    from search.config.tuner import TunerConfig
    from search.tuning.oracles.schedule import brackets, total_trials

    executors: list[SimulatedWorkers] = []

    def executor(_: Any, report: Any) -> SimulatedWorkers:
        executors.append(SimulatedWorkers(workers, report))
        return executors[0]

    with tempfile.TemporaryDirectory() as folder:
        trials = total_trials(brackets(epochs, factor=3)) * iterations
        config = TunerConfig(name=tuner_name, max_epochs=epochs, iterations=iterations, max_trials=trials)
        if tuner_name == "hyperband":
            config.max_trials = None  # which would have brackets follow each other
        tuner, started = made_tuner(config, folder, executor=executor), time.process_time()
        tuner.search(verbose=0)
        spent = time.process_time() - started
    records, simulated = list(tuner.records.values()), executors[0]
    chain = _longest_bracket(records, trials // iterations) if tuner_name == "hyperband" else _longest_chain(records)
    bound = max(simulated.busy / workers, chain)
    hours = simulated.now / 3600
    return [len(records), hours, bound / 3600, bound / simulated.now, 1000 * spent / len(records), peak_memory()]


def _longest_chain(records: list[Any]) -> float:
    """The seconds of the trials of the slowest configuration, each of which went on with the one before."""
    chains: dict[str, float] = {}
    for record in records:
        chains[record.trial_id] = record.seconds + chains.get(record.parent, 0.0)
    return max(chains.values())


def _longest_bracket(records: list[Any], trials: int) -> float:
    """The seconds of the longest trial of each round of a bracket, added up, of the slowest bracket."""
    longest: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for number, record in enumerate(records):
        rounds = longest[number // trials, record.bracket]
        rounds[record.round] = max(rounds[record.round], record.seconds)
    return max(sum(rounds.values()) for rounds in longest.values())


def main() -> None:
    """Prints a line for each search and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tuners", choices=TUNERS, nargs="+", default=TUNERS)
    parser.add_argument("--epochs", type=int, nargs="+", default=EPOCHS)
    parser.add_argument("--iterations", type=int, nargs="+", default=ITERATIONS)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    arguments = parser.parse_args()
    print(machine())
    header = ["tuner", "epochs", "iterations", "workers", "trials", "hours", "bound", "share of it", "ms a trial", "MB"]
    cases = list(product(arguments.tuners, arguments.epochs, arguments.iterations, arguments.workers))
    print_table(header, [[*case, *in_own_process(measured, *case)] for case in cases])


if __name__ == "__main__":
    main()
