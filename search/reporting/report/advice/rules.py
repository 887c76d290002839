"""The rules that turn a run's evidence into advice, the most useful first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from search.reporting.report.advice import data, space, training
from search.reporting.report.advice.finding import Advice
from search.reporting.report.run_files import RecordedRun

Rule = Callable[[RecordedRun], Advice | None]

RULES: tuple[Rule, ...] = (
    data.few_rows,
    data.valid_differs,
    space.words,
    space.encoder,
    data.more_labels,
    training.rising,
    space.edge,
    space.fine_tuning,
    training.ensemble,
    training.one_class,
)
"""A rule looks at one kind of evidence; it is silent where there is none, or where the run did what it would advise."""


def advise(run: RecordedRun) -> list[Advice]:
    """The advice on a finished run, the most useful first; no two that change the same setting."""
    return list(_distinct(run))


def _distinct(run: RecordedRun) -> Iterator[Advice]:
    told = set()
    for rule in RULES:
        found = rule(run)
        if found is not None and found.changes not in told:
            told.add(found.changes)
            yield found
