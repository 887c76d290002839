"""Every place that shows a run tells the same verdict, of runs of earlier versions too."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from reporting.report.made_runs import made_probabilities, make_run

from search.evaluation import score
from search.evaluation.paired import BETTER, SAME, WORSE, Predictions, paired_gains
from search.reporting.comparison.run_table import default_columns, table_of_runs
from search.reporting.comparison.show import scores
from search.reporting.comparison.text_columns import markdown
from search.reporting.notebook import run_card, run_lines
from search.reporting.report.card import card
from search.reporting.report.page import page
from search.reporting.report.run_files import read_run
from search.utils.files import write_json


def earlier(path, *, kept=True):
    """Makes the run one of a version that compared two numbers."""
    file = path / "summary.json"
    summary = json.loads(file.read_text())
    told = {name: summary["verdict"][name] for name in ("metric", "score", "best_baseline", "baseline_score")}
    write_json(file, {**summary, "verdict": {**told, "beaten": True, "text": "The search beat every baseline."}})
    if not kept:
        (path / "baselines.npz").unlink()
    return read_run(path)


def shown(run):
    """What each place says."""
    table = table_of_runs([run])
    board = markdown(scores([run], table, [f"test.{run.metric}"], None))
    return {"page": page(run), "card": card(run), "html": run_card(run), "lines": run_lines(run), "board": board}


@pytest.mark.parametrize(("skill", "outcome"), [(2.5, BETTER), (0.7, SAME), (0.0, WORSE)])
def test_the_word_stands_everywhere(tmp_path, skill, outcome):
    run = read_run(make_run(tmp_path, skill=skill, curves=False))
    assert run.summary["verdict"]["outcome"] == run.verdict.outcome == outcome
    for place, told in shown(run).items():
        assert outcome in told, place
    assert (table_of_runs([run])[default_columns(table_of_runs([run]))]["verdict.outcome"] == outcome).all()


def test_a_run_of_an_earlier_version_is_judged_anew(tmp_path):
    outcome = read_run(make_run(tmp_path, skill=0.7, curves=False)).verdict.outcome
    run = earlier(tmp_path)
    assert run.verdict.outcome == outcome == SAME
    for place, told in shown(run).items():
        assert outcome in told and "beat every" not in told, place


def test_without_the_baselines_predictions_an_earlier_run_claims_nothing(tmp_path):
    make_run(tmp_path, skill=2.5, curves=False)
    for place, told in shown(earlier(tmp_path, kept=False)).items():
        assert "beat every" not in told and "better than the" not in told, place
        assert "unknown" in told or "not known" in told, place


def test_the_ensemble_of_an_earlier_run_is_judged_from_its_predictions(tmp_path):
    make_run(tmp_path, skill=0.0, classes=("a", "b", "c"), curves=False)
    run = read_run(tmp_path)
    probabilities = made_probabilities(np.random.default_rng(5), run.labels, 3, 4.0)
    table = pd.DataFrame(probabilities, columns=[f"prob_{name}" for name in run.classes])
    kept = run.predictions[["row", "text", "label", "predicted"]]
    (tmp_path / "ensemble").mkdir()
    pd.concat([kept, table], axis="columns").to_csv(tmp_path / "ensemble" / "predictions.csv", index=False)
    found = score(run.labels, probabilities)
    ends = {name: [0.0, 1.0] for name in found}
    gains = paired_gains(
        run.labels, Predictions(probabilities, None), {"best": Predictions(run.probabilities, None)}, "macro_f1", seed=0
    )
    method = {"valid": found, "test": found, "test_interval": ends, "threshold": None}
    method["against_best"] = asdict(gains["best"])  # without the word
    ensembles = {"metric": "macro_f1", "members": [{"name": "trial_1"}], "chosen": "mean", "methods": {"mean": method}}
    write_json(tmp_path / "summary.json", {**run.summary, "ensembles": ensembles})
    run = earlier(tmp_path)
    assert run.verdict.ensemble.gain.outcome == BETTER and run.verdict.outcome == WORSE
    for place, told in shown(run).items():
        assert "ensemble" in told and BETTER in told, place
