"""How many rows `python -m search.predict` does in a second, beside what its module alone does of the same texts.

    python tests/benchmarks/predict.py outputs/quora/2026-01-31_12-00-00 questions.csv --text question_text

The module is called on texts that are in memory, in batches of several sizes, of which the fastest counts; the command
reads them from the file and writes the scored one. Both are of one process, in turns, and the fastest of their rounds
count: what else the machine is at slows single rounds down. Time of all cores together ("CPU") says how much there is
to do, on however many cores.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from measure import Stopwatch, in_own_process, machine, peak_memory, print_table

_BATCHES = (1024, 4096)


def measure(run: Path, table: Path, text: str, rounds: int) -> tuple[list[list[Any]], float]:
    """Times both in this process.

    Args:
        run: A finished run.
        table: A CSV.
        text: Its column of texts.
        rounds: How often each is done.

    Returns:
        Lines of the table, and the most memory resident in MB.
    """
    from search.utils.device import configure

    configure("cpu", mixed_precision=False)
    import tensorflow as tf

    from search.backbones.hub.saved_model import load_saved_model
    from search.config.dataset import DatasetConfig
    from search.inference.labels import Labels
    from search.inference.predictor import Predictor
    from search.inference.scoring import Job, score_all

    def refuse(error: Exception) -> NoReturn:
        raise error

    with tempfile.TemporaryDirectory() as folder:
        job = Job(table, Path(folder) / "scored.csv", None, [text], None, DatasetConfig(name="csv"), False)
        with job.opened(refuse) as stream:
            texts = [one for rows in stream.rows for one in rows.texts]
        model = load_saved_model(run / "model", "model")
        predictor = Predictor(model, Labels.of(run))

        def alone(size: int) -> None:
            for begin in range(0, len(texts), size):
                np.asarray(model(tf.constant(texts[begin : begin + size])))

        def command() -> None:
            with job.opened(refuse) as stream, job.writing(stream, predictor.labels) as write:
                score_all(predictor, stream, write, lambda said: None)

        work: dict[str, Callable[[], None]] = {
            **{f"module, batches of {size}": lambda size=size: alone(size) for size in _BATCHES},  # type: ignore[misc]
            "command": command,
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
        for _ in range(rounds):
            for name, done in work.items():
                times[name].append(_timed(done))
    fastest = {name: tuple(map(min, zip(*found, strict=True))) for name, found in times.items()}
    limit = min(fastest[name][0] for name in fastest if name != "command")
    rows = [
        [name, int(len(texts) / seconds), 1e6 * cpu / len(texts), f"{limit / seconds:.2f}"]
        for name, (seconds, cpu) in fastest.items()
    ]
    return rows, peak_memory()


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    watch = Stopwatch()
    work()
    return watch.read()


def main() -> None:
    """Runs the benchmark that the command line describes."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("table", type=Path, help="a CSV")
    parser.add_argument("--text", default="text", metavar="COLUMN")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(machine())
    rows, memory = in_own_process(measure, arguments.run, arguments.table, arguments.text, arguments.rounds)
    print_table(["what", "texts a second", "CPU us a text", "of the module's best"], rows)
    print(f"peak memory {memory:,.0f} MB")


if __name__ == "__main__":
    main()
