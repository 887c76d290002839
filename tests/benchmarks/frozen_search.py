"""How long a search over frozen modules takes: with KerasTuner as a user would write it, and with this package.

    python tests/benchmarks/frozen_search.py --rows 13000 --module glove-50 --max-epochs 9 --batch 512 --repeats 3

Every search has a process of its own; the clock runs from the loading of the module, after imports and the reading of
the data, to the end of the last trial. The variants take turns, so that a busy moment of the machine meets them all.

    plain        KerasTuner's Hyperband, the module a frozen layer of every trial's model, `model.fit`
    precomputed  the same on features that the module gave once (counted)
    ours-cold    this package, nothing cached
    ours-warm    the same once more, in a new process
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
from pathlib import Path

from job import Job, Outcome, prepared
from measure import disk, in_own_process, print_table
from texts import Source

VARIANTS = ("plain", "precomputed", "ours-cold", "ours-warm")


def main() -> None:
    """Runs the benchmark that the command line describes."""
    arguments = _arguments()
    with prepared(arguments, arguments.rows, arguments.valid_rows, arguments.max_epochs, arguments.seed) as job:
        outcomes: dict[str, list[Outcome]] = {variant: [] for variant in arguments.variants}
        for repeat in range(arguments.repeats):
            job = dataclasses.replace(job, cache=job.folder / f"features-{repeat}")
            for variant in arguments.variants:
                outcomes[variant].append(_run(variant, job, arguments.plain_trials))
        _print_outcomes(outcomes)
        if job.cache.is_dir():
            print(f"\nThe features on disk take {disk(job.cache):.1f} MB.")
        if arguments.seeds > 1:
            _print_spread(arguments.variants, job, arguments.seeds)


def run(variant: str, job: Job) -> Outcome:
    """Runs a variant of the search in this process."""
    if variant.startswith("ours"):
        from ours import search_ours

        return search_ours(job)
    import plain

    return plain.search_plain(job) if variant == "plain" else plain.search_precomputed(job)


def _run(variant: str, job: Job, plain_trials: int | None) -> Outcome:
    with tempfile.TemporaryDirectory(dir=job.folder) as folder:
        job = dataclasses.replace(job, folder=Path(folder), max_trials=plain_trials if variant == "plain" else None)
        outcome: Outcome = in_own_process(run, variant, job)
    print(f"  {variant}, seed {job.seed}: {outcome.seconds:.1f} s, log loss {outcome.log_loss:.4f}", flush=True)
    return outcome


def _print_outcomes(outcomes: dict[str, list[Outcome]]) -> None:
    medians = {variant: statistics.median(one.seconds for one in several) for variant, several in outcomes.items()}
    print()
    rows = []
    for variant, several in outcomes.items():
        seconds = [one.seconds for one in several]
        ratio = f"{medians['plain'] / medians[variant]:.1f}" if "plain" in medians else ""
        spread = f"{medians[variant]:.1f} ({min(seconds):.1f}-{max(seconds):.1f})"
        last = several[-1]
        scores = f"{last.log_loss:.4f}", f"{last.accuracy:.4f}"
        sizes = max(one.memory for one in several), last.disk
        name = f"{variant} (*)" if last.extrapolated_from else variant
        cpu = statistics.median(one.cpu_seconds for one in several)
        rows.append([name, spread, ratio, cpu, last.trials, last.epochs, *scores, *sizes])
    names = "trials", "epochs", "best valid log loss", "its accuracy", "peak memory MB", "disk MB"
    print_table(["variant", "seconds: median (range)", "times faster", "CPU s", *names], rows)
    for variant, several in outcomes.items():
        run = several[-1].extrapolated_from
        if run:
            print(
                f"\n(*) The seconds of {variant} are extrapolated from its first {run} trials: what an epoch takes "
                "after its first batch, times the epochs, and what a trial takes besides, times the trials. Its "
                "scores, memory and disk are those of the trials that ran."
            )


def _print_spread(variants: list[str], job: Job, seeds: int) -> None:
    print(f"\nBest validation log loss over {seeds} seeds:")
    rows = []
    for variant in ("plain", "ours-warm"):
        if variant in variants:
            tried = [_run(variant, dataclasses.replace(job, seed=job.data_seed + i), None) for i in range(seeds)]
            losses, accuracies = [one.log_loss for one in tried], [one.accuracy for one in tried]
            cells = [f"{of(values):.4f}" for values in (losses, accuracies) for of in (min, statistics.median, max)]
            rows.append([variant, *cells])
    print_table(["variant", "log loss: min", "median", "max", "accuracy: min", "median", "max"], rows)


def _arguments() -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=13_000, help="texts to train on")
    parser.add_argument("--valid-rows", type=int, default=1_300)
    parser.add_argument("--module", default="glove-50", help="glove-50, slow-encoder (2.5 ms a text) or a folder")
    parser.add_argument("--max-epochs", type=int, default=9)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="not 0, which KerasTuner takes for none")
    parser.add_argument("--seeds", type=int, default=1, help="also show the best scores over so many seeds")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--plain-trials", type=int, help="run plain for so many trials only, and extrapolate")
    Source.add_arguments(parser)
    arguments = parser.parse_args()
    arguments.variants = [variant for variant in VARIANTS if variant in arguments.variants]
    if "ours-warm" in arguments.variants and "ours-cold" not in arguments.variants:
        parser.error("ours-warm is warm only after ours-cold")
    return arguments


if __name__ == "__main__":
    main()
