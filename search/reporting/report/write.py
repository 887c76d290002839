"""Writes report.html and MODEL_CARD.md."""

from __future__ import annotations

from pathlib import Path

from search.reporting.report.advice import Advice, advise
from search.reporting.report.card import card
from search.reporting.report.page import page
from search.reporting.report.run_files import read_run
from search.utils.files import write_text


def write_report(path: Path) -> list[Advice]:
    """Writes both from the files of a run that has ended.

    Args:
        path: The run's folder.

    Returns:
        The advice that the report gives.

    Raises:
        InputError: There is no run, it has not ended, or a file of it is damaged.
    """
    run = read_run(path)
    advice = advise(run)
    write_text(run.folder.report, page(run, advice))
    write_text(run.folder.model_card, card(run))
    return advice
