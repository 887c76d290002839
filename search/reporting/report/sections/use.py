"""How to use the model, resume the run and repeat it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.datasets.content import CONTENTS
from search.reporting.report.run_files import RecordedRun
from search.reporting.tables import describe_texts
from search.utils.overrides import as_given, setting, typed

_OF_WORDS = "# import tensorflow_text too, where the module needs it, as use-multilingual does\n"


def use(run: RecordedRun) -> dict[str, Any]:
    """The context of the section."""
    path = _from_here(run.folder.path)
    again = run.summary.get("command") or typed("search", *as_given(run.overrides))
    packages = run.folder.packages
    code = run.summary.get("code", {})
    return {
        "commands": [
            (
                f"Label new {run.noun}s",
                typed("search.predict", f"run={path}", f"input={CONTENTS[run.noun].new}", "output=scored.csv"),
            ),
            ("Look at the trials in TensorBoard", typed("search.board", f"run={path}")),
            ("Go on with the search after an interruption", typed("search", setting("resume", path))),
            ("Do the same again", again),
            ("Compare it with those beside it", typed("search.leaderboard", f"runs={_beside(run.folder.path)}/*")),
            ("Write this page again", typed("search.report", f"run={path}")),
        ],
        "python": (
            f"import tensorflow as tf\n{_OF_WORDS if CONTENTS[run.noun].has_words else ''}\n"
            f"model = tf.saved_model.load({str(path / run.folder.saved_model.name)!r})\n" + _call(run)
        ),
        "classes": run.classes,
        "threshold": run.threshold,
        "versions": list(run.summary["versions"].items()),
        "commit": f"{code['commit']}{', with changes' if code['modified'] else ''}" if code.get("commit") else None,
        "device": run.summary.get("device"),
        "seed": run.summary["seed"],
        "files": [
            ("leaderboard.csv", "every trial"),
            ("predictions.csv", "every row of the test split with its probabilities"),
            ("summary.json", "the numbers of this page"),
            *([(packages.name, "the versions of all packages")] if packages.is_file() else []),
            ("model/", "the model, for tf.saved_model.load"),
            ("model.keras", "the same for Keras"),
            *_of_final_refit(run),
            ("MODEL_CARD.md", "the model's description, to pass on with it"),
        ],
    }


def _call(run: RecordedRun) -> str:
    """A call of the model in Python."""
    columns, texts = run.summary.get("columns") or [], run.summary.get("texts") or []
    rows = CONTENTS[run.noun].rows
    told = [f"# {' '.join(describe_texts(texts).split())}"] if texts else []
    if not columns:
        return "\n".join([*told, f"probabilities = model(tf.constant({rows}))"])
    values = {
        "number": 'tf.constant([1.0, float("nan")], tf.float64)',
        "date": 'tf.constant([1.8e9, float("nan")], tf.float64)  # seconds since 1970, UTC',
        "category": 'tf.constant(["one", ""])',
    }
    lines = [f"{one['input']} = {values[one['kind']]}" for one in columns]
    names = ", ".join(one["input"] for one in columns)
    return "\n".join([*told, *lines, f"probabilities = model(tf.constant({rows}), {names})"])


def _of_final_refit(run: RecordedRun) -> Iterator[tuple[str, str]]:
    """The files of the final model, which was trained on all labelled rows."""
    found = run.summary.get("final_refit")
    if found is not None:
        yield f"{run.folder.model_all.name}/", "the model trained on test too, never evaluated"
        if found["submission"] is not None:
            yield run.folder.submission.name, "what that one predicts for the rows without labels"


def _from_here(folder: Path) -> Path:
    """The folder relative to the working directory, where it is below that."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_absolute() and folder.is_relative_to(here) else folder


def _beside(folder: Path) -> Path:
    """The folder in which a run stands."""
    return _from_here(folder.absolute().parent)
