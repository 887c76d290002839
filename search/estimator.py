"""The search as an estimator of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, is_multilabel
from sklearn.utils.validation import assert_all_finite, check_is_fitted

from search.api import run
from search.commands.cli import explained
from search.datasets.in_memory import texts_of
from search.datasets.notation import notation
from search.datasets.text_columns import text_columns
from search.job.given import remove_if_empty
from search.utils.overrides import require_mapping
from search.utils.paths import absolute_path

if TYPE_CHECKING:  # brings much more than is needed before a search
    from search.inference.finished_run import FinishedRun


class TextClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of texts whose `fit` is a search.

    `fit` learns from a list, an array, a Series or a DataFrame of one column (of several, `text` names those of texts).
    It searches, as `search.run` does, in a new folder under `outputs`: with its report, its test split and its model. A
    fitted classifier is that folder and the classes: pickled, it remembers where the folder is, which must stay there.

    A tenth of the rows is held out as the run's own test split, and is not learned from; with the setting
    `final_refit` the best configuration is trained once more on all rows, and that model predicts. Of two classes
    the second is predicted from the run's threshold on, which scores the best F1 on the validation rows: with the
    setting `threshold` 0.5, the more probable one.

    Args:
        settings: Settings of the command line, such as {"tuner.max_epochs": 3}.
        space: As for `search.run`.
        text: The column of texts of a DataFrame that has several, or a list of columns, whose texts become one.
        callbacks: As for `search.run`.
        outputs: The folder in which the folders of runs are made.
        quiet: Print nothing.
        random_state: Seed of everything random.

    Attributes:
        classes_: The classes, sorted, as they stood in `y`; of several labels the columns of `y`.
        path_: The folder of the run, absolute.

    Example:
        >>> classifier = TextClassifier({"tuner.max_epochs": 3}).fit(texts, labels)  # doctest: +SKIP
        >>> classifier.predict(["what a lovely day"])  # doctest: +SKIP
    """

    classes_: NDArray[Any]
    path_: Path

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        space: Any = None,
        text: str | Sequence[str] | None = None,
        callbacks: Sequence[Any] = (),
        outputs: str | Path = "outputs/estimator",
        quiet: bool = True,
        random_state: Any = 0,
    ) -> None:
        self.settings = settings
        self.space = space
        self.text = text
        self.callbacks = callbacks
        self.outputs = outputs
        self.quiet = quiet
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Searches.

        Args:
            X: Texts [n]; a row whose text is missing or empty is left out.
            y: Labels [n], of one type; several labels per text, 0 or 1, [n, labels].

        Raises:
            ValueError: Texts and labels do not fit together, or are none.
            InputError: A setting or the data cannot be used.
            SearchError: Every trial failed.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        self.multilabel_ = is_multilabel(y)
        if self.multilabel_:
            return self._fit_several(self._texts(X), y if isinstance(y, pd.DataFrame) else pd.DataFrame(_dense(y)))
        texts, labels = self._texts(X), column_or_1d(y, warn=True)
        check_consistent_length(texts, labels)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"Classifier can't train when only one class is present: {classes.tolist()}")
        as_class = notation(set(classes.tolist()))
        names = {as_class(label): label for label in classes.tolist()}
        if len(names) < len(classes):
            raise ValueError(f"Labels are told apart by how they are written: expected distinct ones, not {classes}")
        given = (texts, np.array([as_class(label) for label in labels.tolist()], dtype=object))
        return self._searched(given, classes, list(names))

    def _fit_several(self, texts: list[Any], labels: pd.DataFrame) -> Self:
        check_consistent_length(texts, labels)
        names = [str(column) for column in labels.columns]
        given = pd.DataFrame({"text": texts, **{name: labels.iloc[:, at].array for at, name in enumerate(names)}})
        return self._searched(given, labels.columns.to_numpy(), names, label=names)

    def _searched(self, given: Any, classes: NDArray[Any], names: list[str], **more: Any) -> Self:
        """Runs the search on texts and labels; `names` are those of the classes in the run."""
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        require_mapping(self.settings or {}, "settings")
        folder = _new_folder(self.outputs)
        settings = {"seed": int(seed), **(self.settings or {}), "hydra.run.dir": str(folder)}
        try:
            made = run(given, space=self.space, callbacks=self.callbacks, quiet=self.quiet, overrides=settings, **more)
        finally:
            remove_if_empty(folder)
        if set(made.classes) != set(names):
            raise ValueError(f"The run left classes out: it knows {made.classes}, expected {names}")
        self.classes_, self.path_, self._loaded = classes, made.path.absolute(), made
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The classes of texts [n], of the type of the labels; several labels are 0 or 1, [n, labels].

        Raises:
            ValueError: A text is missing, or none.
            InputError: The run's folder is not there any more.
        """
        found, texts = self.run_, self._whole(X)
        answers = found.predict(texts, model=self._model)
        if self.multilabel_:
            return answers[[f"predicted_{name}" for name in found.classes]].to_numpy(np.int64)
        predicted = answers["predicted"]
        at = self.classes_[self._order]
        places = {name: place for place, name in enumerate(found.classes)}
        return at[[places[name] for name in predicted]] if len(texts) else at[:0]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probabilities of texts, float64 [n, classes], in the order of `classes_`.

        Raises:
            ValueError: A text is missing, or none.
            InputError: The run's folder is not there any more.
        """
        found = self.run_.predict_proba(self._whole(X), model=self._model)
        return found if self.multilabel_ else found[:, np.argsort(self._order)]

    @property
    def run_(self) -> FinishedRun:
        """The finished run, with all that it can do."""
        check_is_fitted(self)
        if self._loaded is None:
            from search.inference.finished_run import load_run

            self._loaded = load_run(self.path_)
        return self._loaded

    @property
    def _model(self) -> str:
        return "all" if "final_refit" in self.run_.summary else "best"

    @property
    def _order(self) -> NDArray[np.int64]:
        """The position in `classes_` of each class of the run, which sorts them by their names."""
        as_class = notation(set(self.classes_.tolist()))
        names = [as_class(label) for label in self.classes_.tolist()]
        return np.array([names.index(name) for name in self.run_.classes])

    def _texts(self, X: Any) -> list[Any]:
        """The texts of what scikit-learn calls X; those that are missing are None."""
        if isinstance(X, pd.DataFrame):
            if self.text is None and X.shape[1] != 1:
                raise ValueError(f"X has the columns {X.columns.tolist()}: expected one, or text= to name it")
            X = X.iloc[:, 0] if self.text is None else texts_of(X, text_columns(self.text))
        if isinstance(X, str) or not hasattr(X, "__len__"):
            raise ValueError(f"X is a {type(X).__name__}: expected a list or an array of texts")
        if getattr(X, "ndim", 1) == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if getattr(X, "ndim", 1) != 1:
            raise ValueError(f"X has the shape {X.shape}: expected texts, in one dimension")
        texts = pd.Series(list(X), dtype=object)
        if len(texts) == 0:
            raise ValueError("X holds no texts, a minimum of 1 is required")
        texts = texts.where(texts.notna(), None)
        for place, text in enumerate(texts):
            if text is not None and not isinstance(text, str):
                raise ValueError(f"X[{place}] is {text!r:.80}: expected a string")
        return list(texts)

    def _whole(self, X: Any) -> list[str]:
        """The texts, none of which may be missing: there is no class to say so by."""
        check_is_fitted(self)
        texts = self._texts(X)
        gone = [place for place, text in enumerate(texts) if text is None or not text.strip()]
        if gone:
            raise ValueError(f"X[{gone[0]}] is missing: expected a text")
        return texts

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        return {**state, "_loaded": None} if "_loaded" in state else state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, True, False
        return tags


def _dense(labels: Any) -> NDArray[Any]:
    return np.asarray(labels.toarray() if hasattr(labels, "toarray") else labels)


def _new_folder(outputs: str | Path) -> Path:
    """Makes a folder of its own for a run, several of which may begin in the same second."""
    parent = absolute_path(outputs, "outputs")
    with explained():
        parent.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    for again in count(1):
        folder = parent / (stem if again == 1 else f"{stem}_{again}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError
