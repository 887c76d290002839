"""`search.TextClassifier`, an estimator of scikit-learn; the searches are replaced by a quick classifier of words."""

import pickle
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from reviews import make_reviews
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

import search
from search import estimator
from search.inference import finished_run

TEXTS, LABELS = make_reviews(60)


class Made:
    """The part of a finished run that the estimator uses."""

    def __init__(self, path):
        self.path = Path(path)
        self.words, self.asked = joblib.load(self.path / "words")
        self.classes = self.asked.get("labels") or self.words.classes_.tolist()
        self.summary = {"final_refit": {}} if self.asked.get("final_refit") else {}

    def predict(self, texts, model):
        assert model == ("all" if self.summary else "best")
        found = self.words.predict(texts) if len(texts) else []
        if np.ndim(found) == 2:
            return pd.DataFrame(found, columns=[f"predicted_{name}" for name in self.classes])
        return pd.DataFrame({"text": texts, "predicted": found})

    def predict_proba(self, texts, model):
        return self.words.predict_proba(texts)


def quick(given, *, space, callbacks, quiet, overrides, label=None):
    one = LogisticRegression(C=100)
    words = make_pipeline(TfidfVectorizer(token_pattern=r"\S+"), one if label is None else OneVsRestClassifier(one))
    rows = given if label is None else (given["text"], given[label].to_numpy())
    joblib.dump((words.fit(*rows), {**overrides, "labels": label}), Path(overrides["hydra.run.dir"]) / "words")
    return Made(overrides["hydra.run.dir"])


@pytest.fixture(autouse=True)
def searches(monkeypatch, tmp_path):
    monkeypatch.setattr(estimator, "run", quick)
    monkeypatch.setattr(finished_run, "load_run", Made)
    monkeypatch.chdir(tmp_path)


class OfNumbers(search.TextClassifier):
    """Takes rows of numbers, as the checks of scikit-learn give them, as texts."""

    def fit(self, X, y):
        return super().fit(_words(validate_data(self, X)), y)

    def predict(self, X):
        return super().predict(_words(self._validated(X)))

    def predict_proba(self, X):
        return super().predict_proba(_words(self._validated(X)))

    def _validated(self, X):
        estimator.check_is_fitted(self)
        return validate_data(self, X, reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        return tags


def _words(table):
    return [" ".join(f"{column}:{value:.0f}" for column, value in enumerate(row)) for row in table.tolist()]


@parametrize_with_checks([OfNumbers()])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "labels", [LABELS, [label == "good" for label in LABELS], [9 + (one == "bad") for one in LABELS]]
)
def test_classes_are_those_of_the_labels(labels):
    found = search.TextClassifier().fit(TEXTS, labels)
    assert found.classes_.tolist() == sorted(set(labels))  # 9 comes before 10, in the run it is "10" before "9"
    assert found.predict(TEXTS).tolist() == labels and found.score(TEXTS, labels) == 1
    probable = found.classes_[found.predict_proba(TEXTS).argmax(axis=1)]
    assert probable.tolist() == labels
    assert found.path_.parent == Path.cwd() / "outputs" / "estimator" and found.run_.asked["seed"] == 0


def test_several_labels_are_columns_of_0_and_1():
    good = np.array([label == "good" for label in LABELS])
    labels = np.column_stack([good, ["place" in text for text in TEXTS], ~good]).astype(int)
    for given, classes in ((labels, [0, 1, 2]), (pd.DataFrame(labels, columns=[*"abc"]), [*"abc"])):
        found = search.TextClassifier().fit(TEXTS, given)
        assert found.classes_.tolist() == classes
        assert (found.predict(TEXTS) == labels).all() and found.score(TEXTS, given) == 1
        assert found.predict_proba(TEXTS).shape == (60, 3)
        assert (pickle.loads(pickle.dumps(found)).predict(TEXTS[:2]) == labels[:2]).all()


@pytest.mark.parametrize(
    "given",
    [
        np.array(TEXTS),
        pd.Series(TEXTS, index=range(100, 160)),
        pd.DataFrame({"words": TEXTS}),
        np.array(TEXTS, dtype=object)[:, None],
        pd.Series(TEXTS, dtype="string"),
        tuple(TEXTS),
    ],
)
def test_texts_come_in_many_shapes(given):
    found = search.TextClassifier().fit(given, np.array(LABELS))
    assert found.predict(given).tolist() == LABELS


def test_it_works_in_the_tools_of_scikit_learn(tmp_path):
    frame = pd.DataFrame({"id": range(60), "words": TEXTS})
    made = search.TextClassifier({"tuner.max_epochs": 3}, text="words", outputs=tmp_path / "made")
    assert clone(made).get_params() == made.get_params()
    assert cross_val_score(made, frame, LABELS, cv=3, n_jobs=1).mean() > 0.8
    assert len(list((tmp_path / "made").iterdir())) == 3
    whole = Pipeline([("shout", FunctionTransformer(lambda one: one["words"].str.upper())), ("find", made)])
    assert whole.fit(frame, LABELS).score(frame, LABELS) == 1
    grid = GridSearchCV(made, {"random_state": [1, 2]}, cv=2).fit(frame, LABELS)
    assert grid.best_estimator_.run_.asked["seed"] in (1, 2)


def test_a_fitted_one_is_pickled_by_its_folder(tmp_path):
    found = search.TextClassifier({"final_refit": True}).fit(TEXTS, LABELS)
    content = pickle.dumps(found)
    assert len(content) < 2000
    assert pickle.loads(content).predict(TEXTS).tolist() == LABELS
    joblib.dump(found, tmp_path / "found")
    assert joblib.load(tmp_path / "found").predict_proba(TEXTS).shape == (60, 2)


@pytest.mark.parametrize(
    "texts, labels, told",
    [
        (TEXTS[:5], LABELS, "inconsistent numbers of samples"),
        ("good", LABELS, "X is a str"),
        ([1, 2], ["a", "b"], r"X\[0\] is 1: expected a string"),
        ([], [], "holds no texts"),
        (pd.DataFrame({"a": TEXTS, "b": TEXTS}), LABELS, r"columns \['a', 'b'\]: expected one"),
        (TEXTS, ["a"] * 60, "only one class"),
        (TEXTS, [float("nan")] + [1.0] * 59, "NaN"),
        (TEXTS, ["1", "1.0"] * 30, "told apart"),
    ],
)
def test_what_cannot_be_fitted(tmp_path, texts, labels, told):
    with pytest.raises(ValueError, match=told):
        search.TextClassifier().fit(texts, labels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given, told",
    [
        ({"text": "b"}, "no column 'b'"),
        ({"settings": ["seed=3"]}, "settings is of type list: expected a mapping"),
        ({"outputs": None}, "outputs is of type NoneType: expected a path"),
    ],
)
def test_what_it_cannot_be_made_with(tmp_path, given, told):
    with pytest.raises(search.InputError, match=told):
        search.TextClassifier(**given).fit(pd.DataFrame({"a": TEXTS}), LABELS)
    assert list(tmp_path.iterdir()) == []


def test_texts_that_are_missing_are_left_out_of_fit_and_refused_by_predict():
    found = search.TextClassifier()
    assert found._texts(["a", np.nan, None]) == ["a", None, None]
    parts = pd.DataFrame({"a": ["x", None, None], "b": ["y", " z ", np.nan]})
    assert search.TextClassifier(text=["a", "b"])._texts(parts) == ["x\ny", "-\nz", None]
    found.fit(TEXTS, LABELS)
    for missing in (None, float("nan"), pd.NA, " "):
        with pytest.raises(ValueError, match=r"X\[1\] is missing"):
            found.predict(["good", missing])
