"""Puts the sections together into one page that needs no network."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from search.reporting.report.advice import Advice
from search.reporting.report.figures.values import value_text
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import answer
from search.reporting.report.sections.data import data
from search.reporting.report.sections.how_found import search
from search.reporting.report.sections.model import model
from search.reporting.report.sections.use import use
from search.reporting.report.sections.wrong import wrong
from search.reporting.report.svg import number
from search.reporting.tables import short, with_article

TEMPLATES = Path(__file__).parent / "templates"


def environment(*, autoescape: bool = True) -> Environment:
    """The templates, with the ways of writing numbers that they share."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=autoescape, undefined=StrictUndefined, trim_blocks=True
    )
    found.filters |= {
        "number": _number,
        "fixed": short,
        "percent": percent,
        "value_text": value_text,
        "duration": duration,
    }
    return found


def page(run: RecordedRun, advice: Sequence[Advice] = ()) -> str:
    """The report as HTML. Whatever comes from the data is escaped by the templates."""
    return (
        environment()
        .get_template("report.html")
        .render(
            **dress(),
            title=run.summary["dataset"],
            noun=run.noun,
            a_row=with_article(run.noun),
            folder=str(run.folder.path),
            created=run.measurements.get("created", "").replace("T", " ").replace("+00:00", " UTC"),
            answer=answer(run),
            data=data(run),
            search=search(run),
            model=model(run),
            wrong=wrong(run),
            advice=advice,
            use=use(run),
        )
    )


def dress() -> dict[str, str]:
    """The style and the script of every page, and the hash of the script.

    A page may run this script and no other, whatever stands in a text.
    """
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "page.js"))
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"style": Markup(style), "script": Markup(script), "script_hash": hashed}


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return "-" if share is None or math.isnan(share) else f"{share:.{digits}%}".replace("%", "\u00a0%")


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 60:
        return f"{number(seconds, 2)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _number(value: Any, digits: int = 3) -> str:
    return number(None if value is None else float(value), digits)
