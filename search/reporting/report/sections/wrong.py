"""The most confident mistakes of the model, and the words behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from search.evaluation.baseline_models import LOGISTIC_REGRESSION
from search.evaluation.confident_mistakes import Question, confident_mistakes, questions
from search.evaluation.label_errors import likely_label_errors
from search.evaluation.metrics import predict
from search.evaluation.weighted import padded
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken

_MOST_WRONG = 200
_LENGTH = 600
# Words are shaded by this drop at least: where all are weak, none looks strong.
_STRONG = 0.3
_STRONGEST = 3


def most_shown(questions: int) -> int:
    """The number of mistakes that the report shows, at most, of each of so many questions: a class, or labels."""
    return max(1, _MOST_WRONG // questions)


def wrong(run: RecordedRun) -> dict[str, Any]:
    """The context of the section."""
    several = run.target.several
    asked = questions(run.labels, run.predicted, run.probabilities)
    names = [(f"not {name}", name) for name in run.classes] if several else [tuple(run.names)]
    second = _second_opinion(run)
    seconds = [None] * len(asked) if second is None else list(second.T) if several else [second]
    contrary = set(run.measurements.get("near_duplicates", {}).get("test_contrary", []))
    shown: list[dict[str, Any]] = []
    suspects = 0
    for question, answers, other in zip(asked, names, seconds, strict=True):
        doubted = likely_label_errors(question.labels, question.probabilities) & (question.labels != question.predicted)
        if other is not None:
            doubted &= other == question.predicted
        suspects += int(doubted.sum())
        for i in confident_mistakes(*question, most_shown(len(asked))):
            shown.append(_row(run, int(i), question, answers))
            shown[-1] |= {"suspect": bool(doubted[i]), "contrary": int(i) in contrary}
            shown[-1]["second"] = None if other is None else answers[other[i]]
    return {
        "several": several,
        "mistakes": sum(int((one.labels != one.predicted).sum()) for one in asked),
        # Of one question they are in order already.
        "rows": sorted(shown, key=lambda row: -row["sureness"]) if several else shown,
        "kinds": list(dict.fromkeys(f"{row['label']} taken for {row['predicted']}" for row in shown)),
        "suspects": suspects,
        "contrary": len(contrary),
        "second": spoken(LOGISTIC_REGRESSION) if second is not None else None,
        "words": [_words(run, one) for one in run.measurements.get("words", [])],
    }


def _row(run: RecordedRun, i: int, question: Question, answers: Sequence[str]) -> dict[str, Any]:
    text, label, predicted = run.shown.iloc[i], question.labels[i], question.predicted[i]
    return {
        "row": int(run.predictions["row"].iloc[i]),
        "text": text[:_LENGTH],
        "picture": run.measurements.get("pictures", {}).get("test", {}).get(str(i)),
        "cut": max(0, len(text) - _LENGTH),
        "label": answers[label],
        "predicted": answers[predicted],
        "sureness": float(question.probabilities[i, predicted]),
        "of_label": float(padded(question.probabilities, question.labels)[i, label]),
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
