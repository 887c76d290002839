"""Modules side by side under one head are trained on their cached features, and shared in ensembles."""

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from reviews import make_reviews

from search.backbones.base import SavedModule
from search.backbones.builders.vectors import write_module
from search.backbones.hub.layer import TextEmbedding
from search.backbones.of_space import made
from search.datasets import Examples
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.models.classifier import Classifier
from search.models.ensembles.combiners import Weighted
from search.models.ensembles.ensemble_model import ensemble_model
from search.models.ensembles.member import Member
from search.training.trainable import TrainableHyperModel
from search.training.trainers import HeadTrainer, choose
from spaces import space_from

NAME = "some+others"


@pytest.fixture(scope="module")
def rows():
    texts, labels = make_reviews(40, seed=1)
    codes = np.array([label == "good" for label in labels], np.int64)
    return Examples(np.array(texts, object), codes, np.arange(40))


@pytest.fixture(scope="module")
def hypermodel(tmp_path_factory, rows):
    top, random = tmp_path_factory.mktemp("joined"), np.random.default_rng(0)
    words = sorted({word for text in rows.texts for word in text.split()})
    for name, width in (("some", 3), ("others", 4)):
        write_module(words, random.normal(size=(len(words), width)).astype(np.float32), top / name)
    space = space_from({"modules": ["some", NAME], "layers": 1, "units": 4}, untrainable=["some", NAME])
    modules = {name: SavedModule(name, top / name) for name in ("some", "others")}
    backbones = made(["some", NAME], modules, {}, rows.texts, {NAME: ("some", "others")})
    return TrainableHyperModel(space, backbones, Target(2), 0, FeatureCache(top / "features"))


def trial(module):
    hp = keras_tuner.HyperParameters()
    hp.values = {"module": module}
    return hp


def test_they_are_never_trained_and_their_features_are_computed_once(hypermodel, rows):
    task = hypermodel.task(trial(NAME), rows)
    assert not {"head_first", "fine_tuning_rate"} & {*task.values} and task.values["trainable"] is False
    assert isinstance(choose(task), HeadTrainer)
    assert choose(task).train(task).parameters == (3 + 4) * 4 + 4 + 4 * 2 + 2
    features = hypermodel.constant_features(task.values, rows)
    parts = [hypermodel.features([one], rows) for one in hypermodel.backbones[NAME].modules]
    at = np.array([7, 3])
    np.testing.assert_array_equal(features.take(at), np.hstack([one.take(at) for one in parts]))
    classifier = Classifier(hypermodel.model(task.values), ("0", "1"), None)
    alone = classifier.probabilities(rows.texts)
    np.testing.assert_allclose(classifier.probabilities(rows.texts, features), alone, atol=1e-6)


def test_an_ensemble_has_each_module_once(hypermodel, rows):
    models = [hypermodel.build(trial(name)) for name in ("some", NAME)]
    texts = tf.constant(rows.texts.tolist())
    given = [model(texts).numpy() for model in models]
    members = [Member(f"trial_{i}", one, one, model) for i, (one, model) in enumerate(zip(given, models, strict=True))]
    together = ensemble_model(members, Weighted(np.array([0.5, 0.5])))
    assert sum(isinstance(layer, TextEmbedding) for layer in together._flatten_layers()) == 2
    np.testing.assert_allclose(together(texts).numpy(), np.mean(given, axis=0), atol=1e-6)
