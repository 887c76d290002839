"""How the model does on the test split, class by class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.curves import confusion, precision_recall, reliability, roc
from search.evaluation.metrics import score_by
from search.evaluation.per_class import per_class
from search.evaluation.several import one_against_rest
from search.reporting.report.figures import model_pictures as figures
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken
from search.reporting.report.sections.speed import speed
from search.reporting.report.svg import number

_MOST_CLASSES = 40
_CONFUSIONS = 12


def model(run: RecordedRun) -> dict[str, Any]:
    """The context of the section."""
    return {
        **_of_classes(run),
        "rows": len(run.labels),
        "threshold": run.threshold,
        "threshold_given": run.config.get("threshold") is not None,
        "several": run.target.several,
        "classes": per_class(run.names, run.labels, run.probabilities, run.predicted),
        "pictures": list(_pictures(run)),
        "most_classes": _MOST_CLASSES,
        "speed": speed(run),
        "milliseconds": run.summary.get("milliseconds_per_text"),
        "batch": run.measurements.get("milliseconds", {}).get("batch"),
        "metric": spoken(run.metric),
        "judged_by": run.judged_by,
        "validation": run.validation,
    }


def _of_classes(run: RecordedRun) -> dict[str, Any]:
    """The confusion matrix and the calibration of the class of a text; nothing where it has several labels."""
    if run.target.several:
        return {"confusion": None, "confusions": [], "calibration": None, "error": None}
    counts = confusion(run.labels, run.predicted, len(run.names))
    error = score_by("expected_calibration_error", run.labels, run.probabilities, run.threshold)
    return {
        "confusion": figures.confusion_matrix(counts, run.names),
        "confusions": _confusions(run, counts),
        "calibration": figures.calibration(reliability(run.labels, run.probabilities), error),
        "error": error,
    }


def _confusions(run: RecordedRun, counts: NDArray[np.int64]) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes: class, predicted, rows, share of the class."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    pairs = [divmod(int(at), len(run.names)) for at in order if wrong.flat[at]]
    return [(run.names[i], run.names[j], int(wrong[i, j]), wrong[i, j] / counts[i].sum()) for i, j in pairs]


def _pictures(run: RecordedRun) -> Iterator[dict[str, Any]]:
    """Curves and scores of each class against the rest; of two classes, of the positive one alone."""
    two = run.target.is_binary
    true, decided = (one_against_rest(one, len(run.names)) for one in (run.labels, run.predicted))
    cuts = run.threshold if isinstance(run.threshold, Sequence) else [run.threshold] * len(run.classes)
    for k in [1] if two else range(min(len(run.classes), _MOST_CLASSES)):
        name = run.classes[k]
        positive, scores = true[:, k], run.probabilities[:, k]
        if not positive.any() or positive.all():
            continue
        said = decided[:, k]
        hits, share = (positive & said).sum(), positive.mean()
        precision, recall = hits / max(1, said.sum()), hits / positive.sum()
        false_alarms = (said & ~positive).sum() / (~positive).sum()
        at = f"threshold {number(cuts[k])}" if cuts[k] is not None else "as predicted"
        marks = (
            (recall, precision, f"{at}: precision {precision:.3f}, recall {recall:.3f}"),
            (false_alarms, recall, f"{at}: {recall:.1%} found, {false_alarms:.1%} false alarms"),
        )
        others = run.classes[0] if two else "all other rows" if run.target.several else "all other classes"
        yield {
            "name": name,
            "precision_recall": figures.curve(
                precision_recall(positive, scores, figures.STEP),
                ("recall", "precision"),
                f"Precision and recall of {name}",
                marks[0],
                float(share),
            ),
            "roc": figures.curve(
                roc(positive, scores, figures.STEP),
                ("false positive rate", "true positive rate"),
                f"ROC curve of {name}",
                marks[1],
                None,
            ),
            "scores": figures.score_histogram(scores[positive], scores[~positive], (name, others), cuts[k]),
        }
