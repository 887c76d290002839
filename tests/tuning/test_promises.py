"""What every tuner of the package promises of seeds, resuming, failures and budgets, whatever it proposes."""

import json
import random
import time

import keras_tuner
import numpy as np
import pytest
from declared import backbones
from reviews import make_reviews
from toy import TUNERS, Toy, Watcher, board, make, searched

from search.config.tuner import TunerConfig
from search.datasets import Examples
from search.errors import InputError
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.training.trainable import TrainableHyperModel
from search.tuning.budget import TimeBudget
from search.tuning.oracles import make_oracle
from search.tuning.tuner import Tuner
from spaces import space_from

OTHERS = ("random", "bayesian", "grid")

every_tuner = pytest.mark.parametrize("name", TUNERS)
every_other = pytest.mark.parametrize("name", OTHERS)


@every_tuner
def test_the_same_seed_gives_the_same_leaderboard_and_another_another(tmp_path, name):
    boards = []
    for number, seed in enumerate((0, 0, 2**40)):
        random.seed(number)  # KerasTuner draws seeds of its own from it where it is given 0
        np.random.seed(number)
        boards.append(board(searched(tmp_path / str(number), name, seed=seed)))
    assert boards[0] == boards[1]
    assert boards[0] != boards[2]
    scores = [[json.loads(row)["score"] for row in one] for one in boards[1:]]
    assert not set(scores[0]) & set(scores[1])


class Interrupted(Watcher):
    """Presses Ctrl-C at some of the moments at which it is told of something."""

    def __init__(self, draw, chance):
        super().__init__()
        self.draw, self.chance = draw, chance

    def maybe(self, *_):
        if self.draw.random() < self.chance:
            raise KeyboardInterrupt

    on_trial_begin = on_epoch_end = on_trial_end = maybe


@every_tuner
@pytest.mark.parametrize("seed", [0, 1])
def test_interrupted_again_and_again_it_ends_the_same(tmp_path, name, seed):
    failing = random.Random(seed).randrange(1, 5)

    def fails(hp, epoch):
        if hp["units"] == failing and epoch == 1:
            raise ValueError("this one never works")

    whole = searched(tmp_path / "whole", name, Toy(fails), seed=seed)
    draw = random.Random(seed)

    def fails_or_is_interrupted(hp, epoch):
        fails(hp, epoch)
        Interrupted(draw, 0.07).maybe()

    ran, interruptions = [], 0
    while True:
        ended = {path.parent.name[6:] for path in (tmp_path / "cut").glob("trials/trial_*/record.json")}
        seen = Watcher()
        tuner = make(
            tmp_path / "cut",
            name,
            Toy(fails_or_is_interrupted),
            seed=seed,
            observers=[seen, Interrupted(draw, 0.07)],
        )
        assert set(tuner.records) == ended
        try:
            tuner.search(verbose=0)
            break
        except KeyboardInterrupt:
            interruptions += 1
        assert not ended & set(seen.begun), "a trial that had ended ran again"
        ran.extend(seen.epochs)
    assert interruptions >= 2
    assert board(tuner) == board(whole)
    assert [record.trial_id for record in tuner.ranking()] == [record.trial_id for record in whole.ranking()]


@every_tuner
def test_other_settings_are_refused(tmp_path, name):
    searched(tmp_path, name)
    with pytest.raises(InputError, match="other settings"):
        make(tmp_path, name, seed=1, max_epochs=7)


@every_tuner
def test_a_lost_record_is_named(tmp_path, name):
    tuner = searched(tmp_path, name)
    tuner.files.record(list(tuner.records)[2]).unlink()
    with pytest.raises(InputError, match=r"record.json is missing"):
        make(tmp_path, name)


@every_other
@pytest.mark.parametrize("bound", ["max_consecutive_failures", "max_failures"])
def test_failures_end_the_search_in_order(tmp_path, caplog, name, bound):
    begun = []

    def fails(hp, epoch):
        if epoch == 0:
            begun.append(hp)
        # The first two trials succeed, then all fail or every second one does.
        if len(begun) > 2 and (bound == "max_consecutive_failures" or len(begun) % 2):
            raise ValueError(f"the {len(begun)}th trial fails")

    settings = {"max_trials": 12, "max_epochs": 1, "max_consecutive_failures": 10, bound: 3}
    tuner = searched(tmp_path, name, Toy(fails), **settings)
    statuses = [record.status for record in tuner.records.values()]
    expected = ["FAILED"] * 3 if bound == "max_consecutive_failures" else ["FAILED", "COMPLETED"] * 2 + ["FAILED"]
    assert statuses == ["COMPLETED"] * 2 + expected
    assert bound.replace("failures", "failed_trials") in tuner.oracle.stop_reason
    assert tuner.oracle.stop_reason in caplog.text
    # What has completed can be used, also by a tuner that is made again; it, too, starts no further trial.
    again = make(tmp_path, name, Toy(fails), **settings)
    before = len(begun)
    again.search(verbose=0)
    assert (len(begun), board(again)) == (before, board(tuner))
    best = again.ranking()[0]
    assert again.load_model(again.oracle.get_trial(best.trial_id)).count_params() == 4


@every_other
@pytest.mark.parametrize("mixed", [False, True])
def test_the_command_ends_by_what_has_completed(search_command, tmp_path, word_module, name, mixed):
    from reviews import write_reviews

    write_reviews(tmp_path / "reviews.csv", 150)
    # A head without hidden layers has 34 weights, any other more than 100.
    most, layers = (100, "[0,2]") if mixed else (10, "[1,2]")
    outcome = search_command(
        *("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars"),
        *(f"tuner={name}", "tuner.max_trials=8", "tuner.max_epochs=1", "tuner.max_consecutive_failures=2"),
        *(f"tuner.max_parameters={most}", f"space.modules=[{word_module}]", "space.trainable=false"),
        *(
            f"space.layers={layers}",
            "space.wide=none",
            "space.units=[8,9,10,11]",
            "space.dropout=0.0",
            "space.learning_rate=0.01",
        ),
        *("space.optimizer=adam", "space.batch_size=32", "space.class_weight=none", "space.activation=relu"),
        *("hydra.run.dir=run",),
    )
    statuses = (tmp_path / "run" / "leaderboard.csv").read_text()
    if mixed:
        assert "COMPLETED" in statuses and "FAILED" in statuses
        assert outcome.code == 0, outcome.err
    else:
        assert outcome.code == 1
        assert outcome.err.count("\n") == 1
        assert "max_parameters=10" in outcome.err and "first error" in outcome.err
        assert statuses.count("FAILED") == 2
    if not mixed or "trials in a row" in (tmp_path / "run" / "search.log").read_text():
        assert "2 trials in a row failed" in (tmp_path / "run" / "search.log").read_text()


@every_tuner
def test_max_trials_ends_the_search(tmp_path, name):
    assert list(searched(tmp_path, name, max_trials=4).records) == list("0123")


@every_tuner
def test_max_total_epochs_ends_the_search(tmp_path, name):
    seen = Watcher()
    tuner = searched(tmp_path, name, observers=[seen], max_total_epochs=8)
    last = list(tuner.records.values())[-1]
    assert len(seen.epochs) >= 8 > len(seen.epochs) - (last.epochs - last.initial_epoch)
    assert tuner.ranking()


@every_tuner
def test_max_seconds_ends_the_search_in_time_for_a_refit(tmp_path, name):
    pause = 0.05
    # In full, each of these searches would take longer.
    epochs = 9 if name == "hyperband" else 2
    budget = TimeBudget(0.9, time.monotonic())
    slow = Toy(lambda hp, epoch: time.sleep(pause))
    tuner = make(tmp_path, name, slow, may_start=budget.may_start, max_epochs=epochs)
    tuner.search(verbose=0)
    assert budget.refused == 1
    assert 1 <= len(tuner.records) < 0.9 / pause
    assert {record.status for record in tuner.records.values()} == {"COMPLETED"}
    assert tuner.ranking()[0].best_epoch
    # With more time it goes on with the trial that had no time.
    whole = searched(tmp_path / "whole", name, Toy(), max_epochs=epochs)
    tuner = make(tmp_path, name, max_epochs=epochs)
    tuner.search(verbose=0)
    assert board(tuner) == board(whole)


@pytest.mark.parametrize("name", ["hyperband", "random", "bayesian"])
def test_a_finite_space_is_tried_completely_and_each_configuration_once(tmp_path, name):
    class Finite(Toy):
        def declare_hyperparameters(self, hp):
            hp.Choice("kind", ["a", "b"])
            hp.Int("units", 1, 4)
            hp.Fixed("rate", 1.0)

    settings = {"max_epochs": 8} if name == "hyperband" else {"max_trials": 30, "max_epochs": 1}
    records = searched(tmp_path, name, Finite(), **settings).records.values()
    tried = [tuple(record.values.values()) for record in records if record.initial_epoch == 0]
    assert len(tried) == len(set(tried)) == 8


def test_a_gaussian_process_finds_better_trials_than_it_began_with(tmp_path):
    class Bowl(Toy):
        def declare_hyperparameters(self, hp):
            for axis in "xy":
                hp.Float(axis, -1, 1)

        def fit(self, hp, model, *_, callbacks, **__):
            callbacks[-1].set_model(model)
            callbacks[-1].on_epoch_end(0, {"val_loss": (hp["x"] - 0.3) ** 2 + (hp["y"] + 0.2) ** 2})

    tuner = searched(tmp_path, "bayesian", Bowl(), max_trials=12, max_epochs=1)
    scores = [record.score for record in tuner.records.values()]
    assert tuner.oracle.num_initial_points == 4
    assert min(scores[4:]) < 0.3 * min(scores[:4])


def make_examples(rows, seed):
    texts, labels = make_reviews(rows, seed=seed)
    codes = np.array([label == "good" for label in labels], dtype=np.int64)
    return Examples(np.array(texts, dtype=object), codes, np.arange(1, rows + 1))


def arrays(path):
    """All that a checkpoint holds but the record among its notes."""
    with np.load(path, allow_pickle=False) as saved:
        return [saved[name] for name in saved.files if name.isdigit()]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.parametrize("fast", [False, True])
def test_one_and_two_and_six_epochs_are_nine(tmp_path, word_module, fast, trainable, optimizer):
    cache = FeatureCache(tmp_path / "features") if fast else None
    train, valid = make_examples(96, seed=1), make_examples(48, seed=2)
    ranges = {
        **{"modules": ["words"], "trainable": trainable, "layers": 2, "units": 8, "dropout": 0.4},
        **{"optimizer": optimizer, "learning_rate": 0.02, "fine_tuning_rate": 0.002, "batch_size": 32},
        **{"class_weight": "balanced", "activation": "relu", "head_first": True},
    }
    tuners, epochs = {}, {}
    for name in ("hyperband", "grid"):
        space = space_from(ranges)
        hypermodel = TrainableHyperModel(
            space, backbones(space, {"words": word_module}), Target(2), seed=3, features=cache
        )
        objective = keras_tuner.Objective("val_average_precision", "max")
        oracle = make_oracle(TunerConfig(name=name, max_epochs=9, factor=3), objective, seed=3)
        seen = Watcher()
        tuner = Tuner(oracle, hypermodel, max_epochs=9, observers=[seen], directory=str(tmp_path), project_name=name)
        tuner.search(train, valid, verbose=0)
        tuners[name], epochs[name] = tuner, [told[1:] for told in seen.epochs]
    chain, (once,) = (list(tuner.records.values()) for tuner in tuners.values())
    assert [(one.initial_epoch, one.epochs) for one in chain] == [(0, 1), (1, 3), (3, 9)]
    assert [one.parent for one in chain] == [None, *[one.trial_id for one in chain[:2]]]
    assert epochs["hyperband"] == epochs["grid"]

    best = max(chain, key=lambda record: record.score)  # of equals the first, as within a trial
    assert (best.score, best.best_epoch, best.metrics) == (once.score, once.best_epoch, once.metrics)
    promoted, straight = tuners["hyperband"].files, tuners["grid"].files
    for one, other in (
        (promoted.last(chain[-1].trial_id), straight.last(once.trial_id)),
        (promoted.best(best.trial_id), straight.best(once.trial_id)),
    ):
        came, expected = arrays(one), arrays(other)
        assert len(came) == len(expected) > 2
        for array, same in zip(came, expected, strict=True):
            np.testing.assert_array_equal(array, same)
