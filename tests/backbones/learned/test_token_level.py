"""Encoders over the vectors that a module gives for tokens: tuned, taken up again and saved like the others."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from declared import hyperparameters
from reviews import make_reviews
from shapes import SHAPES, expected

from search.backbones.catalog import ModulePlaces
from search.backbones.learned.sources import resolve_embeddings
from search.backbones.of_space import made
from search.backbones.tokens.token_module import TokenModule
from search.config import ModuleConfig
from search.config.tuner import TunerConfig
from search.datasets import Examples
from search.errors import InputError
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.models.classifier import Classifier
from search.models.keras_model import above_embedding
from search.models.weights import assign, model_weights
from search.training.base import NOTHING_KNOWN
from search.training.refit import refit
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS, choose
from search.tuning.oracles import make_oracle
from search.tuning.tuner import Tuner
from spaces import space_from


def make_examples(rows, seed):
    texts, labels = make_reviews(rows, seed=seed)
    codes = np.array([label == "good" for label in labels], np.int64)
    return Examples(np.array(texts, object), codes, np.arange(1, rows + 1))


TRAIN, VALID = make_examples(96, seed=1), make_examples(32, seed=2)
SMALL = {
    **{"modules": "gru", "encoder_units": 4, "layers": 1, "units": 8, "batch_size": 32, "sequence_length": 5},
    **{"learning_rate": 0.01, "dropout": 0.3, "class_weight": "none", "trainable": False},
}


class Passes:
    """Counts the texts that go through a module."""

    computed = 0

    def on_pass_begin(self, module, texts, cached):
        pass

    def on_pass_progress(self, done):
        pass

    def on_pass_end(self, computed, seconds):
        self.computed += computed


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """What an embedding is told to be, and the settings that it is used with."""
    folder = tmp_path_factory.mktemp("shape") / "module"
    return str(folder), ModuleConfig(**SHAPES["BERT of tokens alone"].build(folder))


def resolved(bert, folder, texts=TRAIN.texts, **ranges):
    name, settings = bert
    space = space_from({**SMALL, "embedding": [name], **ranges})
    return resolve_embeddings(space, texts, ModulePlaces(settings, folder, [folder]))


@pytest.fixture(scope="module")
def modules(bert, tmp_path_factory):
    return resolved(bert, tmp_path_factory.mktemp("modules"))


@pytest.fixture
def make(bert, modules, tmp_path):
    def make(max_bytes=None, passes=None, **ranges):
        space = space_from({**SMALL, "embedding": [bert[0]], **ranges}, token_level=[bert[0]])
        cache = FeatureCache(tmp_path / "features", max_bytes=max_bytes)
        standing = made(space["module"].options, {}, modules, TRAIN.texts)
        hypermodel = TrainableHyperModel(space, standing, Target(2), 0, cache)
        if passes is not None:
            hypermodel.observe_passes(passes)
        return hypermodel

    return make


def general(hypermodel, hp, train=TRAIN, valid=VALID):
    """The training of the whole model, texts in."""
    keras.utils.set_random_seed(9)
    model = hypermodel.build(hp)
    return KERAS.training_of(model, hypermodel.task(hp, train, valid))


def scores_of(training, epochs):
    told = []
    training.run(range(epochs), lambda epoch, metrics: told.append(metrics) and False)
    return told


def assert_saved_as_it_is(model, folder):
    """What is saved gives the model's answers, texts in, which it returns."""
    classifier = Classifier(model, ("bad", "good"), 0.5)
    classifier.save(folder / "model", folder / "model.keras")
    texts = tf.constant(VALID.texts.tolist())
    answer = model(texts)
    np.testing.assert_allclose(tf.saved_model.load(str(folder / "model"))(texts), answer, atol=1e-6)
    np.testing.assert_allclose(keras.models.load_model(folder / "model.keras")(texts), answer, atol=1e-6)
    return answer


@pytest.mark.parametrize("module", ["mean", "bilstm", "conv1d"])
def test_weights_learned_on_what_the_module_gave_are_those_of_the_model_of_texts(make, module):
    hypermodel = make(modules=module)
    hp = hyperparameters(hypermodel)
    training = hypermodel.training(hp, TRAIN, VALID)
    model = general(hypermodel, hp).model
    learned = model_weights(model)
    assert [weight.shape for weight in learned] == [array.shape for array in training.weights()]
    assign(learned, training.weights())
    features = hypermodel.constant_features(hypermodel.space.declare(hp), VALID).array()
    texts = tf.constant(VALID.texts.tolist())
    np.testing.assert_allclose(model(texts), training.model(features), atol=1e-6)
    np.testing.assert_allclose(above_embedding(model)(features), training.model(features), atol=1e-6)
    assert np.isfinite(model(tf.constant(["", "!", "zebra"])).numpy()).all()


def test_the_mean_is_that_of_the_tokens_that_are_there(make):
    hypermodel = make(modules="mean", layers=0)
    model = general(hypermodel, hyperparameters(hypermodel)).model
    mean = keras.Model(model.inputs, model.layers[-1].input)
    texts = ["good film", "one", ""]
    np.testing.assert_allclose(mean(tf.constant(texts)), expected(texts, "mean"), atol=1e-6)


@pytest.mark.slow
def test_both_ways_of_training_are_the_same(make):
    hypermodel = make(modules="mean", dropout=0)
    hp = hyperparameters(hypermodel)
    fast, whole = hypermodel.training(hp, TRAIN, VALID), general(hypermodel, hp)
    assign(model_weights(whole.model), fast.weights())
    for came, told in zip(scores_of(fast, 2), scores_of(whole, 2), strict=True):
        assert came == pytest.approx(told, rel=1e-5)


def test_each_text_goes_through_the_module_once_whatever_the_trials(make):
    passes = Passes()
    hypermodel = make(None, passes, modules=["lstm", "mean"], sequence_length=[2, 5])
    for values in ({"module": "lstm"}, {"module": "mean"}, {"module": "mean", "sequence_length": 2}):
        hypermodel.training(hyperparameters(hypermodel, **values), TRAIN, VALID)
    assert passes.computed == len({*TRAIN.texts, *VALID.texts})
    again = Passes()
    hypermodel = make(None, again)
    hypermodel.training(hyperparameters(hypermodel), TRAIN, VALID)
    assert again.computed == 0


def test_what_has_no_room_is_computed_in_the_model(make):
    size = 2 * len(TRAIN) * (5 * 4 + 1) * 4
    for max_bytes, has_room in ((size, True), (size - 1, False)):
        passes = Passes()
        hypermodel = make(max_bytes, passes)
        hp = hyperparameters(hypermodel)
        hypermodel.training(hp, TRAIN, VALID)
        assert (choose(hypermodel.task(hp, TRAIN, VALID)) is not KERAS) is has_room
        assert (hypermodel.constant_features(hypermodel.space.declare(hp), VALID) is not None) is has_room
        assert (passes.computed > 0) is has_room
    assert len(scores_of(general(hypermodel, hp), 1)) == 1


@pytest.mark.slow
def test_the_module_learns_along_at_its_own_rate_where_it_is_trainable(make, tmp_path):
    hypermodel = make(modules="mean", trainable=True, fine_tuning_rate=1e-6)
    hp = hyperparameters(hypermodel)
    assert choose(hypermodel.task(hp, TRAIN, VALID)) is KERAS
    training = general(hypermodel, hp)
    (table,) = training.model.get_layer("embedding")._module.trainable_variables
    before = table.numpy()
    scores_of(training, 1)
    assert 0 < np.abs(table.numpy() - before).max() < 1e-4
    assert_saved_as_it_is(training.model, tmp_path)


def test_the_length_of_auto_is_that_of_the_training_texts_as_the_module_cuts_them(bert, tmp_path):
    texts = np.array(["one two three"] * 30 + ["a b c d e f"], object)
    (found,) = resolved(bert, tmp_path, texts, sequence_length="auto").values()
    assert TokenModule.read(found.module.folder).length == 3


def test_a_module_of_neither_kind_is_one_line(tmp_path):
    SHAPES["object"].build(tmp_path / "module")
    with pytest.raises(InputError, match=r"space\.embedding=.*word vectors.*each token") as raised:
        resolved((str(tmp_path / "module"), ModuleConfig()), tmp_path / "modules")
    assert "\n" not in str(raised.value)


def test_word_vectors_stay_what_they_are(word_module, tmp_path):
    (found,) = resolved((str(word_module), ModuleConfig()), tmp_path).values()
    assert (found.module.name, found.module.folder) == (str(word_module), word_module) and not found.cuts_texts


class Interrupted:
    """Presses Ctrl-C after an epoch."""

    def on_epoch_end(self, record, epoch, metrics):
        if epoch == 3:
            raise KeyboardInterrupt

    def on_trial_begin(self, record):
        pass

    on_trial_end = on_trial_resumed = on_trial_begin


def tuner_of(folder, name, hypermodel, observers=()):
    # A metric that counts pairs of rows can have its best epoch elsewhere for a difference in the last digit.
    objective = keras_tuner.Objective("val_log_loss", "min")
    oracle = make_oracle(TunerConfig(name=name, max_epochs=4, factor=4), objective, seed=3)
    folders = {"directory": str(folder.parent), "project_name": folder.name}
    return Tuner(oracle, hypermodel, max_epochs=4, observers=observers, **folders)


@pytest.mark.slow
def test_promoted_and_killed_trials_go_on_and_the_best_is_refitted_and_saved(make, tmp_path):
    hypermodel = make(modules="mean")
    ended = []
    with pytest.raises(KeyboardInterrupt):
        tuner_of(tmp_path / "cut", "grid", hypermodel, [Interrupted()]).search(TRAIN, VALID, verbose=0)
    for name, kind in (("whole", "grid"), ("promoted", "hyperband"), ("cut", "grid")):
        tuner = tuner_of(tmp_path / name, kind, hypermodel)
        tuner.search(TRAIN, VALID, verbose=0)
        *_, last = tuner.records.values()
        assert last.status == "COMPLETED" and last.epochs == 4
        ended.append(last.metrics["val_log_loss"])
    # TensorFlow adds in any order here: the command has it keep to one.
    assert ended == pytest.approx([ended[0]] * 3, rel=1e-4)
    trial = tuner.oracle.get_trial(last.trial_id)
    features = hypermodel.constant_features(hypermodel.space.declare(trial.hyperparameters), VALID)
    best = Classifier(tuner.load_model(trial), ("bad", "good"), None).probabilities(VALID.texts, features)
    assert (best.argmax(axis=1) == VALID.labels).mean() == pytest.approx(last.metrics["val_accuracy"])
    model = refit(hypermodel, trial.hyperparameters, TRAIN, 1, NOTHING_KNOWN)
    answer = assert_saved_as_it_is(model, tmp_path)
    kept = Classifier(model, ("bad", "good"), None).probabilities(VALID.texts, features)
    np.testing.assert_allclose(kept, answer, atol=1e-6)
