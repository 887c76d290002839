"""Runs and trials as data frames."""

import pytest

from search.errors import InputError
from search.reporting.comparison.run_table import (
    ascending,
    best_baselines,
    column_named,
    default_columns,
    ordered,
    table_of_runs,
    table_of_trials,
)


def test_every_number_of_a_summary_has_its_path_as_a_name(runs):
    table = table_of_runs(runs)
    for i, run in enumerate(runs):
        row = table.loc[i]
        assert row["test.f1"] == run.summary["test"]["f1"]
        assert [row["test.f1.low"], row["test.f1.high"]] == run.summary["test_interval"]["f1"]
        assert row["seconds.total"] == 33.0
        assert row["best.module"] == run.summary["best"]["module"]
        assert row["trials"] == len(run.trials)
        # What was promoted goes on: its parent's epochs are not spent again.
        assert 0 < row["epochs"] < run.trials["epochs"].sum()


def test_chosen_metrics_stand_for_the_test_metrics(runs):
    table = table_of_runs(runs)
    columns = default_columns(table, ["valid.mcc", "test.f1"])
    assert [name for name in columns if name.startswith(("test.", "valid."))] == [
        "valid.mcc",
        "test.f1",
        "test.f1.low",
        "test.f1.high",
    ]
    assert set(columns) < set(table)


@pytest.mark.parametrize("metric", ["f1", "log_loss"])
def test_the_best_baseline_is_that_of_the_metric(runs, metric):
    tests = {name: one["test"] for name, one in runs[0].summary["baselines"].items() if "test" in one}
    best = sorted(tests, key=lambda name: tests[name][metric], reverse=metric == "f1")[0]
    assert best_baselines(table_of_runs(runs), f"test.{metric}")[0] == (best, tests[best][metric])


@pytest.mark.parametrize(("name", "column"), [("f1", "test.f1"), ("valid.f1", "valid.f1"), ("score", "score")])
def test_metrics_are_known_by_their_own_name_and_by_their_path(runs, name, column):
    assert column_named(table_of_runs(runs), name, "sort") == column


def test_a_misspelt_metric_is_told_with_the_nearest(runs):
    with pytest.raises(InputError, match=r"sort=test.averge_precision .* 'test.average_precision'"):
        column_named(table_of_runs(runs), "test.averge_precision", "sort")


@pytest.mark.parametrize("by", ["test.roc_auc", "test.log_loss", "seconds.total", "best.module", "score"])
def test_the_best_come_first_and_those_without_a_value_last(runs, by):
    table = table_of_runs(runs)
    table[by] = table[by].astype(object if by == "best.module" else float)
    if by != "best.module":
        table.loc[0, by] = float("nan")
    found = ordered(table, by, runs)[by].tolist()
    assert found[:-1] == sorted(found[:-1], reverse=not ascending(by, runs))
    assert by == "best.module" or found[-1] != found[-1]
    assert ascending(by, runs) == (by in ("test.log_loss", "seconds.total", "best.module"))


def test_the_best_trials_of_each_run(runs):
    table = table_of_trials(runs, 2)
    assert table.groupby("run")["rank"].apply(list).tolist() == [[1, 2]] * len(runs)
    assert table["score"].iloc[0] == runs[0].trials["score"].max()
