"""The terminal shows the answer in 80 columns, and a line per trial where there is no terminal."""

import io
import re
from pathlib import Path

import numpy as np
from keras_tuner import Objective
from rich.cells import cell_len
from rich.console import Console

from search.datasets import Cleaning, Examples, Splits
from search.evaluation.metric_list import Target
from search.reporting.class_counts import describe_classes
from search.reporting.cleaning_counts import describe_cleaning
from search.reporting.screen import Screen
from search.reporting.tables import meaning_of_classes
from search.tuning.oracles import Plan
from search.tuning.record import TrialRecord


def make_screen(**settings):
    output = io.StringIO()
    return Screen(Console(file=output, width=80, **settings)), output


def test_cleaning_says_what_was_left_out_and_nothing_else():
    sentence = describe_cleaning(Cleaning(read=1200, duplicates=7, empty_text=1))
    assert "1,200 rows" in sentence
    assert "7 that repeat" in sentence
    assert "conflicting" not in sentence
    assert sentence.endswith("No text is in two splits.")


def test_texts_that_stand_in_two_splits_are_said():
    sentence = describe_cleaning(Cleaning(read=10, shared_test=3))
    assert "3 rows of test" in sentence
    assert "No text" not in sentence


def test_data_are_shown_class_by_class():
    screen, output = make_screen()
    split = Examples(np.array(["a", "b", "c"], dtype=object), np.array([0, 1, 1]), np.arange(3))
    screen.show_data("mine", Splits(("no", "yes"), split, split, split, Cleaning(read=9)))
    lines = [line.split() for line in output.getvalue().splitlines()]
    assert ["yes", "2", "2", "2"] in lines
    assert ["all", "3", "3", "3"] in lines
    assert "on a line of its own" not in output.getvalue()
    screen.show_data("mine", Splits(("no", "yes"), split, split, split, Cleaning(read=9)), ["title", "body"])
    assert "A text is title, body of a row" in output.getvalue()


def test_a_search_without_a_terminal_gives_a_line_per_trial():
    screen, output = make_screen()
    with screen.progress(Plan(3, 6), Objective("val_f1", "max")) as progress:
        for trial_id, score in (("0", 0.5), ("1", None), ("2", 0.4)):
            record = TrialRecord(trial_id, {}, target_epochs=2)
            progress.on_trial_begin(record)
            if score is None:
                record.error, record.status = "ValueError: broken", "FAILED"
            else:
                record.score, record.status, record.epochs = score, "COMPLETED", 2
                progress.on_epoch_end(record, 1, {"val_f1": score})
            progress.on_trial_end(record)
    lines = output.getvalue().strip().splitlines()
    assert len(lines) == 4
    assert "1/3" in lines[1]
    assert "broken" in lines[2]
    assert "best 0.500" in lines[3]


def test_the_bar_counts_epochs_and_skips_those_not_needed():
    screen, _ = make_screen(force_terminal=True)
    with screen.progress(Plan(2, 12), Objective("val_loss", "min")) as progress:
        stopped = TrialRecord("0", {}, target_epochs=9, score=0.5)
        progress.on_trial_begin(stopped)
        progress.on_epoch_end(stopped, 1, {})
        assert progress.bar.tasks[0].completed == 1
        progress.on_trial_end(stopped)
        assert progress.bar.tasks[0].completed == 9
        promoted = TrialRecord("1", {}, initial_epoch=1, target_epochs=3, score=0.7)
        progress.on_trial_begin(promoted)
        progress.on_epoch_end(promoted, 2, {})
        assert progress.bar.tasks[0].completed == 10
        assert "0.5" in progress.bar.tasks[0].fields["best"]


def test_the_answer_fits_into_80_columns():
    screen, output = make_screen()
    metrics = ("macro_f1", "accuracy", "weighted_f1", "mcc", "roc_auc", "average_precision", "log_loss")
    scores = dict.fromkeys(metrics, 0.12345)
    summary = {
        "classes": ["a", "b", "c"],
        "best": {"module": "glove-50", "dropout": 0.123456},
        "valid": scores,
        "test": scores,
        "test_interval": dict.fromkeys(metrics, (0.1, 0.2)),
        "baselines": {
            "majority": {"test": scores, "milliseconds_per_text": 0.0001},
            "tfidf_naive_bayes": {"test": scores, "milliseconds_per_text": 0.05},
            "tfidf_nb_logistic_regression": {"error": "no words"},
        },
        "milliseconds_per_text": 12.3456,
        "latency": {"text": "ABOVE the limit."},
        "verdict": {
            "text": "The search is better.",
            "metric": "macro_f1",
            "best_baseline": "tfidf_naive_bayes",
            "gains": {name: {"gain": -0.1, "interval": [-0.2, None]} for name in ("majority", "tfidf_naive_bayes")},
        },
    }
    screen.show_result(summary, Path("outputs/run"))
    table = output.getvalue().split("metric")[1].split("The search")[0].splitlines()
    assert max(len(line) for line in table) <= 80
    rows = [line for line in table if line.split() and line.split()[0] in metrics]
    assert len(rows) == len(metrics)
    assert all("0.100 to 0.200" in row for row in rows)
    assert ["ms", "a", "text", "12.346"] in map(str.split, table)
    shown = {line.split("  ")[0].strip(): line.split()[-1] for line in table if line.strip()}
    assert shown["majority"] == "<0.001" and shown["tfidf naive bayes"] == "0.050"
    assert shown["tfidf nb logistic regression"] == "-"
    assert "ABOVE the limit." in output.getvalue()


def shown_data(classes, width=80):
    output = io.StringIO()
    rows = 123_456 * np.ones(len(classes), dtype=int)
    split = Examples(np.full(rows.sum(), "a", dtype=object), np.repeat(np.arange(len(classes)), rows), np.arange(1))
    screen = Screen(Console(file=output, width=width))
    screen.show_data("mine", Splits(classes, split, split, split, Cleaning()))
    return output.getvalue().splitlines()


def test_long_class_names_leave_the_counts_whole_and_can_be_told_apart():
    ends, middles = ([f"{'word ' * 12}{i}" for i in range(3)], ["x" * 60 + "y" * i + "x" * 60 for i in range(3)])
    for names in (ends, middles, ["字" * 60, "b"]):
        lines = shown_data(tuple(names))
        rows = [line for line in lines if "123,456" in line]
        assert len(rows) == len(names) and all(line.split()[-3:] == ["123,456"] * 3 for line in rows)
        assert all("…" in line for line in rows[:1]) and len(set(rows)) == len(names)
        assert all(cell_len(line) <= 80 for line in rows)


def test_short_class_names_stay_whole():
    assert any(line.startswith(" [i]no  ") for line in shown_data(("[i]no", "yes")))


def test_bars_say_which_time_has_passed_and_which_is_left():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    screen = Screen(console)
    with screen.busy("Starting TensorFlow"):
        pass
    with screen._live() as bars:
        bars.add_task("search", total=3, unit="epochs", best="")
    shown = console.file.getvalue()
    assert "Starting TensorFlow" in shown and re.search(r"elapsed,.*left", shown)


def test_classes_that_differ_between_the_splits_are_named():
    told = describe_classes({"a": 2}, Cleaning(merged=5, unseen_test=3), ["new"], {"b": 4, "c": 0, "new": 3})
    assert "merged into 'other', 5 rows: a (2)" in told and "3 test rows are of classes that train lacks" in told
    assert "Classes without a test row" in told and "c." in told
    assert describe_classes({}, Cleaning(), [], {"b": 4}) == ""


def test_the_positive_class_is_told_where_there_are_two_and_the_order_of_more():
    assert meaning_of_classes(["no", "yes"], Target(2)) == "Positive class: yes"
    assert meaning_of_classes(["a", "b", "c"], Target(3)) is None
    assert "from a to c" in meaning_of_classes(["a", "b", "c"], Target(3, ordered=True))
