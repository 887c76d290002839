"""Finds the best text classifier that transfer learning can give on a person's own data.

From Python:

    import search

    run = search.run("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")
    run = search.load_run("outputs/csv/2026-01-31_12-00-00")
    run.predict(["what a lovely day"])

Once it is imported, `keras.models.load_model` reads the `model.keras` of a run.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wrapt

from search.errors import CallbackError, InputError, SearchError

if TYPE_CHECKING:
    from search.api import run
    from search.estimator import TextClassifier
    from search.inference.finished_run import FinishedRun, load_run
    from search.tracking.callbacks import Callback

# Keras reads its backend from here when it is first imported, whatever other work has set.
os.environ["KERAS_BACKEND"] = "tensorflow"


def _put_here_last() -> None:
    """Lets the files of the working directory hide no package where this one is run by `python -m`.

    A `spaces.py` or a `pandas.py` beside the data is nothing of ours. Modules there can still be imported, as a space
    that is written in Python is.
    """
    run = sys.orig_argv[sys.orig_argv.index("-m") + 1] if sys.argv[:1] == ["-m"] else ""
    if run.partition(".")[0] != __name__ or sys.flags.safe_path:
        return
    here = sys.path[0]
    if Path(here).resolve() == Path(__file__).resolve().parent.parent:  # a checkout, where `spaces` stands too
        return
    # An empty entry of PYTHONPATH, as `PYTHONPATH=$PYTHONPATH:…` easily gives, is the working directory once more.
    sys.path[:] = [*(entry for entry in sys.path if str(Path(entry).absolute()) != here), here]


_put_here_last()

__version__ = "0.1.0"
__all__ = [
    "Callback",
    "CallbackError",
    "FinishedRun",
    "InputError",
    "SearchError",
    "TextClassifier",
    "load_run",
    "run",
]


_HOMES = {
    "Callback": "search.tracking.callbacks",
    "FinishedRun": "search.inference.finished_run",
    "load_run": "search.inference.finished_run",
    "TextClassifier": "search.estimator",
    "run": "search.api",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for only then: it brings pandas."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _register_layers(keras: Any) -> None:
    """Makes `keras.models.load_model` know the layers of saved classifiers."""
    if keras.config.backend() == "tensorflow":
        beside = "search.models.beside.column_vectors"
        for module in ("search.backbones.hub.line_layer", "search.models.wide.linear_words", beside):
            import_module(module)


# Keras takes seconds to import, and need not be there before it is used: its registry is filled as soon as it is.
wrapt.register_post_import_hook(_register_layers, "keras")
