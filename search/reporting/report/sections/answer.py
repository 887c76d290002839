"""The result: the best configuration, its score, and how it compares with the baselines."""

from __future__ import annotations

from typing import Any

from search.evaluation.metrics import names
from search.evaluation.paired import Gain
from search.reporting.report.figures.overview import Measured, scores_with_intervals
from search.reporting.report.run_files import RecordedRun
from search.reporting.tables import meaning_of_classes


def answer(run: RecordedRun) -> dict[str, Any]:
    """The context of the section."""
    summary, metric = run.summary, run.metric
    gains = run.verdict.gains
    scores = [Measured("this model", summary["test"][metric], _interval(summary["test_interval"][metric]), True)]
    for name, baseline in summary["baselines"].items():
        if "test" in baseline:
            gain = gains.get(name)
            interval = gain.score_interval if gain else None
            scores.append(Measured(spoken(name), baseline["test"][metric], interval, False))
    return {
        "metric": spoken(metric),
        "meaning": meaning_of_classes(run.classes, run.target),
        "score": summary["test"][metric],
        "interval": summary["test_interval"][metric],
        "valid": summary["valid"][metric],
        "validation": run.validation,
        "judged_by": run.judged_by,
        "outcome": run.verdict.outcome,
        "verdict": spoken(run.verdict.text),
        "gains": [(spoken(name), gain) for name, gain in gains.items()],
        "ensembles": ensembles(run),
        "final_refit": summary.get("final_refit", {}).get("text"),
        "errors": [(spoken(n), b["error"]) for n, b in summary["baselines"].items() if "error" in b],
        "configuration": list(summary["best"].items()),
        "picture": scores_with_intervals(scores, spoken(metric)),
        "metrics": _metrics(run),
        "baselines": [spoken(name) for name, baseline in summary["baselines"].items() if "test" in baseline],
    }


def ensembles(run: RecordedRun) -> dict[str, Any] | None:
    """The scores of the ensembles of trials and baselines, beside the best trial alone; None without ensembles."""
    found = run.summary.get("ensembles")
    if found is None:
        return None
    metric = found["metric"]
    rows = [
        {
            "name": name,
            "chosen": name == found["chosen"],
            "valid": method["valid"][metric],
            "test": method["test"][metric],
            "interval": method["test_interval"][metric],
            "gain": method["against_best"]["gain"],
            "gain_interval": method["against_best"]["interval"],
            "outcome": Gain.read(method["against_best"]).outcome,
        }
        for name, method in found["methods"].items()
    ]
    return {
        "metric": spoken(metric),
        "members": ", ".join(spoken(member["name"]) for member in found["members"]),
        "chosen": found["chosen"],
        "rows": rows,
    }


def spoken(name: str) -> str:
    """The name of a metric or baseline as a person writes it."""
    words = name.replace("_", " ")
    for plain, written in (("tfidf", "TF-IDF"), ("roc auc", "ROC AUC"), ("mcc", "MCC"), ("mae", "MAE"), ("f1", "F1")):
        words = words.replace(plain, written)
    return words


def _metrics(run: RecordedRun) -> list[dict[str, Any]]:
    summary = run.summary
    tests = [baseline["test"] for baseline in summary["baselines"].values() if "test" in baseline]
    return [
        {
            "name": spoken(name),
            "main": name == run.metric,
            "valid": summary["valid"].get(name),
            "test": summary["test"].get(name),
            "interval": summary["test_interval"].get(name) or (None, None),
            "baselines": [test.get(name) for test in tests],
        }
        for name in names(run.target)
    ]


def _interval(ends: list[float | None]) -> tuple[float, float] | None:
    low, high = ends
    return None if low is None or high is None else (low, high)
