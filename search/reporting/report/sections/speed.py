"""The trade-off between quality and speed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from search.evaluation.pareto import pareto_front
from search.reporting.report.figures.speed_picture import Costed, quality_against_time
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken


def speed(run: RecordedRun) -> dict[str, Any] | None:
    """The context of the section: the picture, and a row for each classifier, the fastest first.

    The scores are those on the rows that trials were ranked by, of models fitted without them: the only ones that the
    best trial of each module and each baseline have in common. None where the run did not measure any time.
    """
    found = sorted(_measured(run), key=lambda one: one.milliseconds)
    if not found:
        return None
    sign = 1 if run.higher_is_better else -1
    front = pareto_front([sign * one.score for one in found], [one.milliseconds for one in found])
    points = [one._replace(on_front=on) for one, on in zip(found, front, strict=True)]
    limit = run.config.get("objective", {}).get("max_ms_per_text")
    latency = run.summary.get("latency")
    return {
        "picture": quality_against_time(points, f"{run.validation} {spoken(run.metric)}", limit, run.noun),
        "rows": [one._asdict() for one in points],
        "verdict": latency and latency["text"],
    }


def _measured(run: RecordedRun) -> Iterator[Costed]:
    """The best trial of each module, and each baseline, with score and time."""
    times = run.measurements.get("milliseconds", {})
    column = f"val_{run.metric}" if f"val_{run.metric}" in run.trials else run.objective
    # A space of one's own may have no such hyperparameter.
    if {"module", column} <= set(run.trials):
        completed = run.trials[run.trials["status"] == "COMPLETED"].dropna(subset=["score", column])
        best = completed.sort_values("score", ascending=not run.higher_is_better, kind="stable")
        best = best.assign(module=best["module"].astype(str)).drop_duplicates("module").set_index("module")
        for name, spent in times.get("trials", {}).items():
            if name in best.index:
                chosen = name == str(run.summary["best"].get("module"))
                test = run.summary["test"][run.metric] if chosen else None
                yield Costed(name, float(best.loc[name, column]), test, spent, False)
    for name, baseline in run.summary["baselines"].items():
        spent = times.get("baselines", {}).get(name)
        if spent and baseline.get("valid", {}).get(run.metric) is not None:
            yield Costed(spoken(name), baseline["valid"][run.metric], baseline["test"][run.metric], spent, True)
