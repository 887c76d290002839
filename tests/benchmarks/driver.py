"""The cost of a trial beside its training: asking, the journal, telling, ranking, checkpoints, and resuming.

    python tests/benchmarks/driver.py
    python tests/benchmarks/driver.py --trials 100 --tuners random

The study, its oracle, the files of the trials and the loop are those of a search over the default space; a trial ends
at once with a score that follows from its hyperparameters. Each line is a process of its own.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import suppress
from typing import Any

from measure import in_own_process, machine, peak_memory, print_table

TRIALS = (100, 1000, 10_000)
TUNERS = {
    "random": {},
    "hyperband of 27 epochs": {"max_epochs": 27},
    "hyperband of 81 epochs": {"max_epochs": 81},
    "hyperband of 243 epochs": {"max_epochs": 243},
}


def measured(tuner: str, trials: int) -> list[Any]:
    """Runs a search without training, and resumes it.

    Args:
        tuner: A key of `TUNERS`.
        trials: How many trials it has.

    Returns:
        Milliseconds of a trial, of one among the last tenth, seconds of resuming, and megabytes of memory.
    """
    import keras_tuner

    from search.config.tuner import TunerConfig
    from search.tuning.oracles import make_oracle, plan
    from search.tuning.tuner import Tuner
    from spaces import space_from

    config = TunerConfig(name=tuner.split()[0], max_trials=trials, **TUNERS[tuner])
    config.iterations = -(-trials // (plan(TunerConfig(name=config.name, **TUNERS[tuner]), None).trials or trials))
    if config.name == "hyperband":
        config.max_trials = None  # brackets side by side, as in a search by default; the rest is not run

    class Space(keras_tuner.HyperModel):
        space = space_from({"modules": ["a", "b", "c"]})

        def declare_hyperparameters(self, hp: Any) -> None:
            self.space.declare(hp)

    class Simulated(Tuner):
        """Its trials end at once."""

        def runner(self, *_: Any, **__: Any) -> Any:
            return self

        def run(self, spec: Any, report: Any) -> Any:
            ended.append(time.monotonic())
            if len(ended) > trials:
                raise KeyboardInterrupt
            record = spec.record()
            report.on_trial_begin(record)
            draw = random.Random(repr(sorted(spec.values.items())))
            record.status, record.space, record.epochs = "COMPLETED", spec.space, spec.target_epochs
            record.score, record.best_epoch, record.seconds = draw.random() + 0.1 / record.epochs, record.epochs, 1.0
            record.metrics = {"val_loss": record.score, "val_accuracy": draw.random(), "loss": draw.random()}
            return record

    def made() -> Simulated:
        oracle = make_oracle(config, keras_tuner.Objective("val_loss", "min"), seed=0)
        return Simulated(
            oracle, Space(), max_epochs=config.max_epochs, keep="promotable", directory=folder, project_name="trials"
        )

    ended: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        searched, started = made(), time.monotonic()
        with suppress(KeyboardInterrupt):
            searched.search(verbose=0)
        done, tenth = min(len(ended), trials), ended[len(ended) * 9 // 10 :]
        spent = [(ended[-1] - started) / done, (tenth[-1] - tenth[0]) / max(1, len(tenth) - 1)]
        started = time.monotonic()
        resumed = made()
        assert len(resumed.records) == len(searched.records) - (len(ended) > trials)
        return [done, *(1000 * seconds for seconds in spent), time.monotonic() - started, peak_memory()]


def main() -> None:
    """Prints a line for each tuner and number of trials."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=TRIALS)
    parser.add_argument("--tuners", nargs="+", default=list(TUNERS), choices=TUNERS)
    arguments = parser.parse_args()
    print(machine())
    header = ["tuner", "trials", "ms a trial", "ms of the last tenth", "s to resume", "MB of memory"]
    cases = [(tuner, trials) for tuner in arguments.tuners for trials in arguments.trials]
    print_table(header, [[tuner, *in_own_process(measured, tuner, trials)] for tuner, trials in cases])


if __name__ == "__main__":
    main()
