"""A module that cannot be used on a text ends the search, however it is trained; weights that diverge fail a trial."""

import faulty
import keras_tuner
import numpy as np
import pytest
from declared import backbones
from reviews import make_reviews

from search.datasets import Examples
from search.errors import InputError
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.inference.labels import Labels
from search.inference.predictor import Predictor
from search.job.prepare import _check_purity
from search.models.classifier import Classifier
from search.training.trainable import TrainableHyperModel
from spaces import space_from


def examples(rows, *others, seed=0):
    texts, labels = make_reviews(rows, seed=seed)
    codes = np.array([*(label == "good" for label in labels), *[1] * len(others)], np.int64)
    return Examples(np.array([*texts, *others], object), codes, np.arange(1, len(codes) + 1))


SPLITS = {
    "train": (examples(40, "!!!"), examples(20, seed=1)),
    "valid": (examples(40), examples(20, "!!!", seed=1)),
}


@pytest.fixture
def make(tmp_path):
    def make(function, cached):
        folder = faulty.save(function, tmp_path / "module")
        space = space_from({"modules": ["mine"], "units": 4, "layers": 1, "dropout": 0, "batch_size": 1})
        cache = FeatureCache(tmp_path / "cache") if cached else None
        return TrainableHyperModel(space, backbones(space, {"mine": folder}), Target(2), seed=0, features=cache)

    return make


def train(hypermodel, train, valid, **values):
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    hypermodel.training(hp, train, valid).run(range(1), lambda *_: False)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("function", [faulty.fewer_rows, faulty.not_a_number])
@pytest.mark.parametrize(("trainable", "cached"), [(False, True), (True, True), (False, False), (True, False)])
def test_training_names_the_text(make, split, function, trainable, cached):
    with pytest.raises(InputError, match=r"^module .* cannot be used on the text '!!!': "):
        train(make(function, cached), *SPLITS[split], trainable=trainable)


def test_a_rate_that_drives_the_weights_away_is_not_the_module_s_fault(make):
    hypermodel = make(faulty.sound, True)
    with pytest.raises((ArithmeticError, ValueError), match="diverged"):
        train(
            hypermodel, examples(200), examples(20, seed=1), trainable=True, optimizer="sgd",
            learning_rate=1e30, fine_tuning_rate=1e30,
        )  # fmt: skip


@pytest.mark.parametrize("function", [faulty.fewer_rows, faulty.not_a_number])
@pytest.mark.parametrize("trainable", [False, True])
def test_prediction_names_the_text(make, function, trainable, tmp_path):
    hypermodel = make(function, True)
    hp = keras_tuner.HyperParameters()
    hp.values.update(trainable=trainable)
    classifier = Classifier(hypermodel.build(hp), ("bad", "good"), None)
    classifier.save(tmp_path / "model", tmp_path / "model.keras")
    predictor = Predictor.load(tmp_path)
    assert len(predictor(["a good film", "bad"]).predicted) == 2
    odd = np.array(["a good film", "!!!"], object)
    for predict in (classifier.probabilities, lambda texts: predictor(texts.tolist())):
        with pytest.raises(InputError, match=r"^the model cannot be used on the text '!!!': "):
            predict(odd)


def test_a_model_that_gives_no_finite_probabilities_names_the_text():
    labels = Labels(("bad", "good"), None)
    predictor = Predictor(lambda texts: np.where(texts.numpy()[:, None] == b"!!!", np.nan, [[0.5, 0.5]]), labels)
    assert len(predictor(["a", "b"]).predicted) == 2
    with pytest.raises(InputError, match="'!!!'"):
        predictor(["a", "!!!", "b"])


@pytest.mark.parametrize("function", [faulty.padded, faulty.numbered, faulty.fewer_rows, faulty.not_a_number])
def test_a_search_tells_before_the_pass(tmp_path, function):
    texts = np.array([*make_reviews(40)[0], "word " * 60, "!!!"], object)
    with pytest.raises(InputError, match=r"^module mine cannot be"):
        _check_purity({"mine": faulty.save(function, tmp_path / "module")}, texts)
