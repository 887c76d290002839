"""The verdict is one of three words, and chance is neither a win nor a loss."""

import json

import numpy as np
import pytest

from search.evaluation import score
from search.evaluation.paired import BETTER, SAME, WORSE, Predictions
from search.evaluation.verdict import Verdict, judge
from search.utils.files import write_json

LABELS = np.random.default_rng(0).integers(0, 2, 300)


def scored(skill, seed=3, noise=1.0):
    logit = skill * (2 * LABELS - 1) + noise * np.random.default_rng(seed).normal(size=len(LABELS))
    positive = 1 / (1 + np.exp(-logit))
    return Predictions(np.column_stack([1 - positive, positive]), 0.5)


BASELINES = {"majority": Predictions(np.full((300, 2), 0.5), 0.5), "word_counts": scored(1.0, 2)}


@pytest.mark.parametrize("metric", ["average_precision", "macro_f1", "log_loss"])
@pytest.mark.parametrize(("skill", "outcome"), [(2.5, BETTER), (1.0, SAME), (0.2, WORSE)])
def test_the_outcome_follows_the_interval_of_the_difference(metric, skill, outcome):
    model = scored(skill)
    verdict = judge(LABELS, model, BASELINES, metric, seed=0)
    assert verdict.outcome == outcome
    gain = verdict.gains[verdict.best_baseline]
    low, high = gain.interval
    assert (low > 0, high < 0) == (outcome == BETTER, outcome == WORSE)
    assert verdict.score == score(LABELS, *model)[metric]
    assert f"{outcome} " in verdict.text and f"{low:+.4f} to {high:+.4f}" in verdict.text


def test_the_best_baseline_is_the_one_that_is_gained_least_over():
    verdict = judge(LABELS, scored(2.5), BASELINES, "accuracy", seed=0)
    assert verdict.best_baseline == "word_counts"
    assert verdict.baseline_score == score(LABELS, *BASELINES["word_counts"])["accuracy"]
    losses = {"sure": scored(0.2, 4, noise=9.0), "majority": BASELINES["majority"]}
    assert judge(LABELS, scored(1.0), losses, "log_loss", seed=0).best_baseline == "majority"


def test_a_gain_by_chance_is_no_win_and_its_mirror_no_loss():
    one, other = scored(1.0), scored(1.0, 2)
    there, back = (judge(LABELS, a, {"b": b}, "accuracy", seed=0) for a, b in ((one, other), (other, one)))
    assert there.score != back.score
    assert there.outcome == back.outcome == SAME


def test_the_ensemble_is_judged_by_the_same_baseline():
    verdict = judge(LABELS, scored(0.2), BASELINES, "macro_f1", ensemble=("stacking", scored(2.5)), seed=0)
    assert (verdict.outcome, verdict.ensemble.gain.outcome) == (WORSE, BETTER)
    assert verdict.ensemble.gain.score == verdict.baseline_score
    assert "stacking" in verdict.text and "Use the ensemble" in verdict.text
    alone = judge(LABELS, scored(0.2), BASELINES, "macro_f1", seed=0)
    assert "Use the baseline" in alone.text


def test_it_comes_back_from_json_as_it_was(tmp_path):
    verdict = judge(LABELS, scored(1.0), BASELINES, "f1", ensemble=("mean", scored(1.2)), seed=0)
    write_json(tmp_path / "verdict.json", verdict.record())
    assert Verdict.read(json.loads((tmp_path / "verdict.json").read_text())) == verdict


def test_too_few_rows_to_tell_are_not_distinguishable(tmp_path):
    labels = np.zeros(4, dtype=np.int64)
    model, other = (Predictions(np.full((4, 2), p), 0.5) for p in (0.4, 0.6))
    verdict = judge(labels, model, {"majority": other}, "f1", seed=0)
    assert verdict.outcome == SAME and "too few rows" in verdict.text
    write_json(tmp_path / "verdict.json", verdict.record())
    assert Verdict.read(json.loads((tmp_path / "verdict.json").read_text())).outcome == SAME


def test_where_predictions_were_not_kept_nothing_is_claimed():
    record = {"metric": "f1", "score": 0.8, "best_baseline": "majority", "baseline_score": 0.7, "beaten": True}
    verdict = Verdict.read(record)
    assert verdict.outcome == "unknown"
    assert "better" not in verdict.text and "not known" in verdict.text
