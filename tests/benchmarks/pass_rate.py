"""The pass of texts through an encoder, against onnxruntime with the same network and the same numbers of tokens.

    python -m search.modules fetch minilm
    python tests/benchmarks/pass_rate.py --module FOLDER --csv disaster.csv --text text --label target

Both take the texts a part at a time, by turns, so that whatever else the machine does slows both alike. onnxruntime is
given ready-made tokens, in batches of 32 of like length, each padded to its longest, and as many threads as there are
cores; ours cuts the texts as well. Its network is the SavedModel's stages, converted by tf2onnx.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tensorflow as tf
import tensorflow_text  # noqa: F401
import tf2onnx
from measure import machine, print_table
from numpy.typing import NDArray
from texts import Source

from search.features.passes import batches, embed

SEED = 1
_BATCH = 32
_Vectors = NDArray[np.float32]


def _session(module: Any, folder: Path, spinning: bool) -> onnxruntime.InferenceSession:
    layers: list[Any] = []
    while hasattr(module, name := f"layer_{len(layers)}"):
        layers.append(getattr(module, name))

    def network(ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        values = module.begin(ids, lengths, False)
        for layer in layers:
            values = layer(values, lengths, False)
        return module.finish(values, lengths)

    signature = [tf.TensorSpec([None, None], tf.int32, name="ids"), tf.TensorSpec([None], tf.int32, name="lengths")]
    path = str(folder / "encoder.onnx")
    tf2onnx.convert.from_function(
        tf.function(network, input_signature=signature), input_signature=signature, opset=17, output_path=path
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _by_onnxruntime(session: onnxruntime.InferenceSession, rows: list[NDArray[np.int32]]) -> _Vectors:
    order = sorted(range(len(rows)), key=lambda place: -len(rows[place]))
    found: dict[int, _Vectors] = {}
    for begin in range(0, len(order), _BATCH):
        some = order[begin : begin + _BATCH]
        lengths = np.array([len(rows[place]) for place in some], np.int32)
        ids = np.zeros((len(some), lengths.max()), np.int32)
        for line, place in zip(ids, some, strict=True):
            line[: len(rows[place])] = rows[place]
        found |= zip(some, session.run(None, {"ids": ids, "lengths": lengths})[0], strict=True)
    return np.stack([found[place] for place in range(len(rows))])


def _by_pass(folder: Path, texts: NDArray[np.object_]) -> _Vectors:
    found: dict[int, _Vectors] = {}
    for batch, values in embed(folder, None, texts, "float32", batches(texts)):
        found |= zip(batch.tolist(), values, strict=True)
    return np.stack([found[place] for place in range(len(texts))])


def _timed(run: Callable[..., _Vectors], *arguments: Any) -> tuple[float, float, _Vectors]:
    """Seconds on the clock, seconds of processor, and the vectors."""
    begun, processor = time.perf_counter(), time.process_time()
    vectors = run(*arguments)
    return time.perf_counter() - begun, time.process_time() - processor, vectors


def main() -> None:
    """Measures and prints."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", type=Path, required=True, help="the folder of its SavedModel")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--part", type=int, default=250, help="texts at a time")
    parser.add_argument("--spinning", action="store_true", help="onnxruntime's threads wait actively")
    Source.add_arguments(parser)
    arguments = parser.parse_args()
    splits = Source.from_arguments(arguments).splits(arguments.texts, 100, SEED)
    texts = np.array(splits.train.texts, object)
    module = tf.saved_model.load(str(arguments.module))
    with tempfile.TemporaryDirectory() as scratch:
        session = _session(module, Path(scratch), arguments.spinning)
    rows = [np.array(row, np.int32) for row in module.cut(tf.constant(list(texts))).to_list()]
    seconds, apart = [], 0.0
    for begin in range(-arguments.part, len(texts), arguments.part):  # the first part once more, for warmth
        part = slice(max(begin, 0), max(begin, 0) + arguments.part)
        *theirs, expected = _timed(_by_onnxruntime, session, rows[part])
        *ours, given = _timed(_by_pass, arguments.module, texts[part])
        apart = max(apart, float(np.abs(given - expected).max()))
        if begin >= 0:
            seconds.append((theirs, ours))
    (their_clock, their_processor), (our_clock, our_processor) = np.sum(seconds, axis=0)
    print(f"{machine()}; {len(texts)} texts, {sum(map(len, rows))} tokens; vectors at most {apart:.1e} apart\n")
    table = [
        ["onnxruntime", f"{their_clock:.1f} s", f"{their_processor:.1f} s", ""],
        ["this package", f"{our_clock:.1f} s", f"{our_processor:.1f} s", f"{their_clock / our_clock:.2f}"],
    ]
    print_table(["", "clock", "processor", "rate, of onnxruntime's"], table)


if __name__ == "__main__":
    main()
