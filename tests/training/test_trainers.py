"""No hyperparameter is silently ignored: a way of training implements it as Keras does, or declines the task."""

from dataclasses import replace
from functools import cache

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from declared import backbones
from made_encoders import write_encoder
from sparse_modules import save_mixed, word_examples

from search.backbones.builders.vectors import write_module
from search.backbones.transformers.build import build_folder
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.models import hypermodel as hypermodels
from search.models.keras_model import compiled_model
from search.models.weights import assign, model_weights
from search.models.wide.words import Words
from search.training import keras_fit
from search.training.base import TrialState
from search.training.trainable import TrainableHyperModel
from search.training.trainers import (
    KERAS,
    EmbeddingBagTrainer,
    HeadTrainer,
    LayerTrainer,
    PreparedInputsTrainer,
    SparseRowTrainer,
    choose,
    make_training,
    probed_first,
)
from spaces import OF_FINE_TUNING, SpaceError, space_from, text_classifier
from spaces.domains import POSITIVE
from spaces.parameters import Choice
from spaces.setting import Setting
from spaces.settings import ACTIVATIONS, CLASS_WEIGHTS, LAYER_WIDTHS, OPTIMIZERS, SETTINGS

EPOCHS = 1
_THREE = word_examples(48, seed=1, classes=3)
# Two classes, one of them twice as frequent as the other.
TRAIN = replace(_THREE, labels=np.minimum(_THREE.labels, 1))
# Two labels, of which a third and a sixth of the texts have one.
LABELLED = replace(_THREE, labels=np.column_stack([np.arange(48) % 3 == 0, np.arange(48) % 6 == 1]).astype(np.int8))
# Two values of each setting. One that is not here gets them from `ANY`.
VALUES = {
    "modules": ("words", "mixed"),
    "trainable": (False, True),
    "vocabulary_size": (100, 6),
    "sequence_length": (8, 3),
    "ngrams": (1, 2),
    "embedding": ("learned", "words"),
    "layers": (4, 2),
    "units": (6, 5),
    **dict.fromkeys(LAYER_WIDTHS, (None, 7)),
    "activation": ("tanh", "relu"),
    "dropout": (0.0, 0.5),
    "wide": ("none", "tfidf"),
    "wide_l2": (0.5, 2.0),
    "learning_rate": (0.01, 0.02),
    "fine_tuning_rate": (0.01, 0.003),
    "head_first": (False, True),
    "warmup_steps": (0, 5),
    "unfreeze": ("all", "1"),
    "layer_decay": (0.9, 0.5),
    "schedule": ("constant", "linear"),
    "optimizer": ("adamw", "sgd"),
    "weight_decay": (0.01, 0.5),
    "clip_norm": (0.0, 0.05),
    "batch_size": (12, 8),
    "class_weight": ("none", "balanced"),
}
# Columns of texts: tests/models/test_apart.py; copies of images: tests/training/test_trained_views.py.
SEARCHED = [name for name in SETTINGS if name not in ("frozen", "texts", "views", "augment")]
ANY = (0, 0.1, 0.2, False, True, 3, 4, 5, *ACTIVATIONS, *OPTIMIZERS, *CLASS_WEIGHTS)
# What each way of training is there for.
WAYS = {
    "head": (HeadTrainer, {}),
    "head and words": (HeadTrainer, {"wide": "tfidf"}),
    "bag": (EmbeddingBagTrainer, {"trainable": True}),
    "sparse rows": (SparseRowTrainer, {"modules": "mixed", "trainable": True}),
    "all layers": (LayerTrainer, {"modules": "encoder", "trainable": True, "fine_tuning_rate": 0.001}),
    "last layer": (LayerTrainer, {"modules": "encoder", "trainable": True, "unfreeze": "1"}),
    "tokens": (PreparedInputsTrainer, {"modules": "conv1d"}),
    "word vectors": (PreparedInputsTrainer, {"modules": "mean", "embedding": "words", "trainable": True}),
}
# An encoder takes seconds: what it shares with other modules is tried with these.
_OF_LAYERS = {"all layers": ("layer_decay", "schedule"), "last layer": ("optimizer", "layers", *OF_FINE_TUNING)}
TRIED = [(setting, way) for way in WAYS for setting in _OF_LAYERS.get(way, SEARCHED)]


def values_of(setting):
    """Two values of a setting, the first one what the others are tried with."""
    found = VALUES.get(setting) or [value for value in ANY if SETTINGS[setting].domain.holds(value)][:2]
    assert len(found) == 2, f"give two values of {setting} here"
    return found


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    vectors = np.random.default_rng(0).normal(size=(29, 6)).astype(np.float32)
    write_module([f"word{i}" for i in range(29)], vectors, folder / "words")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"word{i}" for i in range(29))]

    @cache
    def encoder(name):
        write_encoder(folder / name, pieces=pieces, dropout=0.1 if name == "encoder" else 0.0)
        return build_folder(folder / name, name, None, folder)

    modules = {"words": folder / "words", "mixed": save_mixed(folder / "mixed"), "encoder": encoder("encoder")}

    def make(way, several=False, **changed):
        """The task of a way of training, with some settings changed, or of several labels."""
        ranges = {**{name: values_of(name)[0] for name in SEARCHED}, **WAYS[way][1], **changed}
        if ranges["modules"] == "without dropout":
            modules[ranges["modules"]] = encoder(ranges["modules"])
        space = space_from({**ranges, "frozen": []}, layered=["encoder", "without dropout"])
        standing, features = backbones(space, modules, TRAIN.texts), FeatureCache(folder / "features")
        target = Target(2, several=several)
        hypermodel = TrainableHyperModel(space, standing, target, 0, features, words=Words(TRAIN.texts))
        return hypermodel.task(keras_tuner.HyperParameters(), LABELLED if several else TRAIN)

    return make


@pytest.fixture(scope="module")
def unchanged(make):
    """The weights that a way of training comes to with the first value of every setting."""
    return cache(lambda way: trained(make_training(make(way))))


@pytest.fixture(autouse=True)
def untraced(monkeypatch):
    """Scores Keras models without tracing them, which takes longer than all else here."""

    def scorer(model):
        return lambda rows: model(rows if tf.is_tensor(rows) else rows[:], training=False).numpy().astype(np.float64)

    monkeypatch.setattr(keras_fit, "scorer", scorer)


def trained(training):
    model = getattr(training, "model", None)
    if model is not None:
        model.run_eagerly = True  # tracing would take longer than training
    training.run(range(EPOCHS), lambda epoch, metrics: False)
    return training.weights()


def far(some, others):
    """How far two sets of weights are from each other at most, each array by its own length."""
    if [one.shape for one in some] != [other.shape for other in others]:
        return np.inf
    pairs = [(np.ravel(one), np.ravel(other)) for one, other in zip(some, others, strict=True)]
    return max(np.linalg.norm(one - other) / max(np.linalg.norm(other), 1e-3) for one, other in pairs)


def by_keras(task, start):
    """What Keras's own `fit` makes of the whole model from the same weights."""
    model = task.hypermodel.model(task.values)
    assign(model_weights(model), start)
    model.run_eagerly = True
    given = KERAS.training_of(model, task)
    training = probed_first(task, given) if task.trains_head_first else given
    return model, trained(training)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of the variable that nothing depends on
@pytest.mark.parametrize(("setting", "way"), TRIED)
def test_another_value_changes_the_weights_as_it_does_for_keras_or_the_way_declines(make, unchanged, way, setting):
    before = make(way)
    value = next(one for one in reversed(values_of(setting)) if one != WAYS[way][1].get(setting))
    after = make(way, **{setting: value})
    assert type(choose(before)) is WAYS[way][0]
    if dict(before.values) == dict(after.values) or type(choose(after)) is not WAYS[way][0]:
        return  # such a trial has no such hyperparameter, or another way is asked for it
    training = make_training(after)
    start = training.weights()
    weights = trained(training)
    assert far(weights, unchanged(way)) > 1e-3
    if setting != "dropout":  # each way draws what it drops by itself
        model, expected = by_keras(after, start)
        assign(model_weights(model), weights)
        # Adam makes steps of gradients that are nothing but rounding, as all of an attention's key bias are.
        limit = 1e-3 if way in _OF_LAYERS else 3e-4
        assert far([variable.numpy() for variable in model_weights(model)], expected) < limit


@pytest.mark.parametrize("way", WAYS)
def test_each_task_goes_to_the_fastest_way_that_there_is_for_it(make, way):
    assert type(choose(make(way))) is WAYS[way][0]
    task = make(way, head_first=True)
    assert type(choose(task)) is WAYS[way][0]
    callback = keras.callbacks.TerminateOnNaN()
    assert choose(task.hypermodel.task(keras_tuner.HyperParameters(), TRAIN, callbacks=[callback])) is KERAS


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights", "ignore:Gradients do not exist")
@pytest.mark.parametrize(
    ("way", "changed"),
    [
        ("bag", {}),
        ("bag", {"head_first": True}),
        ("tokens", {}),
        ("sparse rows", {"clip_norm": 0.05}),
        ("head", {"modules": "tfidf"}),
    ],
)
def test_words_beside_a_head_are_there_as_in_keras(make, way, changed):
    task = replace(make(way, wide="tfidf", **changed), state=TrialState(head_epochs=2))
    training = make_training(task)
    weights = trained(training)
    model, expected = by_keras(task, make_training(task).weights())
    words = model.get_layer("wide")
    assert far(weights[-3:], [variable.numpy() for variable in words.weights]) == 0
    assign(model_weights(model), weights)
    assert far([variable.numpy() for variable in model_weights(model)], expected) < 1e-4
    assert np.abs(words.kernel.numpy()).max() > 0.01


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("trainer", [LayerTrainer(), KERAS])
def test_batches_of_texts_of_like_length_make_the_same_steps_in_parts(make, trainer):
    uncut = make("last layer", modules="without dropout", optimizer="sgd")
    cut = replace(uncut, state=TrialState(accumulate=3))
    weights = [trained(trainer.train(task)) for task in (uncut, cut)]
    assert far(*weights) < 1e-5


@pytest.mark.parametrize("way", ["head", "bag", "tokens", "sparse rows"])
def test_outputs_of_several_labels_begin_at_their_shares(make, way):
    task = make(way, several=True)
    for training in (make_training(task), KERAS.train(task)):
        np.testing.assert_allclose(training.weights()[-1], np.log([1 / 2, 1 / 5]), rtol=1e-6)


@pytest.mark.parametrize("way", ["bag", "sparse rows"])
def test_a_way_declines_an_optimizer_that_it_has_not(make, way):
    task = make(way)
    assert choose(replace(task, values={**task.values, "optimizer": "lion"})) is KERAS


@pytest.fixture
def label_smoothing(monkeypatch):
    """A setting that was added to the space and to the Keras model, and nowhere else."""

    def smoothed(values, target, *arguments):
        model = compiled_model(values, target, *arguments)

        def loss(labels, probabilities):
            targets = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), target.classes)
            share = values["label_smoothing"]
            return keras.losses.categorical_crossentropy(targets, probabilities, label_smoothing=share)

        model.compile(model.optimizer, loss, jit_compile=False)
        return model

    for settings in (SETTINGS, text_classifier.SETTINGS):  # the tests have other defaults, see conftest.py
        monkeypatch.setitem(settings, "label_smoothing", Setting(Choice([0.3]), POSITIVE, "Smooths."))
    monkeypatch.setattr(hypermodels, "compiled_model", smoothed)


@pytest.mark.parametrize("way", WAYS)
def test_a_setting_that_only_the_keras_model_knows_is_not_ignored(make, label_smoothing, way):
    task = make(way, label_smoothing=0.2)
    assert task.values["label_smoothing"] == 0.2
    assert choose(task) is KERAS
    assert not task.settings <= WAYS[way][0].handles


@pytest.mark.parametrize("head_first", [False, True])
def test_its_effect_is_there_also_where_the_head_is_trained_first(make, label_smoothing, head_first):
    tasks = [make("bag", label_smoothing=share, head_first=head_first) for share in (0.1, 0.4)]
    assert far(*(trained(make_training(replace(task, state=TrialState(head_epochs=1)))) for task in tasks)) > 1e-3


def test_a_setting_without_two_values_here_is_noticed(label_smoothing):
    assert values_of("label_smoothing") == [0.1, 0.2]
    with pytest.raises(SpaceError):
        space_from({"label_smoothing": "much"})
