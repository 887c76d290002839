"""The most confident mistakes of the model, and the words behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from search.evaluation.baseline_models import LOGISTIC_REGRESSION
from search.evaluation.confident_mistakes import confident_mistakes
from search.evaluation.label_errors import likely_label_errors
from search.evaluation.metrics import predict
from search.evaluation.weighted import padded
from search.reporting.report.measurements import MOST_WRONG
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken

_LENGTH = 600
# Words are shaded by this drop at least: where all are weak, none looks strong.
_STRONG = 0.3
_STRONGEST = 3


def wrong(run: RecordedRun) -> dict[str, Any] | None:
    """The context of the section; None where a text has several labels, so that no class was taken for another."""
    if run.target.several:
        return None
    mistakes = run.labels != run.predicted
    second = _second_opinion(run)
    suspects = likely_label_errors(run.labels, run.probabilities) & mistakes
    if second is not None:
        suspects &= second == run.predicted
    rows = confident_mistakes(run.labels, run.predicted, run.probabilities, MOST_WRONG)
    contrary = set(run.measurements.get("near_duplicates", {}).get("test_contrary", []))
    shown = [_row(run, int(i), bool(suspects[i]), i in contrary, second) for i in rows]
    return {
        "mistakes": int(mistakes.sum()),
        "rows": shown,
        "kinds": list(dict.fromkeys(f"{row['label']} taken for {row['predicted']}" for row in shown)),
        "suspects": int(suspects.sum()),
        "contrary": len(contrary),
        "second": spoken(LOGISTIC_REGRESSION) if second is not None else None,
        "words": [_words(run, one) for one in run.measurements.get("words", [])],
    }


def _row(run: RecordedRun, i: int, suspect: bool, contrary: bool, second: Any) -> dict[str, Any]:
    text = run.shown.iloc[i]
    return {
        "row": int(run.predictions["row"].iloc[i]),
        "text": text[:_LENGTH],
        "picture": run.measurements.get("pictures", {}).get("test", {}).get(str(i)),
        "cut": max(0, len(text) - _LENGTH),
        "label": run.names[run.labels[i]],
        "predicted": run.classes[run.predicted[i]],
        "sureness": float(run.probabilities[i, run.predicted[i]]),
        "of_label": float(padded(run.probabilities, run.labels)[i, run.labels[i]]),
        "suspect": suspect,
        "contrary": contrary,
        "second": run.classes[second[i]] if second is not None else None,
    }


def _second_opinion(run: RecordedRun) -> Any:
    """The word-count baseline's predictions for the test rows."""
    found = run.baselines.get(LOGISTIC_REGRESSION)
    if found is None:
        return None
    return predict(found.astype(np.float64), run.summary["baselines"][LOGISTIC_REGRESSION].get("threshold"))


def _words(run: RecordedRun, measured: dict[str, Any]) -> dict[str, Any]:
    """A text whose words are shaded by how leaving each out changes the probability."""
    i = measured["position"]
    most = max([_STRONG, *(abs(drop) for drop in measured["drops"] if drop is not None)])
    words = [
        {"word": word, "drop": drop, "strength": 0 if drop is None else round(abs(drop) / most, 2)}
        for word, drop in zip(measured["words"], measured["drops"], strict=True)
    ]
    return {
        "row": int(run.predictions["row"].iloc[i]),
        "label": run.names[run.labels[i]],
        "predicted": run.classes[run.predicted[i]],
        "probability": measured["probability"],
        "words": words,
        "strongest": sorted(
            (one for one in words if one["drop"] is not None), key=lambda one: -abs(one["drop"] or 0.0)
        )[:_STRONGEST],
        "tried": sum(drop is not None for drop in measured["drops"]),
    }
