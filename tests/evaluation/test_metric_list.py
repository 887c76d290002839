"""One entry in the list of metrics is all that the tables which show metrics need."""

from types import SimpleNamespace

import pandas as pd
import pytest

from search.evaluation import metric_list
from search.evaluation.metric_list import METRICS, Metric, shown_in, shown_metrics
from search.evaluation.metrics import direction, limits, names
from search.reporting.comparison import multirun, show
from search.reporting.report.sections import training

VIEWS = ("binary", "multiclass", "report_binary", "report_multiclass", "leaderboard", "multirun")


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
    assert set(shown_metrics(3)) <= set(names(3))
    assert set(shown_in("report_multiclass")) <= set(names(3))


def test_an_entry_is_known_and_shown_everywhere(made):
    assert "made" in names(2) and "made" in names(3)
    assert (direction("made"), limits("made")) == ("min", (0.0, 3.0))
    assert shown_metrics(2)[0] == shown_metrics(3)[0] == "made"
    for classes in (["a", "b"], ["a", "b", "c"]):
        assert training.shown_metrics(SimpleNamespace(classes=classes))[0] == "made"


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
