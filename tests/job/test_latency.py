"""A search proposes nothing that is slower than its limit, and a run that is taken up again decides as before."""

import json

import numpy as np
import pytest
from declared import backbones
from reviews import make_reviews, write_reviews

from search.config import ObjectiveConfig
from search.config.tuner import TunerConfig
from search.datasets import Examples
from search.errors import InputError
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.job.latency import LatencyLimit, least_values, timed_classifier
from search.models.wide.words import Words
from search.training.trainable import TrainableHyperModel
from search.tuning.objective import make_objective
from search.tuning.oracles import make_oracle
from search.tuning.tuner import Tuner
from spaces import space_from

RANGES = {"modules": ["words", "mean", "lstm"], "encoder_units": [16, 4], "units": [8, 4], "layers": [1, 2]}


def examples(rows, seed):
    texts, labels = make_reviews(rows, seed=seed)
    codes = np.array([label == "good" for label in labels], np.int64)
    return Examples(np.array(texts, object), codes, np.arange(1, rows + 1))


TRAIN, VALID = examples(80, seed=1), examples(40, seed=2)


@pytest.fixture
def make(word_module, tmp_path):
    def make(**ranges):
        space = space_from({**RANGES, "trainable": False, "batch_size": 32, **ranges})
        cache = FeatureCache(tmp_path / "features", "float32", None)
        standing = backbones(space, {"words": word_module}, TRAIN.texts)
        return TrainableHyperModel(space, standing, Target(2), 0, cache, words=Words(TRAIN.texts))

    return make


class Clock:
    """Gives times that were thought of before; counts what it is asked for."""

    def __init__(self, *times):
        self.times = list(times)
        self.measured = 0

    def __call__(self, classify, texts):
        assert classify(texts[:3]).shape == (3, 2)
        self.measured += 1
        return self.times.pop(0)


def limit_of(tmp_path, limit, *times):
    clock = Clock(*times)
    return LatencyLimit(limit, tmp_path / "latency.json", TRAIN.texts, clock), clock


def test_what_is_slower_is_left_out_and_all_times_are_said(make, tmp_path):
    said = []
    limit, clock = limit_of(tmp_path, 0.5, 0.02, 0.1, 0.9, 0.8)
    ranges = limit.narrowed(RANGES, make(), said.append)
    assert ranges == {**RANGES, "modules": ["words", "mean"]}
    (line,) = said
    assert all(part in line for part in ("lstm", "0.5", "words 0.02 ms", "mean 0.1 ms", "lstm 0.8 ms"))
    # What is above the limit is measured twice: the machine may have been busy.
    assert clock.measured == 4


def test_one_bad_moment_leaves_nothing_out(make, tmp_path):
    limit, _ = limit_of(tmp_path, 0.5, 0.7, 0.3)
    assert limit.narrowed({"modules": "words"}, make(modules="words"), str) == {"modules": "words"}


def test_a_limit_that_nothing_keeps_is_an_error_with_the_times(make, tmp_path):
    limit, _ = limit_of(tmp_path, 0.5, 3.0, 2.0)
    with pytest.raises(InputError, match=r"max_ms_per_text=0\.5.*words 2 ms"):
        limit.narrowed({}, make(modules="words"), str)


def test_without_a_limit_nothing_is_measured_or_written(make, tmp_path):
    limit, clock = limit_of(tmp_path, None)
    hypermodel = make()
    assert limit.narrowed(RANGES, hypermodel, str) == RANGES
    assert not limit.constraints(hypermodel)
    assert clock.measured == 0 and not any(tmp_path.iterdir()) and limit.outcome(1.0) is None


def test_the_outcome_says_limit_and_measured_time(tmp_path):
    limit, _ = limit_of(tmp_path, 0.5)
    above, within = limit.outcome(0.5204), limit.outcome(0.5)
    assert not above["met"] and "limit 0.5 ms a text, measured 0.52 ms" in above["text"]
    assert within["met"] and within["text"].startswith("Within")


def test_a_kept_file_that_is_damaged_is_named(tmp_path):
    (tmp_path / "latency.json").write_text("[1]")
    with pytest.raises(InputError, match=r"latency\.json is damaged"):
        limit_of(tmp_path, 0.5)


def test_the_least_of_an_encoder_is_its_smallest(make):
    hypermodel = make()
    least = least_values(hypermodel.space, "lstm")
    assert (least["encoder_units"], least["units_1"], least["layers"], least["trainable"]) == (4, 4, 1, False)
    assert timed_classifier(hypermodel, least)(VALID.texts).shape == (40, 2)


def test_a_module_that_is_fine_tuned_is_timed_frozen(make):
    hypermodel = make(modules="words", trainable=True)
    built = []
    build = hypermodel.build
    hypermodel.build = lambda hp: built.append(build(hp)) or built[0]
    timed_classifier(hypermodel, {**least_values(hypermodel.space, "words"), "trainable": True})
    assert not built[0].get_layer("embedding").trainable


def test_values_that_are_slow_with_every_encoder_are_left_out(make, tmp_path):
    limit, clock = limit_of(tmp_path, 0.5, 0.1, 0.1, 0.9, 0.9)
    said = []
    hypermodel = make(modules=["mean", "lstm"])
    assert limit.narrowed({}, hypermodel, said.append) == {"encoder_units": [4]}
    assert "encoder_units=16 (" in said[0] and clock.measured == 4
    assert limit.milliseconds == {"mean": 0.1, "lstm": 0.1, "lstm, encoder_units=16": 0.9}


def test_words_beside_the_head_are_timed_too(make, tmp_path):
    limit, clock = limit_of(tmp_path, 0.5, 0.1, 0.9, 0.8)
    hypermodel = make(modules="words", wide=["none", "tfidf"])
    assert limit.narrowed({}, hypermodel, str) == {"wide": ["none"]}
    assert limit.milliseconds == {"words": 0.1, "words, wide=tfidf": 0.8} and clock.measured == 3


@pytest.mark.slow
def test_slow_settings_fail_their_trials_and_are_measured_once(make, tmp_path):
    def searched(*times):
        few = {"units": 8, "layers": 1, "learning_rate": 0.01, "dropout": 0.1, "class_weight": "none"}
        hypermodel = make(modules="lstm", encoder_units={"min": 1, "max": 7, "step": 1}, **few)
        limit, clock = limit_of(tmp_path, 0.5, *times)
        limit.narrowed({}, hypermodel, str)
        constraints = limit.constraints(hypermodel)
        objective = make_objective(ObjectiveConfig(), Target(2))
        oracle = make_oracle(TunerConfig(name="grid", max_epochs=1), objective, 0)
        folder = {"directory": str(tmp_path), "project_name": "trials"}
        tuner = Tuner(oracle, hypermodel, max_epochs=1, constraints=constraints, **folder)
        tuner.search(TRAIN, VALID, verbose=0)
        return tuner, clock

    # The least is fast; the others are not, each of them measured twice.
    tuner, clock = searched(0.1, *[0.9] * 12)
    assert clock.measured == 13
    records = {record.values["encoder_units"]: record for record in tuner.records.values()}
    assert sorted(records) == [1, 2, 3, 4, 5, 6, 7] and records.pop(1).status == "COMPLETED"
    for units, record in records.items():
        assert record.status == "FAILED" and f"encoder_units={units} takes 0.9 ms" in record.error
    assert json.loads((tmp_path / "latency.json").read_text())["lstm, encoder_units=7"] == 0.9
    # Taken up again, it measures nothing.
    again, clock = searched()
    assert clock.measured == 0 and list(again.records) == list(tuner.records)


CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")
TINY = (
    "tuner=random",
    "tuner.max_trials=1",
    "tuner.max_epochs=1",
    "space.trainable=false",
    "space.wide=none",
    "hydra.run.dir=run",
)


@pytest.mark.slow
def test_the_command_keeps_to_the_limit_and_to_its_times(search_command, tmp_path, word_module):
    write_reviews(tmp_path / "reviews.csv", 200)
    command = (*CSV, *TINY, f"space.modules=[{word_module}]")
    refused = search_command(*command, "objective.max_ms_per_text=1e-9")
    assert refused.code == 2 and f"{word_module} 0." in refused.err and not (tmp_path / "run").exists()

    outcome = search_command(*command, "objective.max_ms_per_text=1000")
    assert outcome.code == 0, outcome.err
    run = tmp_path / "run"
    summary, report = (json.loads((run / name).read_text()) for name in ("summary.json", "report.json"))
    assert summary["latency"]["met"] and summary["latency"]["text"] in outcome.out
    assert summary["milliseconds_per_text"] == report["milliseconds"]["model"] > 0
    for name, baseline in summary["baselines"].items():
        assert baseline["milliseconds_per_text"] == report["milliseconds"]["baselines"][name] > 0
    assert report["milliseconds"]["batch"] == 256 and report["milliseconds"]["trials"][str(word_module)] > 0
    assert "Speed against score" in (run / "report.html").read_text()

    (run / "summary.json").unlink()  # as if it had been killed before its end
    (run / "latency.json").write_text(json.dumps({str(word_module): 0.125}))
    again = search_command(f"resume={run}")
    assert again.code == 0 and f"{word_module} 0.125 ms" in again.out


@pytest.mark.parametrize("limit", ["0", "-1", "inf", "nan"])
def test_an_impossible_limit_is_refused(search_command, limit):
    outcome = search_command(f"objective.max_ms_per_text={limit}")
    assert outcome.code == 2 and "objective.max_ms_per_text" in outcome.err
