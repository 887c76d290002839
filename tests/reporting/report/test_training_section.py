"""How the models learned: which are shown, their picture, and the line of the largest class as the only answer."""

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from made_runs import flat_records, make_run

from search.reporting.report.figures import WIDTHS
from search.reporting.report.figures.epochs import Trained, epoch_curves
from search.reporting.report.models import MOST, model_name, models
from search.reporting.report.promotion_chains import configurations
from search.reporting.report.run_files import read_run
from search.reporting.report.sections.how_found import search
from search.reporting.report.sections.training import always_named, majority_scores, training

METRICS = {"accuracy": "accuracy", "log_loss": "log loss"}


def tried(*modules):
    names = [f"{row:04}" for row in range(len(modules))]
    scores = [row / 100 for row in range(len(modules))]
    facts = {"backbone": modules, "pretrained": modules, "frozen": True}
    return pd.DataFrame(
        {"trial_id": names, "parent": None, "status": "COMPLETED", **facts, "score": scores, "best_epoch": 1}
    )


@pytest.mark.parametrize(
    ("backbone", "pretrained", "frozen", "name"),
    [
        ("glove", "glove", False, "glove fine-tuned"),
        ("glove", "glove", True, "glove frozen"),
        ("lstm", None, False, "lstm"),
        ("lstm", "glove", True, "lstm on frozen glove"),
        ("lstm", "glove", False, "lstm on fine-tuned glove"),
    ],
)
def test_a_model_is_called_by_its_backbone_and_whether_it_learned(backbone, pretrained, frozen, name):
    assert model_name({"backbone": backbone, "pretrained": pretrained, "frozen": frozen}) == name


def test_few_configurations_are_all_shown_the_best_first():
    shown = models(tried("a", "b", "a", "c"), higher_is_better=True)
    assert [one.trial for one in shown] == ["0003", "0002", "0001", "0000"]
    assert [one.name for one in shown] == ["c frozen", "a frozen, trial 0002", "b frozen", "a frozen, trial 0000"]
    assert [one.trial for one in models(tried("a", "b"), higher_is_better=False)] == ["0000", "0001"]


def test_of_many_the_best_of_each_model_is_shown():
    shown = models(tried(*["a", "b"] * MOST), higher_is_better=True)
    assert [(one.name, one.trial) for one in shown] == [("b frozen", "0015"), ("a frozen", "0014")]
    assert len(models(tried(*map(str, range(3 * MOST))), higher_is_better=True)) == MOST


def test_a_configuration_that_was_promoted_stands_once_at_its_best_epoch():
    trials = tried("a", "b", "a", "c").assign(best_epoch=[1, 1, 3, 2])
    trials.loc[2, ["parent", "score"]] = "0000", 0.5
    trials.loc[3, ["parent", "score"]] = "0002", 0.4
    shown = models(trials, higher_is_better=True)
    assert [(one.trial, one.root, one.best_epoch) for one in shown] == [("0002", "0000", 3), ("0001", "0001", 1)]


def made_model(name, epochs=3):
    curve = {epoch: 1 / epoch for epoch in range(1, epochs + 1)}
    return Trained(name, min(2, epochs), dict.fromkeys(METRICS, curve), dict.fromkeys(METRICS, curve))


@pytest.mark.parametrize("width", WIDTHS)
def test_every_model_has_a_colour_a_name_and_its_curves(width):
    found = [made_model(f"model {i} of a long name", i + 1) for i in range(MOST)]
    picture = str(epoch_curves(found, METRICS, {"accuracy": 0.5, "log_loss": 0.7}, "always “no”", "held out", width))
    root = ElementTree.fromstring(picture)
    texts = [(float(text.get("x")), float(text.get("y")), text.text) for text in root.iter("text")]
    lines = [path.get("class").split() for path in root.iter("path") if path.get("data-tip")]
    colours = {style[1] for style in lines}
    # Two panels, two splits.
    assert len(colours) == MOST and len(lines) == MOST * 4
    for one in found:
        assert one.name in [text for *_, text in texts]
    assert "always “no”: accuracy 0.5, log loss 0.7" in [text for *_, text in texts]
    assert sum(path.get("class") == "l cut" for path in root.iter("path")) == 3
    _, _, right, bottom = map(float, root.get("viewBox").split())
    assert all(0 <= x < right and 0 < y < bottom for x, y, _ in texts)
    names = sorted((y, x, len(text)) for x, y, text in texts if text.startswith("model"))
    for (y, x, letters), (other_y, other_x, _) in pairwise(names):
        assert other_y > y or other_x > x + 5 * letters, "names overlap"


def test_a_metric_without_a_known_majority_has_no_line():
    picture = str(epoch_curves([made_model("one", 1)], METRICS, {}, "always “no”", "held out", WIDTHS[0]))
    assert "cut" not in picture and "always" not in picture


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    trials = flat_records(np.random.default_rng(0), 5)
    return read_run(make_run(tmp_path_factory.mktemp("run"), trials=trials, rows=60, measured=False))


def test_all_models_are_in_one_picture_beside_the_majority(run):
    shown = training(run, len(configurations(run.trials)))
    sizes = run.summary["sizes"]["train"]
    assert always_named(run) == f"“{max(sizes, key=sizes.get)}”"
    assert shown["all"] and len(shown["pictures"]) == len(WIDTHS)
    for picture in shown["pictures"]:
        assert len(set(re.findall(r'data-tip="(\S+ frozen(?:, trial \d+)?), validation split', picture))) == 5
    assert dict(shown["majority"])["accuracy"] == run.summary["baselines"]["majority"]["valid"]["accuracy"]
    assert [name for name, _ in shown["majority"]] == ["accuracy", "F1", "average precision", "log loss"]


def test_the_table_has_the_majority_in_its_own_row(run):
    table = search(run)["table"]
    row = dict(zip(table["columns"], table["majority"], strict=True))
    assert row["trial_id"] == f"always {always_named(run)}"
    assert float(row["score"]) == pytest.approx(majority_scores(run)["average_precision"], abs=1e-4)
    assert row["module"] == "" and table["open"]


def test_a_run_without_curves_or_majority_has_no_picture_and_no_row(tmp_path):
    run = read_run(make_run(tmp_path, trials=flat_records(np.random.default_rng(0), 3), measured=False, curves=False))
    assert training(run, len(configurations(run.trials))) is None
    run.summary["baselines"].pop("majority")
    assert search(run)["table"]["majority"] == []


@pytest.mark.parametrize(("objective", "drawn"), [("val_loss", False), ("val_average_precision", True)])
def test_the_curves_of_the_objective_are_not_drawn_twice(run, objective, drawn):
    objective = {"name": objective, "direction": "min" if objective == "val_loss" else "max"}
    assert bool(search(replace(run, summary={**run.summary, "objective": objective}))["curves"]) == drawn
