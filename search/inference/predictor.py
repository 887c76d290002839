"""The predictions of a finished run for any number of texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import Column, beside, joined, texts_of
from search.datasets.stream import Rows
from search.datasets.table import object_array, without_space
from search.errors import InputError
from search.inference.labels import MODELS, Labels, Predictions

# Chunks that the model is asked for at once: many modules compute on one core, and each call has parts that do.
_AT_ONCE = 2
# Chunks in the model's hands, some of them waiting, so that it need not wait for whoever reads and writes.
_AHEAD = 2 * _AT_ONCE
# Texts of a batch times characters of the longest: an encoder pads to that one, and must not fill the memory.
_BATCH = 1 << 20


class Predictor:
    """Predicts classes of texts.

    Args:
        model: Maps strings [batch], or `Several` of texts and columns, to probabilities [batch, classes].
        labels: The classes and the threshold.

    Example:
        >>> predict = Predictor.load(Path("outputs/quora/2026-01-31_12-00-00"))  # doctest: +SKIP
        >>> predict(["How do magnets work?"]).predicted  # doctest: +SKIP
        ['0']
    """

    def __init__(self, model: Callable[[Any], Any], labels: Labels) -> None:
        self.labels = labels
        self._model = model

    @classmethod
    def load(cls, run: Path, threshold: float | None = None, model: str = "best") -> Predictor:
        """Loads a model of a finished run; see `Labels.of`.

        Raises:
            InputError: There is none, or TensorFlow cannot load it.
        """
        labels = Labels.of(run, threshold, model)
        return cls(load_model(run, labels, model), labels)

    def __call__(self, texts: Sequence[str], columns: NDArray[Any] | None = None) -> Predictions:
        """Predicts for texts.

        Args:
            texts: The texts [n].
            columns: Those beside them, from `search.datasets.beside`, where the model takes any.

        Raises:
            InputError: The model cannot be used on one of the texts, which is named.
        """
        # Training and testing see texts without white space around, too.
        stripped = without_space(texts)
        probabilities = self._probabilities(stripped if columns is None else joined(object_array(stripped), columns))
        return self.labels.predictions(probabilities)

    def _probabilities(self, rows: list[str] | NDArray[Any]) -> NDArray[np.float64]:
        from search.backbones.hub.answers import answers

        half, texts = len(rows) // 2, rows if isinstance(rows, list) else texts_of(rows)
        if half and len(rows) * max(map(len, texts)) > _BATCH:
            return np.concatenate([self._probabilities(rows[:half]), self._probabilities(rows[half:])])
        return answers(self._model, rows, "the model").astype(np.float64)

    def over(self, chunks: Iterable[Rows]) -> Iterator[tuple[Rows, Predictions]]:
        """Predicts for a stream of rows, while earlier rows are being written and later ones read.

        Args:
            chunks: The rows; a few chunks are held at a time.

        Yields:
            Each chunk, in order, with its predictions.
        """
        workers = ThreadPoolExecutor(_AT_ONCE)
        waiting: deque[tuple[Rows, Future[Predictions]]] = deque()
        try:
            for rows in chunks:
                waiting.append((rows, workers.submit(self, rows.texts, rows.beside)))
                if len(waiting) > _AHEAD:
                    first, scored = waiting.popleft()
                    yield first, scored.result()
            for first, scored in waiting:
                yield first, scored.result()
        finally:
            workers.shutdown(cancel_futures=True)


def load_model(run: Path, labels: Labels, model: str = "best") -> Any:
    """Loads a model of a finished run.

    Args:
        run: Its folder.
        labels: The labels from `Labels.of`.
        model: One of `MODELS`.

    Returns:
        A function from strings [batch], or `Several` of texts and columns, to probabilities [batch, classes].

    Raises:
        InputError: TensorFlow cannot load it, or it has another number of classes than its labels.
    """
    # Imported only now: it brings TensorFlow.
    from search.backbones.hub.adapt import trial
    from search.backbones.hub.contract import describe
    from search.backbones.hub.saved_model import load_saved_model

    folder = run / MODELS[model]
    loaded = load_saved_model(folder, "model")
    call = (lambda rows: loaded(*rows.parts)) if labels.columns else loaded
    given, _ = trial(lambda texts: call(_alone(texts, labels.columns)), f"the model {folder}")
    if not hasattr(given, "shape") or tuple(given.shape[1:]) != (len(labels.classes),):
        raise InputError(
            f"run={run}: {folder / 'labels.json'} names {len(labels.classes)} classes, and the model gives "
            f"{describe(given)} for two texts: restore the file from a copy."
        )
    return call


def _alone(texts: Any, columns: Sequence[Column]) -> Any:
    """Texts as a tensor [n], with columns beside them, if a model takes any, in which nothing is known."""
    from search.utils.batched import tensors, with_inputs

    if not columns:
        return texts
    nothing = beside(columns, {one.name: [None] * len(texts) for one in columns}, range(len(texts)), "")
    return with_inputs(texts, *tensors(nothing).parts)
