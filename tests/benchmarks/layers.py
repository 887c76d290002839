"""The cost of a step of fine-tuning an encoder: plain Keras on padded texts against the last layers of this package.

    python -m search.modules fetch minilm
    python tests/benchmarks/layers.py --module FOLDER --csv quora.csv --text question_text --label target

Plain is KerasHub's BertBackbone of the size of MiniLM under a softmax, every text padded to 128 tokens, trained by
`train_on_batch`. Ours is `minilm`, with texts of like length in a batch, and with what the frozen layers give computed
once before. Each measurement has a process of its own; seconds a step are medians, after the first steps have traced.
The rate of matrix products, of a step's tokens with a layer's largest matrix, says what the machine can do at all.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import in_own_process, machine, print_table
from texts import Source

BATCH = 32
PADDED = 128
WIDTH, INNER, LAYERS, HEADS, VOCABULARY = 384, 1536, 6, 12, 30_522
SEED = 1
_WARM = 3


@dataclass(frozen=True)
class Cost:
    """The cost of a step."""

    step: float
    """Seconds."""
    pass_seconds: float = 0.0
    """Seconds for what the frozen layers give for all texts."""
    rate: float = 0.0
    """Billions of multiplications and additions a second."""


def _median(step: Callable[[Any], object], batches: list[Any]) -> float:
    seconds = []
    for batch in batches:
        begun = time.monotonic()
        step(batch)
        seconds.append(time.monotonic() - begun)
    return statistics.median(seconds[_WARM:])


def _matrix_rate(tokens: int) -> float:
    import tensorflow as tf

    left, right = tf.random.normal([tokens, WIDTH]), tf.random.normal([WIDTH, INNER])
    product = tf.function(tf.matmul)
    return 2e-9 * tokens * WIDTH * INNER / _median(lambda _: product(left, right).numpy(), list(range(50)))


def plain(steps: int) -> Cost:
    """Keras alone: all layers, every text as long as 128 tokens."""
    import keras
    import keras_hub
    import numpy as np

    keras.utils.set_random_seed(SEED)
    backbone = keras_hub.models.BertBackbone(VOCABULARY, LAYERS, HEADS, WIDTH, INNER, max_sequence_length=512)
    outputs = keras.layers.Dense(2, "softmax")(backbone.output["pooled_output"])
    model = keras.Model(backbone.input, outputs)
    model.compile(keras.optimizers.Adam(5e-5), "sparse_categorical_crossentropy")
    there = np.arange(PADDED) < 16
    ids = np.random.default_rng(SEED).integers(1000, VOCABULARY, (BATCH, PADDED)) * there
    mask = np.broadcast_to(there, ids.shape).astype(np.int32)
    inputs = {"token_ids": ids.astype(np.int32), "segment_ids": np.zeros_like(mask), "padding_mask": mask}
    labels = np.arange(BATCH) % 2
    return Cost(_median(lambda _: model.train_on_batch(inputs, labels), list(range(steps + _WARM))))


def ours(source: Source, rows: int, unfreeze: str, module: Path, steps: int) -> Cost:
    """This package: the last layers, or all."""
    import keras_tuner

    from search.backbones.base import SavedModule
    from search.backbones.of_space import published_backbone
    from search.features.cache import FeatureCache
    from search.training.sparse_fine_tuning import SparseRowTraining
    from search.training.trainable import TrainableHyperModel
    from search.training.trainers import make_training
    from spaces import space_from

    splits = source.splits(rows, rows // 10, SEED)
    ranges = {"modules": ["minilm"], "trainable": True, "unfreeze": unfreeze, "layers": 0, "batch_size": BATCH}
    ranges |= {"fine_tuning_rate": 5e-5, "learning_rate": 1e-3, "head_first": False, "class_weight": "none"}
    with tempfile.TemporaryDirectory() as features:
        backbones = {"minilm": published_backbone(SavedModule("minilm", module))}
        hypermodel = TrainableHyperModel(
            space_from(ranges, layered=["minilm"]), backbones, splits.target, SEED, FeatureCache(Path(features))
        )
        begun = time.monotonic()
        training = make_training(hypermodel.task(keras_tuner.HyperParameters(), splits.train))
        passed = time.monotonic() - begun
        assert isinstance(training, SparseRowTraining)
        batches = list(training._data.batches(0))[: steps + _WARM]
        with training._running():
            step = _median(training._step, batches)
        lengths = training._data.lengths
        assert lengths is not None
        tokens = round(statistics.mean(float(lengths[batch.rows].max()) for batch in batches)) * BATCH
        return Cost(step, passed, _matrix_rate(tokens))


def main() -> None:
    """Measures and prints."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="texts to train on")
    parser.add_argument("--unfreeze", nargs="+", default=["1", "2", "all"])
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--plain-steps", type=int, default=5)
    parser.add_argument("--module", type=Path, required=True, help="what `search.modules fetch minilm` prints")
    Source.add_arguments(parser)
    arguments = parser.parse_args()
    source = Source.from_arguments(arguments)
    print(machine())
    slow = in_own_process(plain, arguments.plain_steps)
    lines = [["plain Keras, padded", f"{1000 * slow.step:.0f}", "1.0", "", ""]]
    for unfreeze in arguments.unfreeze:
        fast = in_own_process(ours, source, arguments.rows, unfreeze, arguments.module, arguments.steps)
        ratio = f"{slow.step / fast.step:.1f}"
        lines.append(
            [f"unfreeze={unfreeze}", f"{1000 * fast.step:.0f}", ratio, f"{fast.pass_seconds:.1f}", f"{fast.rate:.0f}"]
        )
    print_table(["training", "ms a step", "times faster", "s before the first", "GFLOP/s of matrices"], lines)


if __name__ == "__main__":
    main()
