"""The head alone to its best epoch, then the module with it."""

import keras_tuner
import numpy as np
import pytest
from declared import backbones, hyperparameters
from reviews import make_reviews

from search.datasets import Examples
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.training.base import TrialState
from search.training.lp_ft import best_head
from search.training.trainable import TrainableHyperModel
from search.training.trainers import KERAS, make_training, probed_first
from search.tuning.oracles.hyperband import HyperbandOracle
from search.tuning.tuner import Tuner
from spaces import space_from


def make_examples(rows, seed):
    texts, labels = make_reviews(rows, seed=seed)
    return Examples(np.array(texts, object), np.array([label == "good" for label in labels], np.int64), np.arange(rows))


TRAIN, VALID = make_examples(160, seed=1), make_examples(80, seed=2)


@pytest.fixture
def hypermodel(word_module, tmp_path):
    ranges = {
        **{"modules": ["words"], "trainable": True, "head_first": True, "layers": 1, "units": 8, "batch_size": 32},
        **{"learning_rate": 0.01, "fine_tuning_rate": [0.001, 0.002, 0.003, 0.01], "dropout": 0.2},
    }
    space, cache = space_from(ranges), FeatureCache(tmp_path / "features")
    return TrainableHyperModel(space, backbones(space, {"words": word_module}), Target(2), seed=0, features=cache)


def head_of(hypermodel, hp, valid=VALID):
    return make_training(hypermodel.task(hp, TRAIN, valid).probing())


def test_the_best_head_is_that_of_the_lowest_validation_loss(hypermodel):
    hp = hyperparameters(hypermodel)
    losses, weights = [], []
    reference = head_of(hypermodel, hp)
    reference.run(
        range(50), lambda epoch, metrics: losses.append(metrics["val_loss"]) or weights.append(reference.weights())
    )
    head = head_of(hypermodel, hp)
    epochs, found, metrics = best_head(head, None)
    # It looks three epochs ahead, no further.
    assert losses[epochs - 1] == min(losses[: epochs + 3]) == metrics["val_loss"]
    for came, expected in zip(found, weights[epochs - 1], strict=True):
        np.testing.assert_array_equal(came, expected)


def test_a_set_number_of_epochs_is_kept_to_without_a_validation_split(hypermodel):
    hp = hyperparameters(hypermodel)
    head, reference = head_of(hypermodel, hp, valid=None), head_of(hypermodel, hp)
    assert best_head(head, 7)[0] == 7
    reference.run(range(7), lambda epoch, metrics: False)
    for came, expected in zip(head.weights(), reference.weights(), strict=True):
        np.testing.assert_array_equal(came, expected)


def test_epoch_0_is_the_head_alone_and_the_refit_repeats_it(hypermodel):
    hp = hyperparameters(hypermodel)
    told = []
    training = hypermodel.training(hp, TRAIN, VALID)
    training.run(range(2), lambda epoch, metrics: told.append((epoch, metrics)))
    assert [epoch for epoch, _ in told] == [0, 1, 2]
    *_, alone = best_head(head_of(hypermodel, hp), training.head_epochs)
    again = []
    refit = make_training(hypermodel.task(hp, TRAIN, state=TrialState(head_epochs=training.head_epochs)))
    refit.run(range(1), lambda epoch, metrics: again.append(epoch))
    assert again == [0, 1] and refit.head_epochs == training.head_epochs
    assert alone == told[0][1]


def test_the_general_way_trains_the_head_first_too(hypermodel):
    hp = hyperparameters(hypermodel)
    model = hypermodel.build(hp)
    table = model.get_layer("embedding").weights[0].numpy()
    task = hypermodel.task(hp, TRAIN, VALID)
    general = probed_first(task, KERAS.training_of(model, task))
    told = []
    general.run(range(0), lambda epoch, metrics: told.append(epoch))
    assert general.head_epochs >= 1 and told == [0]
    np.testing.assert_array_equal(model.get_layer("embedding").weights[0].numpy(), table)
    head = hypermodel.training(hp, TRAIN, VALID)
    head.run(range(0), lambda epoch, metrics: False)
    for came, expected in zip(model.get_layer("hidden_1").get_weights(), head.weights()[-4:-2], strict=True):
        np.testing.assert_array_equal(came, expected)


def test_a_search_promotes_resumes_and_tells_what_the_head_alone_gave(hypermodel, tmp_path):
    def make(name, **settings):
        oracle = HyperbandOracle(keras_tuner.Objective("val_log_loss", "min"), max_epochs=4, factor=2, seed=1)
        return Tuner(oracle, hypermodel, directory=tmp_path, project_name=name, **settings)

    whole = make("whole")
    whole.search(TRAIN, VALID, verbose=0)
    promoted = [record for record in whole.records.values() if record.parent]
    assert promoted
    for record in whole.records.values():
        assert record.head_epochs >= 1
        assert (record.head_score is None) == (record.parent is not None)
        assert not {"tuner/head_epochs", "tuner/accumulate"} & record.space["values"].keys()
    # Stopped after every trial and begun anew, it comes to the same.
    for trials in range(1, len(whole.records) + 1):
        part = make("parts", may_start=lambda epochs, records, trials=trials: len(records) < trials)
        part.search(TRAIN, VALID, verbose=0)
    scores = [[record.score for record in tuner.records.values()] for tuner in (whole, part)]
    assert scores[0] == scores[1]
