"""How the model does on the test split, class by class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from search.evaluation.curves import confusion, precision_recall, reliability, roc
from search.evaluation.metrics import score
from search.reporting.report.figures import model as figures
from search.reporting.report.figures.overview import Costed, quality_against_time
from search.reporting.report.run import Run
from search.reporting.report.sections.answer import spoken
from search.reporting.report.svg import number

_MOST_CLASSES = 40
_CONFUSIONS = 12


def model(run: Run) -> dict[str, Any]:
    """The context of the section."""
    counts = confusion(run.labels, run.predicted, len(run.classes))
    error = score(run.labels, run.probabilities, run.threshold)["expected_calibration_error"]
    points = list(_costs(run))
    return {
        "rows": len(run.labels),
        "threshold": run.threshold,
        "confusion": figures.confusion_matrix(counts, run.classes),
        "confusions": _confusions(run, counts),
        "calibration": figures.calibration(reliability(run.labels, run.probabilities), error),
        "error": error,
        "classes": per_class(run, counts),
        "pictures": list(_pictures(run)),
        "most_classes": _MOST_CLASSES,
        "costs": quality_against_time(points, f"validation {spoken(run.metric)}") if points else None,
        "milliseconds": run.measurements.get("modules", {})
        .get(run.summary["best"].get("module"), {})
        .get("milliseconds"),
        "batch": run.measurements.get("milliseconds", {}).get("batch"),
        "metric": spoken(run.metric),
    }


def _confusions(run: Run, counts: NDArray[np.int64]) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes: class, predicted, rows, share of the class."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    pairs = [divmod(int(at), len(run.classes)) for at in order if wrong.flat[at]]
    return [(run.classes[i], run.classes[j], int(wrong[i, j]), wrong[i, j] / counts[i].sum()) for i, j in pairs]


def per_class(run: Run, counts: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The metrics of each class against the rest, from the confusion matrix and the probabilities."""
    rows = []
    for k, name in enumerate(run.classes):
        hits, own, said = int(counts[k, k]), int(counts[k].sum()), int(counts[:, k].sum())
        positive = run.labels == k
        two_sided = positive.any() and not positive.all()
        rows.append(
            {
                "name": name,
                "rows": own,
                "predicted": said,
                "precision": hits / said if said else None,
                "recall": hits / own if own else None,
                "f1": 2 * hits / (own + said) if own + said else None,
                "average_precision": average_precision_score(positive, run.probabilities[:, k]) if own else None,
                "roc_auc": roc_auc_score(positive, run.probabilities[:, k]) if two_sided else None,
            }
        )
    return rows


def _pictures(run: Run) -> Iterator[dict[str, Any]]:
    """Curves and scores of each class against the rest; of two classes, of the positive one alone."""
    two = len(run.classes) == 2
    for k in [1] if two else range(min(len(run.classes), _MOST_CLASSES)):
        name = run.classes[k]
        positive, scores = run.labels == k, run.probabilities[:, k]
        if not positive.any() or positive.all():
            continue
        said = run.predicted == k
        hits, share = (positive & said).sum(), positive.mean()
        precision, recall = hits / max(1, said.sum()), hits / positive.sum()
        false_alarms = (said & ~positive).sum() / (~positive).sum()
        at = f"threshold {number(run.threshold)}" if run.threshold is not None else "as predicted"
        marks = (
            (recall, precision, f"{at}: precision {precision:.3f}, recall {recall:.3f}"),
            (false_alarms, recall, f"{at}: {recall:.1%} found, {false_alarms:.1%} false alarms"),
        )
        others = run.classes[0] if two else "all other classes"
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
            "scores": figures.score_histogram(scores[positive], scores[~positive], (name, others), run.threshold),
        }


def _costs(run: Run) -> Iterator[Costed]:
    """Validation score and time per text of the best trial of each module and of each baseline."""
    times = run.measurements.get("milliseconds", {})
    column = run.objective if run.objective in run.trials else f"val_{run.metric}"
    completed = run.trials[run.trials["status"] == "COMPLETED"]
    for name, known in run.measurements.get("modules", {}).items():
        # A space of one's own may have no such hyperparameter.
        if not {"module", column} <= set(completed):
            return
        scores = completed.loc[completed["module"].astype(str) == name, column].dropna()
        if len(scores) and known.get("milliseconds"):
            best = scores.max() if run.higher_is_better else scores.min()
            yield Costed(name, float(best), known["milliseconds"], False)
    for name, baseline in run.summary["baselines"].items():
        spent = times.get("baselines", {}).get(name)
        if spent and baseline.get("valid", {}).get(run.metric) is not None:
            yield Costed(spoken(name), baseline["valid"][run.metric], spent, True)
