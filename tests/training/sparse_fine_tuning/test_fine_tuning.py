"""Fine-tuning is the same training as Keras's, at the cost of the touched rows, and leaves the module as published.

Both ways of it: `words` is an embedding bag, `mixed` is not.
"""

import keras_tuner
import numpy as np
import pytest
from declared import backbones
from sparse_modules import save_mixed, word_examples

from search.backbones.builders.vectors import write_module
from search.backbones.hub.load import published
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.models.weights import assign, model_weights
from search.optimizers.optimizer_settings import OPTIMIZERS
from search.training.base import TrialState
from search.training.embedding_bag import EmbeddingBagTraining
from search.training.keras_training import KerasTraining
from search.training.sparse_fine_tuning import SparseRowTraining, find_touched
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS
from spaces import space_from

EPOCHS = 3
TRAIN, VALID = word_examples(150, seed=1), word_examples(60, seed=2)
TABLE_ROWS = 30


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    vectors = np.random.default_rng(0).normal(size=(TABLE_ROWS - 1, 6)).astype(np.float32)
    write_module([f"word{i}" for i in range(TABLE_ROWS - 1)], vectors, folder / "words")
    return {"words": folder / "words", "mixed": save_mixed(folder / "mixed")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return FeatureCache(tmp_path_factory.mktemp("features"))


@pytest.fixture
def make(modules, cache):
    def make(name="words", **ranges):
        settings = {
            **{"trainable": True, "layers": 1, "units": 8, "activation": "tanh", "dropout": 0.0, "batch_size": 32},
            **{"learning_rate": 0.01, "fine_tuning_rate": 0.003, "class_weight": "balanced", "head_first": False},
            **ranges,
        }
        space = space_from({"modules": [name], **settings})
        return TrainableHyperModel(space, backbones(space, modules), Target(2), seed=0, features=cache)

    return make


def losses_of(training, epochs):
    losses = []
    training.run(epochs, lambda epoch, metrics: losses.append((metrics["loss"], metrics.get("val_loss"))))
    return losses


def keras_twin(hypermodel, head, train=TRAIN, valid=VALID):
    """The same model as Keras trains it, from the same weights of the head."""
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    assign(model_weights(model)[-len(head) :], head)
    return model, KERAS.training_of(model, hypermodel.task(hp, train, valid))


def fast(hypermodel, train=TRAIN, valid=VALID, **settings):
    return hypermodel.training(keras_tuner.HyperParameters(), train, valid, **settings)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of the variable that nothing depends on
@pytest.mark.parametrize("name", ["words", "mixed"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_is_the_same_training_as_that_of_keras(make, name, optimizer):
    ranges = {"optimizer": optimizer, "clip_norm": 0.2, "warmup_steps": 4}
    training = fast(make(name, **ranges))
    start = training.weights()
    model, twin = keras_twin(make(name, **ranges), start[-4:])
    before = [weight.numpy() for weight in model_weights(model)]
    expected_losses = losses_of(twin, range(EPOCHS))
    expected = [weight.numpy() for weight in model_weights(model)]
    np.testing.assert_allclose(losses_of(training, range(EPOCHS)), expected_losses, rtol=1e-5)
    assign(model_weights(model), training.weights())
    for came, weight in zip(model_weights(model), expected, strict=True):
        np.testing.assert_allclose(came.numpy(), weight, rtol=1e-5, atol=1e-6)
    moved = [np.abs(weight - first).max() for weight, first in zip(expected, before, strict=True)]
    # All but what nothing depends on.
    assert min(np.delete(moved, 3) if name == "mixed" else moved) > 1e-4


def test_a_batch_in_parts_makes_the_same_step(make):
    whole, halves = fast(make("words")), fast(make("words"), state=TrialState(accumulate=2))
    np.testing.assert_allclose(losses_of(halves, range(2)), losses_of(whole, range(2)), rtol=1e-5)
    for came, weight in zip(halves.weights(), whole.weights(), strict=True):
        np.testing.assert_allclose(came, weight, atol=1e-5)


def test_devices_compute_the_parts_of_a_batch(make):
    def trained(parts, devices):
        hypermodel = make("mixed", dropout=0.3)
        hypermodel.shared.devices = ("/CPU:0",) * devices
        return fast(hypermodel, state=TrialState(parts))

    halves, shared = trained(2, 1), trained(1, 2)
    assert losses_of(shared, range(1)) == losses_of(halves, range(1))
    for came, weight in zip(shared.weights(), halves.weights(), strict=True):
        np.testing.assert_array_equal(came, weight)


@pytest.mark.parametrize("name", ["words", "mixed"])
def test_it_goes_on_as_if_it_had_never_stopped(make, name):
    ranges = {"dropout": 0.3, "head_first": True}
    unbroken, begun, gone_on = (fast(make(name, **ranges)) for _ in range(3))
    expected = losses_of(unbroken, range(4))
    losses = losses_of(begun, range(2))
    gone_on.set_state([array.copy() for array in begun.state()])
    losses += losses_of(gone_on, range(2, 4))
    assert losses == expected
    for came, weight in zip(gone_on.state(), unbroken.state(), strict=True):
        np.testing.assert_array_equal(came, weight)


def test_each_module_is_trained_in_the_fastest_way_that_it_allows(make):
    assert isinstance(fast(make("words")), EmbeddingBagTraining)
    assert isinstance(fast(make("mixed")), SparseRowTraining)


def test_the_module_is_as_published_again_whatever_ends_the_training(make, modules):
    module = published(modules["mixed"])
    before = [variable.numpy() for variable in module.variables]
    training = fast(make("mixed"))
    during = []

    def look(epoch, metrics):
        during.extend(variable.numpy() for variable in module.variables)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.run(range(3), look)
    for published_weight, variable in zip(before, module.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), published_weight)
    assert not np.array_equal(during[0], before[0])
    # The trial has kept its own.
    touched = training.weights()[1]
    assert not np.array_equal(touched, before[0][training.weights()[0]])


def test_an_embedding_bag_is_not_touched_at_all(make, modules):
    module = published(modules["words"])
    before = [variable.numpy() for variable in module.variables]
    training = fast(make("words"))

    def look(epoch, metrics):
        for published_weight, variable in zip(before, module.variables, strict=True):
            np.testing.assert_array_equal(variable.numpy(), published_weight)

    training.run(range(2), look)
    rows, values = training.weights()[:2]
    assert not np.array_equal(values, before[0][rows])


def test_what_is_kept_of_a_trial_grows_with_the_touched_rows(make, modules):
    used = sorted({int(word.removeprefix("word")) for text in TRAIN.texts for word in text.split()})
    rows, values = fast(make("words")).weights()[:2]
    np.testing.assert_array_equal(rows, used)
    assert values.shape == (len(used), 6)
    assert all(array.shape[:1] != (TABLE_ROWS,) for array in fast(make("words")).state())


def test_every_kind_of_variable_is_told_apart(modules):
    touched = find_touched(published(modules["mixed"]), TRAIN.texts)
    first, second, kernel, unused, mean = (one.rows for one in touched)
    assert 0 < len(first) <= 12
    np.testing.assert_array_equal(first, second)
    assert kernel is None  # dense
    assert len(unused) == 0
    assert mean is None  # the module writes to it


def test_a_state_of_other_texts_is_refused(make):
    other = word_examples(40, seed=3, words=5)
    with pytest.raises(ValueError, match="another model"):
        fast(make("words")).set_state(fast(make("words"), other).state())


def test_mixed_precision_is_left_to_keras(make):
    import keras

    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        assert isinstance(fast(make("words")), KerasTraining)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert not isinstance(fast(make("words")), KerasTraining)
