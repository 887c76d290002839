"""One entry in the list of metrics is all that the tables which show metrics need."""

from types import SimpleNamespace

import pandas as pd
import pytest

from search.evaluation import metric_list
from search.evaluation.metric_list import METRICS, Metric, Target, shown_in, shown_metrics
from search.evaluation.metrics import direction, limits, names
from search.reporting.comparison import multirun, show
from search.reporting.report.sections import training

KINDS = ("binary", "multiclass", "several")
VIEWS = (*KINDS, *(f"report_{kind}" for kind in KINDS), "leaderboard", "multirun")


@pytest.fixture
def made(monkeypatch):
    metric = Metric("made", lower_is_better=True, limits=(0.0, 3.0), places=dict.fromkeys(VIEWS, -1))
    monkeypatch.setattr(metric_list, "METRICS", (*METRICS, metric))
    return metric


def test_places_of_a_view_are_unique_and_of_views_that_there_are():
    assert {view for one in METRICS for view in one.places} == set(VIEWS)
    for view in VIEWS:
        places = [one.places[view] for one in METRICS if view in one.places]
        assert sorted(places) == list(range(1, len(places) + 1))


def test_a_metric_for_two_classes_is_not_in_tables_for_more():
    for target in (Target(3), Target(3, ordered=True)):
        assert set(shown_metrics(target)) | set(shown_in("report_multiclass", target)) <= set(names(target))


def test_metrics_of_ordered_classes_are_in_tables_of_these_alone():
    for classes in (2, 3):
        plain, ordered = shown_metrics(Target(classes)), shown_metrics(Target(classes, ordered=True))
        assert [name for name in ordered if name not in plain] == ["quadratic_kappa", "mae"]
        assert [name for name in ordered if name in plain] == list(plain)


def test_several_labels_have_metrics_of_their_own():
    several, one = set(names(Target(4, several=True))), set(names(Target(4)))
    assert several - one == {"micro_f1", "subset_accuracy", "hamming_loss"}
    assert not several & {"accuracy", "mcc", "expected_calibration_error"}
    for view in ("several", "report_several"):
        assert set(shown_in(view)) <= several


def test_an_entry_is_known_and_shown_everywhere(made):
    assert "made" in names(Target(2)) and "made" in names(Target(3))
    assert (direction("made"), limits("made")) == ("min", (0.0, 3.0))
    assert shown_metrics(Target(2))[0] == shown_metrics(Target(3))[0] == "made"
    for classes in (2, 3):
        assert training.shown_metrics(SimpleNamespace(target=Target(classes)))[0] == "made"


def test_an_entry_is_a_column_of_the_tables_of_runs(made, monkeypatch):
    table = pd.DataFrame({"status": ["finished"], "test.f1": [0.5], "test.made": [0.7]})
    monkeypatch.setattr(multirun, "best_metric", lambda runs: "test.f1")
    monkeypatch.setattr(multirun, "FINISHED", "finished")
    assert multirun._metrics([SimpleNamespace(metric="f1")], table) == ["test.f1", "test.made"]

    monkeypatch.setattr(show, "_named", lambda runs, table: [])
    monkeypatch.setattr(show, "baseline_column", lambda table, tested: tested)
    monkeypatch.setattr(show, "verdict_column", lambda table, tested: tested)
    monkeypatch.setattr(show, "_cost", lambda table: "cost")
    monkeypatch.setattr(show, "metric_column", lambda table, metric: metric)
    monkeypatch.setattr(show, "fitting", lambda fixed, further, width: further)
    monkeypatch.setattr(show, "best_metric", lambda runs: "test.f1")
    assert "test.made" in show.scores([], table, ["test.f1"], 80)
