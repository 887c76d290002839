"""How the best configuration was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from search.reporting.report.figures import WIDTHS
from search.reporting.report.figures.contour_pictures import contours
from search.reporting.report.figures.overview import phases
from search.reporting.report.figures.parallel import parallel_coordinates
from search.reporting.report.figures.search_pictures import (
    bracket_panel,
    importance_bars,
    incumbent_curve,
    learning_curves,
)
from search.reporting.report.figures.slice_pictures import slice_of
from search.reporting.report.figures.values import core, value_text
from search.reporting.report.importance import LEAST_TRIALS, importance, varying
from search.reporting.report.learning_curves import curve
from search.reporting.report.promotion_chains import brackets, configurations, incumbent, own_epochs, roots
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.time_saved import saved_by_cache
from search.reporting.report.sections.training import (
    PICTURED,
    always_named,
    majority_scores,
    shown_metrics,
    training,
)
from search.reporting.report.sections.workers import workers
from spaces import Parameter, SpaceError, space_from

_TABLE, _OPEN, _CURVES, _ERRORS = 50, 12, 10, 8


def search(run: RecordedRun) -> dict[str, Any]:
    """The context of the section."""
    trials, objective, higher = run.trials, run.objective, run.higher_is_better
    found = configurations(trials)
    names = varying(found, run.hyperparameters)
    path = incumbent(trials, higher_is_better=higher)
    ends = _ends(trials)
    ranks = found.sort_values("score", ascending=not higher, kind="stable")
    rounds = brackets(trials)
    scores = core(trials["score"].dropna())
    learned = training(run, len(found))
    matter = importance(found, run.hyperparameters, run.summary["seed"])
    space = searched_space(run)
    seconds = {name: spent for name, spent in run.summary["seconds"].items() if name != "total"}
    return {
        "objective": objective,
        "judged_by": run.judged_by,
        "score": run.summary["score"],
        "folds": run.summary.get("folds"),
        "trials": run.summary["trials"],
        "configurations": len(found),
        "epochs": path.total,
        "best": run.summary["best_trial"],
        "pinned": [(n, value_text(found[n].iloc[0])) for n in run.hyperparameters if n not in names],
        "incumbent": [incumbent_curve(path, ends, objective, width) for width in WIDTHS],
        "brackets": [bracket_panel(one, objective, scores) for one in rounds],
        "parallel": [
            parallel_coordinates(found, names, objective, higher_is_better=higher, upright=upright, space=space)
            for upright in (True, False)
        ]
        if names and len(found) > 1
        else [],
        "importance": matter,
        "importance_bars": [importance_bars(matter, width) for width in WIDTHS] if matter else [],
        "least_trials": LEAST_TRIALS,
        "slices": [
            (
                name,
                slice_of(name, found[name], found["score"], found["trial_id"].tolist(), objective, space.get(name)),
            )
            for name in names
        ]
        if len(found) > 1
        else [],
        "contours": contours(
            found,
            [name for name in matter.shares if name in names] if matter else names,
            objective,
            higher_is_better=higher,
            space=space,
        ),
        "training": learned,
        # The same lines would be drawn twice.
        "curves": [] if learned and learned["all"] and run.metric in PICTURED else _curves(run, ranks),
        "phases": [phases(seconds, width) for width in WIDTHS] if seconds else [],
        "total_seconds": run.summary["seconds"].get("total"),
        "workers": workers(run),
        "cache": saved_by_cache(run),
        "table": _table(run),
        "shown": _TABLE,
        "errors": Counter(trials["error"].dropna()).most_common(_ERRORS),
    }


def searched_space(run: RecordedRun) -> Mapping[str, Parameter]:
    """The space that was searched; empty where it is not known or is a Python class of the user's."""
    config = run.config.get("space") or {}
    try:
        return (
            {}
            if not config or "_target_" in config
            else space_from(config, text_columns=len(run.summary.get("texts") or [""]))
        )
    except SpaceError:
        return {}


def _ends(trials: pd.DataFrame) -> pd.DataFrame:
    """Completed trials, with the epochs that all trials together had trained when each ended."""
    table = trials.assign(spent=own_epochs(trials).cumsum())
    return table[(table["status"] == "COMPLETED") & table["score"].notna()]


def _curves(run: RecordedRun, ranks: pd.DataFrame) -> list[Any]:
    """Learning curves of the best configurations, from what was written for TensorBoard."""
    tag = run.objective.removeprefix("val_")
    found = {
        trial: points
        for trial, root in zip(ranks["trial_id"][:_CURVES], ranks["root"][:_CURVES], strict=True)
        if (points := curve(run.folder.tensorboard / root, tag, "validation"))
    }
    if not found:
        return []
    first = roots(run.trials)
    of_best = {trial for trial in found if first[trial] == first.get(run.summary["best_trial"])}
    best = next(iter(of_best), next(iter(found)))
    return [learning_curves(found, best, run.objective, width) for width in WIDTHS]


def _table(run: RecordedRun) -> dict[str, Any]:
    """The first rows of the leaderboard."""
    metrics = [f"val_{name}" for name in shown_metrics(run) if f"val_{name}" != run.objective]
    columns = ["rank", "trial_id", "score", "score_std", *metrics, *run.hyperparameters]
    columns += ["bracket", "round", "epochs", "best_epoch", "seconds"]
    columns = [name for name in columns if name in run.trials and run.trials[name].notna().any()]
    ranked = run.trials.sort_values("rank", kind="stable", na_position="last").head(_TABLE)
    rows = [
        [_cell(value, name) for name, value in zip(columns, row, strict=True)]
        for row in ranked[columns].itertuples(index=False)
    ]
    return {
        "columns": columns,
        "rows": rows,
        "all": len(run.trials),
        "open": len(rows) <= _OPEN,
        "majority": _majority(run, columns),
    }


def _majority(run: RecordedRun, columns: list[str]) -> list[str]:
    """The row of always answering the largest class; none where it was not measured."""
    scores = majority_scores(run)
    if not scores:
        return []
    cells = {"trial_id": f"always {always_named(run)}", "score": _cell(scores.get(run.metric), "score")[1]}
    cells |= {f"val_{name}": _cell(score, "score")[1] for name, score in scores.items()}
    return [cells.get(name, "") for name in columns]


def _cell(value: Any, name: str) -> tuple[Any, str]:
    """The sort key of a table cell and its text."""
    if pd.isna(value):
        return "", "-"
    if name.startswith(("score", "val_")):
        return value, f"{value:.4f}"
    return value, value if isinstance(value, str) else value_text(value)
