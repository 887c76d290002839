"""A run in a notebook: a card, lines of text, pictures that need no page around them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from search.errors import InputError
from search.reporting.report.figures.search_pictures import importance_bars
from search.reporting.report.importance import LEAST_TRIALS, importance
from search.reporting.report.page import TEMPLATES, environment
from search.reporting.report.promotion_chains import configurations
from search.reporting.report.run_files import RecordedRun
from search.reporting.report.sections.answer import spoken
from search.reporting.report.svg import number
from search.reporting.tables import meaning_of_classes, short
from search.utils.files import write_text
from search.utils.paths import read_path

_WIDTH = 720
_ENDINGS = (".svg", ".html")


class Picture:
    """A picture that a notebook shows and a file can hold.

    Args:
        svg: The picture, with its style.
        caption: A description, and how far the picture can be trusted.
    """

    def __init__(self, svg: str, caption: str) -> None:
        self.svg = svg
        self.caption = caption

    def save(self, path: str | Path) -> Path:
        """Writes the picture as .svg, or with its caption as .html.

        Raises:
            InputError: The name ends otherwise.
        """
        path = read_path(path, "path")
        if path.suffix.lower() not in _ENDINGS:
            raise InputError(f"{path}: expected a name that ends in {' or '.join(_ENDINGS)}.")
        page = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>search</title>{self._repr_html_()}</html>'
        write_text(path, self.svg if path.suffix.lower() == ".svg" else page)
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        # As an image, its style cannot touch the notebook's.
        image = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<figure style="margin:0;max-width:{_WIDTH}px"><img src="data:image/svg+xml;base64,{image}" '
            f'style="width:100%" alt="{escape(self._label)}"><figcaption style="font-size:.875em;opacity:.75">'
            f"{escape(self.caption)}</figcaption></figure>"
        )

    def __repr__(self) -> str:
        return f"{self._label}\n{self.caption}"

    @property
    def _label(self) -> str:
        found = re.search(r'aria-label="([^"]*)"', self.svg)
        return Markup(found[1]).unescape() if found else ""


def importance_picture(run: RecordedRun) -> Picture:
    """Draws the importance of a run's hyperparameters.

    Raises:
        InputError: There are too few trials to say.
    """
    rows = configurations(run.trials)
    found = importance(rows, run.hyperparameters, run.summary["seed"])
    if found is None:
        raise InputError(
            f"{run.folder.path}: {len(rows)} configurations completed, but which hyperparameter mattered can be told "
            f"only of {LEAST_TRIALS} or more with different scores, in which something varies."
        )
    doubt = "" if found.trusted else "Not to be trusted: "
    share = f"{found.explained:.0%}" if found.explained > 0 else "nothing"
    return Picture(
        standing_alone(str(importance_bars(found, _WIDTH))),
        "Permutation importance: by how much random forests predict held-out scores worse when a hyperparameter is "
        f"shuffled; the lines are the 10th to 90th percentile over repeated fits. {doubt}The forests explain {share} "
        f"of the variance of held-out scores, from {found.configurations} configurations.",
    )


def standing_alone(svg: str) -> str:
    """A picture of the report with the style and the size that the page gives it."""
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    colours, dark = re.findall(r":root \{[^}]*\}", css)[:2]
    rules = re.findall(r"(?:^|(?<=\} ))svg [^{}]*\{[^}]*\}", css, re.MULTILINE)
    of_dark = f"@media (prefers-color-scheme: dark) {{ {dark} }}"
    style = " ".join([colours, of_dark, "svg { background: var(--card); }", *rules])
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    opening, rest = svg.split(">", 1)
    # In a file of its own a tip is what SVG calls a title.
    rest = re.sub(r'<(\w+)([^>]*?) data-tip="([^"]*)"/>', r"<\1\2><title>\3</title></\1>", rest)
    return (
        f'{opening} xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><style>{style}</style>{rest}'
    )


def run_card(run: RecordedRun) -> str:
    """The answer of a run as a small piece of HTML."""
    return environment().get_template("card.html").render(_answer(run))


def run_lines(run: RecordedRun) -> str:
    """The card of a run as lines of text."""
    card = _answer(run)
    others = ", ".join(f"{name} {short(score)}" for name, score in card["baselines"])
    settings = ", ".join(f"{name}={value}" for name, value in card["best"])
    meaning = f". {card['meaning']}" if card["meaning"] else ""
    return (
        f"Run {card['folder']}: {card['metric']} {short(card['score'])}{card['interval']} on {card['rows']:,} test "
        f"rows of {card['dataset']}{meaning}\n  baselines: {others}\n  {card['verdict']}\n"
        f"  best trial {card['trial']} of {card['trials']}: {settings}"
    )


def _answer(run: RecordedRun) -> dict[str, Any]:
    summary, metric = run.summary, run.metric
    low, high = summary["test_interval"][metric]
    tests = {name: one["test"] for name, one in summary["baselines"].items() if "test" in one}
    return {
        "folder": str(run.folder.path),
        "dataset": summary["dataset"],
        "rows": len(run.labels),
        "metric": spoken(metric),
        "meaning": meaning_of_classes(run.classes, run.target),
        "score": summary["test"][metric],
        "interval": "" if low is None else f" (95 % interval {short(low)} to {short(high)})",
        "baselines": [(spoken(name), test[metric]) for name, test in tests.items()],
        "verdict": spoken(run.verdict.text),
        "outcome": run.verdict.outcome,
        "trial": summary["best_trial"],
        "trials": sum(summary["trials"].values()),
        "best": [
            (name, number(value) if isinstance(value, float) else str(value)) for name, value in summary["best"].items()
        ],
    }
