"""The predictions of a finished run for any number of texts."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.datasets.beside import Column, beside, joined, texts_of
from search.datasets.stream import Rows
from search.datasets.table import object_array
from search.errors import InputError
from search.evaluation.metrics import predict
from search.evaluation.several import thresholds
from search.evaluation.weighted import Threshold
from search.utils.checksums import Damaged, check_seal
from search.utils.overrides import setting, typed

# Chunks that the model is asked for at once: many modules compute on one core, and each call has parts that do.
_AT_ONCE = 2
# Chunks in the model's hands, some of them waiting, so that it need not wait for whoever reads and writes.
_AHEAD = 2 * _AT_ONCE
# Texts of a batch times characters of the longest: an encoder pads to that one, and must not fill the memory.
_BATCH = 1 << 20


MODELS = {"best": "model", "ensemble": "ensemble/model", "all": "model_all"}
"""The models of a run: the best trial, the ensemble, and the best configuration trained on all labelled rows."""


@dataclass(frozen=True)
class Labels:
    """The classes of a model, and its decision threshold.

    Attributes:
        classes: The names of the classes, in the order of the probabilities.
        threshold: Two classes: the second is predicted where its probability reaches this; None: the most probable is.
            A sequence: each of several labels is predicted where its probability reaches its own.
        columns: The columns that the model takes beside the texts.
    """

    classes: tuple[str, ...]
    threshold: Threshold
    columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, run: Path, threshold: float | None = None, model: str = "best") -> Labels:
        """Reads the labels of a finished run.

        Args:
            run: Its folder.
            threshold: Replaces the run's own.
            model: One of `MODELS`.

        Raises:
            InputError: No model is there, or a threshold is given where there are more than two classes.
        """
        path = run / MODELS[model] / "labels.json"
        if not path.is_file():
            raise InputError(f"run={run}: expected the folder of a finished run, but {path} is missing.")
        try:
            check_seal(path.parent)
            labels = cls._read(path)
        except Damaged as error:
            raise InputError(
                f"run={run}: {error}. Restore it from a copy, or remove {path.parent} and make it again: "
                f"{typed('search', setting('resume', run))}"
            ) from error
        if threshold is None:
            return labels
        if labels.is_several:
            return replace(labels, threshold=thresholds(threshold, len(labels.classes)))
        if len(labels.classes) != 2:
            raise InputError(
                f"threshold={threshold:g}: the run has {len(labels.classes)} classes, of which the most probable is "
                "predicted; only two have a threshold."
            )
        return replace(labels, threshold=threshold)

    @property
    def is_several(self) -> bool:
        """Whether a text has any number of these, as labels; else one of them, as its class."""
        return isinstance(self.threshold, Sequence)

    @property
    def columns_added(self) -> list[str]:
        """The columns that predictions add to a table.

        They are `predicted`, or `predicted_<label>` for each of several labels, and `prob_<class>` for each class.
        """
        decided = [f"predicted_{name}" for name in self.classes] if self.is_several else ["predicted"]
        return [*decided, *(f"prob_{name}" for name in self.classes)]

    def refuse_several(self, run: Path, what: str) -> None:
        """Refuses a model of several labels per text.

        Args:
            run: The run's folder.
            what: Who asks, and cannot tell them.

        Raises:
            InputError: The model is such a one.
        """
        if self.is_several:
            raise InputError(f"run={run}: a text has several labels there, and {what} is for one label per text.")

    def predictions(self, probabilities: NDArray[np.float64]) -> Predictions:
        """The predictions that probabilities [n, classes] stand for."""
        decided = predict(probabilities, self.threshold)
        if not self.is_several:
            return Predictions([self.classes[one] for one in decided], probabilities)
        names = [", ".join(name for name, has in zip(self.classes, row, strict=True) if has) for row in decided]
        return Predictions(names, probabilities, decided)

    @classmethod
    def _read(cls, path: Path) -> Labels:
        """Reads labels.json; raises Damaged if it is none."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            classes, threshold = content["labels"], content["threshold"]
            columns = tuple(map(Column.of, content.get("columns", ())))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(f"{path} is damaged ({error})") from error
        if not isinstance(classes, list) or len(classes) < 2 or len(set(map(str, classes))) < len(classes):
            raise Damaged(f"{path} is damaged: expected the names of two classes or more, found {classes!r:.80}")
        if isinstance(threshold, list):
            threshold = tuple(threshold)
            if len(threshold) != len(classes) or not all(isinstance(one, int | float) for one in threshold):
                raise Damaged(f"{path} is damaged: expected a number as the threshold of each label")
            return cls(tuple(map(str, classes)), threshold, columns)
        if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, int | float)):
            raise Damaged(f"{path} is damaged: expected a number or null as the threshold, found {threshold!r:.80}")
        if threshold is not None and (len(classes) > 2 or not 0 <= threshold <= 1):
            raise Damaged(
                f"{path} is damaged: expected a threshold from 0 to 1 of two classes, or null of more, found "
                f"{threshold:g} for {len(classes)} classes"
            )
        return cls(tuple(map(str, classes)), threshold, columns)


@dataclass(frozen=True)
class Predictions:
    """The predictions for some texts.

    Attributes:
        predicted: Names of classes [n]; of several labels those that a text has, with commas between them.
        probabilities: float64 [n, classes].
        several: Which of several labels each text has, int8 [n, classes]; None: a text has one class.
    """

    predicted: list[str]
    probabilities: NDArray[np.float64]
    several: NDArray[np.integer] | None = None

    @property
    def decisions(self) -> list[Any]:
        """The columns of decisions: the names, or 0 and 1 for each of several labels."""
        return [self.predicted] if self.several is None else list(self.several.T)


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
        stripped = [text.strip() for text in texts]
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
    given = trial(lambda texts: call(_alone(texts, labels.columns)), f"the model {folder}")
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
