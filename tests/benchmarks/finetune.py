"""What a step of fine-tuning costs: plain Keras against this package, for tables of word vectors of several sizes.

    python tests/benchmarks/finetune.py
    python tests/benchmarks/finetune.py --csv quora.csv --text question_text --label target --tables 100000x50

Plain is `keras.Model.fit` with Adam over the module as a trainable Keras layer. Each measurement has a process of its
own. Seconds a step are those after what the first steps trace: of plain the median over its steps, of ours that over
epochs, what is scored after each of them included. Memory is the peak above what the process had before the module was
loaded, in tables: 1 is the table alone.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from measure import in_own_process, machine, peak_memory, print_table
from texts import Source

UNITS = 128
RATE = 0.003
SEED = 1


@dataclass(frozen=True)
class Table:
    """A table of random word vectors: the words of the texts first, then made-up ones."""

    words: int
    dimension: int

    @property
    def megabytes(self) -> float:
        """Its size."""
        return self.words * self.dimension * 4 / 1e6

    def __str__(self) -> str:
        return f"{self.words:,} x {self.dimension}"


@dataclass(frozen=True)
class Cost:
    """What training took."""

    step: float
    """Seconds."""
    tables: float
    """Memory, in tables."""
    loss: float
    """Of the first epoch, or of its steps that were run."""
    touched: int | None = None
    """Rows that the texts touch."""


def write_table(table: Table, source: Source, rows: int, folder: Path) -> None:
    """Writes a module with such a table."""
    import numpy as np

    from search.backbones.builders.vectors import write_module

    texts = source.splits(rows, rows // 10, SEED).train.texts
    counts = Counter(word for text in texts for word in text.lower().split())
    words = [word for word, _ in counts.most_common(table.words)]
    words += [f"made-up-{i}" for i in range(table.words - len(words))]
    vectors = np.random.default_rng(SEED).normal(scale=0.3, size=(table.words, table.dimension))
    write_module(words, vectors.astype(np.float32), folder)


def plain(table: Table, source: Source, rows: int, batch: int, folder: Path, steps: int) -> Cost:
    """Keras alone, for some steps."""
    import keras
    import numpy as np
    import tensorflow as tf

    from search.backbones.hub.layer import TextEmbedding

    splits = source.splits(rows, rows // 10, SEED)
    keras.utils.set_random_seed(SEED)
    before = peak_memory()
    texts = keras.Input((), dtype="string")
    hidden = keras.layers.Dense(UNITS, "relu")(TextEmbedding(folder, trainable=True)(texts))
    model = keras.Model(texts, keras.layers.Dense(len(splits.classes), "softmax")(hidden))
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    train = tf.data.Dataset.from_tensor_slices((splits.train.texts.astype(str), splits.train.labels))
    train = train.shuffle(rows, seed=SEED).batch(batch).prefetch(tf.data.AUTOTUNE).take(steps)
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: ends.append(time.monotonic()))
    history = model.fit(train, epochs=1, callbacks=[clock], verbose=0)
    # The first step traces.
    taken = np.diff(ends)
    return Cost(float(np.median(taken)), (peak_memory() - before) / table.megabytes, history.history["loss"][0])


def ours(table: Table, source: Source, rows: int, batch: int, folder: Path, epochs: int) -> Cost:
    """This package, for some epochs."""
    import keras_tuner

    from search.backbones.base import SavedModule
    from search.backbones.hub.module import HubModule
    from search.features.cache import FeatureCache
    from search.training.embedding_bag import EmbeddingBagTraining
    from search.training.trainable import TrainableHyperModel
    from search.training.trainers import make_training
    from spaces import space_from

    splits = source.splits(rows, rows // 10, SEED)
    before = peak_memory()
    space = space_from(
        {
            **{"modules": ["module"], "trainable": True, "head_first": False, "layers": 1, "units": UNITS},
            **{"dropout": 0.0, "learning_rate": RATE, "fine_tuning_rate": RATE, "batch_size": batch},
            **{"class_weight": "none"},
        }
    )
    backbones, features = {"module": HubModule(SavedModule("module", folder))}, FeatureCache(folder.parent / "features")
    hypermodel = TrainableHyperModel(space, backbones, splits.target, SEED, features)
    training = make_training(hypermodel.task(keras_tuner.HyperParameters(), splits.train))
    assert isinstance(training, EmbeddingBagTraining)
    ends: list[float] = []
    losses: list[float] = []

    def on_epoch_end(epoch: int, metrics: dict[str, float]) -> bool:
        ends.append(time.monotonic())
        losses.append(metrics["loss"])
        return False

    training.run(range(epochs + 1), on_epoch_end)
    steps = math.ceil(len(splits.train) / batch)
    step = statistics.median(end - start for start, end in pairwise(ends)) / steps
    return Cost(step, (peak_memory() - before) / table.megabytes, losses[0], len(training.weights()[0]))


def main() -> None:
    """Measures and prints."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=13_000, help="texts to train on")
    parser.add_argument("--tables", nargs="+", default=["20000x50", "100000x50", "1000000x128"], metavar="WORDSxDIM")
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 512])
    parser.add_argument("--plain-steps", type=int, default=25)
    parser.add_argument("--epochs", type=int, default=3)
    Source.add_arguments(parser)
    arguments = parser.parse_args()
    source = Source.from_arguments(arguments)
    print(machine())
    lines = []
    for size in arguments.tables:
        table = Table(*(int(number) for number in size.split("x")))
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "module"
            in_own_process(write_table, table, source, arguments.rows, folder)
            for batch in arguments.batches:
                given = (table, source, arguments.rows, batch, folder)
                slow = in_own_process(plain, *given, arguments.plain_steps)
                fast = in_own_process(ours, *given, arguments.epochs)
                ratio = f"{slow.step / fast.step:.1f}"
                memory = f"{slow.tables:.1f}", f"{fast.tables:.1f}"
                steps = f"{1000 * slow.step:.1f}", f"{1000 * fast.step:.1f}"
                lines.append([str(table), fast.touched, batch, *steps, ratio, *memory])
                print("  " + " | ".join(str(cell) for cell in lines[-1]), flush=True)
    names = "table", "rows touched", "batch", "plain ms a step", "ours ms a step", "times faster"
    print_table([*names, "plain memory, tables", "ours memory, tables"], lines)


if __name__ == "__main__":
    main()
