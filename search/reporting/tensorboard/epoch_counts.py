"""Counts of right and wrong validation predictions for each epoch of each trial: a kilobyte an epoch.

The best trial is known only when the search has ended, and the probabilities of its earlier epochs are gone by then: so
every epoch is counted as it comes, and in the end the counts of all other trials are removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.datasets.table import class_counts
from search.evaluation.curves import confusion
from search.evaluation.several import one_against_rest
from search.training.scores import Metrics
from search.tuning.record import TrialRecord
from search.utils.files import write_text

_FILE = "scored_epochs.jsonl"
STEPS = 100
"""Number of steps between thresholds: hundredths."""
_CURVES, _MATRIX = 10, 20

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class EpochCounts:
    """The validation rows of an epoch, counted.

    Attributes:
        scores: For each class of `curve_classes` the rows of other classes, and of this one, by what its probability is
            in hundredths, rounded down [classes, 2, 101].
        matrix: More than two classes, of which a text has one: rows by their class and the most probable one, as
            `matrix_classes` groups them.
    """

    scores: Counts
    matrix: Counts | None

    @classmethod
    def of(cls, labels: Counts, probabilities: NDArray[np.float64]) -> EpochCounts:
        """Counts.

        Args:
            labels: Class indices [n], or several labels [n, classes].
            probabilities: float64 [n, classes].
        """
        classes = probabilities.shape[1]
        shown = curve_classes(labels, classes)
        # A little is added for those that are a hundredth but for their rounding.
        bins = (probabilities[:, shown] * STEPS + 1e-9).astype(np.int64)
        ours = one_against_rest(labels, classes)[:, shown]
        size = 2 * (STEPS + 1)
        scores = np.bincount(
            (np.arange(len(shown)) * size + ours * (STEPS + 1) + bins).ravel(), minlength=len(shown) * size
        )
        matrix = None
        if classes > 2 and labels.ndim == 1:
            groups = matrix_classes(labels, classes)
            matrix = confusion(groups[labels], groups[probabilities.argmax(axis=1)], int(groups.max()) + 1)
        return cls(scores.reshape(len(shown), 2, STEPS + 1), matrix)

    def curve(self, position: int) -> NDArray[np.float64]:
        """True positives, false positives, true negatives, false negatives, precision and recall at each threshold.

        Args:
            position: Position of the class in `curve_classes`.

        Returns:
            float64 [6, 101], for the thresholds 0, 0.01, …, 1.
        """
        wrong, right = self.scores[position][:, ::-1].cumsum(axis=1)[:, ::-1].astype(np.float64)
        precision = right / np.maximum(right + wrong, 1)
        recall = right / max(right[0], 1)
        return np.stack([right, wrong, wrong[0] - wrong, right[0] - right, precision, recall])

    def decided(self) -> tuple[Counts, float | None]:
        """The confusion matrix, a row per true class, and the threshold behind it.

        Of two classes the second is predicted from the threshold on that gives the highest F1, to a hundredth.
        """
        if self.matrix is not None:
            return self.matrix, None
        right, wrong, spared, missed, *_ = self.curve(0)
        f1 = 2 * right / np.maximum(2 * right + wrong + missed, 1)
        best = int(f1.argmax())
        counts = np.array([[spared[best], wrong[best]], [missed[best], right[best]]]).astype(np.int64)
        return counts, best / STEPS


def curve_classes(labels: Counts, classes: int) -> Counts:
    """The classes that have a curve: of two the second, of more the ten with the most rows."""
    return np.array([1]) if classes == 2 and labels.ndim == 1 else np.sort(_frequent(labels, classes)[:_CURVES])


def matrix_classes(labels: Counts, classes: int) -> Counts:
    """The row of each class in a confusion matrix [classes]; rare classes share the last row."""
    if classes <= _MATRIX:
        return np.arange(classes)
    groups = np.full(classes, _MATRIX - 1)
    groups[np.sort(_frequent(labels, classes)[: _MATRIX - 1])] = np.arange(_MATRIX - 1)
    return groups


def _frequent(labels: Counts, classes: int) -> Counts:
    return np.argsort(-class_counts(labels, classes), kind="stable")


class ScoredEpochs:
    """Counts each epoch of each trial, in a file of the trial's folder; an observer of the tuner.

    Args:
        trials: The folder of the trials.
    """

    def __init__(self, trials: Path) -> None:
        self._trials = trials

    def on_trial_resumed(self, record: TrialRecord) -> None:
        """Nothing to do: its file is there."""

    def on_trial_begin(self, record: TrialRecord) -> None:
        """Drops the counts of epochs that are trained again."""
        path = _path(self._trials, record.trial_id)
        if path.exists():
            write_text(path, "".join(line for epoch, _, line in _lines(path) if record.has_epoch(epoch)))

    def on_epoch_end(self, record: TrialRecord, epoch: int, metrics: Mapping[str, float]) -> None:
        """Counts the validation rows, where the metrics carry the probabilities they were computed from."""
        if not isinstance(metrics, Metrics) or metrics.scored is None:
            return
        scored = metrics.scored
        counts = EpochCounts.of(scored.labels, scored.probabilities)
        matrix = None if counts.matrix is None else counts.matrix.tolist()
        line = json.dumps({"epoch": epoch, "scores": counts.scores.tolist(), "matrix": matrix})
        path = _path(self._trials, record.trial_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def on_trial_end(self, record: TrialRecord) -> None:
        """Nothing to do: all is written."""

    def keep_only(self, trial_id: str, records: Mapping[str, TrialRecord]) -> list[str]:
        """Removes the counts of all trials but one and its ancestors (the trials it was promoted from).

        Args:
            trial_id: The trial to keep.
            records: Trial id to record.

        Returns:
            The trial, its parent, and so on.
        """
        line = [trial_id]
        while (parent := records[line[-1]].parent) is not None:
            line.append(parent)
        for other in records.keys() - set(line):
            _path(self._trials, other).unlink(missing_ok=True)
        return line

    def of(self, line: Sequence[str]) -> dict[int, EpochCounts]:
        """Epoch to counts, of a trial and its ancestors, the last epochs first."""
        found: dict[int, EpochCounts] = {}
        for trial_id in reversed(line):
            found |= _read(_path(self._trials, trial_id))
        return found


def _path(trials: Path, trial_id: str) -> Path:
    return trials / f"trial_{trial_id}" / _FILE


def _read(path: Path) -> dict[int, EpochCounts]:
    """Reads a trial's file; nothing if there is none."""
    return {epoch: counts for epoch, counts, _ in _lines(path)} if path.exists() else {}


def _lines(path: Path) -> Iterator[tuple[int, EpochCounts, str]]:
    """Epochs, their counts and their lines in the file, but for a line that a kill cut short."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        with suppress(ValueError, KeyError, TypeError):
            epoch = json.loads(line)
            matrix = None if epoch["matrix"] is None else np.array(epoch["matrix"], np.int64)
            yield int(epoch["epoch"]), EpochCounts(np.array(epoch["scores"], np.int64), matrix), line
