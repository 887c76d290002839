"""`python -m search.evaluate`: a model that counts "good" (see made_models) on other labelled texts."""

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest
from made_models import make_finished_run
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score

from search.commands.evaluate import main

COUNTS = np.random.default_rng(0).integers(0, 4, 300)
SAID = np.where(COUNTS + np.random.default_rng(1).normal(size=300) > 1.5, "yes", "no")
PREDICTED = np.where(COUNTS >= 2, "yes", "no")  # sigmoid(count - 1) >= 0.6


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_finished_run(tmp_path_factory.mktemp("runs") / "made", rows=40)


@pytest.fixture
def evaluate(run, capsys):
    """Gives the exit code and what was printed."""

    def call(*arguments, of=run):
        code = main([f"run={of}", "device=cpu", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def texts_of(counts):
    return [f"{'good ' * count}day {row}" for row, count in enumerate(counts)]


def write(path, texts, labels, header=("words", "said")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *zip(texts, labels, strict=True)])
    return path


@pytest.fixture
def new(tmp_path):
    return write(tmp_path / "new.csv", texts_of(COUNTS), SAID)


def test_the_metrics_of_another_file(evaluate, new, tmp_path):
    code, out, err = evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}")
    assert (code, err) == (0, "")
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    scores = 1 / (1 + np.exp(1 - COUNTS))
    assert record["metrics"]["f1"] == pytest.approx(f1_score(SAID, PREDICTED, pos_label="yes"))
    expected = average_precision_score(SAID == "yes", scores)
    assert record["metrics"]["average_precision"] == pytest.approx(expected, abs=1e-6)
    low, high = record["intervals"]["average_precision"]
    assert low < expected < high
    assert record["confusion"] == confusion_matrix(SAID, PREDICTED, labels=["no", "yes"]).tolist()
    yes = record["per_class"][1]
    assert (yes["rows"], yes["predicted"]) == ((SAID == "yes").sum(), (PREDICTED == "yes").sum())
    assert record["rows"] == 300 and record["mistakes"] == (SAID != PREDICTED).sum() and not record["trained_on"]
    assert sum(one["rows"] for one in record["calibration"]) == 300
    assert f"{record['metrics']['f1']:.3f}" in out and "yes taken for no" in out


def test_the_most_wrong_are_the_confident_mistakes(evaluate, new, tmp_path):
    assert evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}")[0] == 0
    wrong = json.loads((tmp_path / "out" / "evaluation.json").read_text())["most_wrong"]
    assert {(one["label"], one["predicted"]) for one in wrong} == {("yes", "no"), ("no", "yes")}
    for one in wrong:
        row = one["row"] - 1
        assert (one["label"], one["predicted"]) == (SAID[row], PREDICTED[row]) and one["text"].endswith(f" {row}")
    misses = [one["probability"] for one in wrong if one["predicted"] == "no"]
    assert misses == sorted(misses, reverse=True)
    assert max(misses) == pytest.approx(1 - 1 / (1 + np.exp(1 - COUNTS[(SAID == "yes")].min())))


def test_predictions_are_those_of_the_model(evaluate, new, tmp_path):
    assert evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}", "threshold=0.4")[0] == 0
    table = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert list(table) == ["row", "text", "label", "predicted", "prob_no", "prob_yes"]
    np.testing.assert_allclose(table["prob_yes"], 1 / (1 + np.exp(1 - COUNTS)), atol=1e-6)
    assert (table["predicted"] == np.where(COUNTS >= 1, "yes", "no")).all()
    assert table["row"].tolist() == list(range(1, 301))


def test_it_goes_into_the_run_where_no_folder_is_named(evaluate, run, new):
    for _ in range(2):
        assert evaluate(f"dataset.path={new}", "dataset.name=later")[0] == 0
    folders = sorted((run / "evaluations").iterdir())
    assert len(folders) == 2 and all(folder.name.startswith("later_") for folder in folders)
    assert all(sorted(file.name for file in one.iterdir()) == ["evaluation.json", "predictions.csv"] for one in folders)


def test_rows_without_a_text_or_label_are_counted_and_repeats_are_kept(evaluate, tmp_path):
    texts = ["good good", "", "bad", "bad", "bad", "good", "fine"]
    new = write(tmp_path / "new.csv", texts, ["yes", "no", "no", "no", "yes", "", "no"])

    def rows(*arguments):
        folder = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        code, out, err = evaluate(f"dataset.path={new}", f"output={folder}", *arguments)
        assert code == 0, err
        return pd.read_csv(folder / "predictions.csv")["row"].tolist(), out

    kept, out = rows()
    assert kept == [1, 3, 4, 5, 7]
    assert "1 without a text" in out and "1 without a label" in out
    assert rows("dataset.duplicates=first")[0] == [1, 3, 5, 7]
    assert rows("dataset.duplicates=first", "dataset.conflicts=majority")[0] == [1, 3, 7]
    assert len(rows("dataset.limit=2")[0]) == 2
    code, _, err = evaluate(f"dataset.path={new}", "dataset.missing=error")
    assert code == 2 and "Row 2 " in err


def test_one_class_leaves_metrics_undefined(evaluate, tmp_path):
    new = write(tmp_path / "new.csv", texts_of([0, 1, 2, 3]), ["no"] * 4)
    code, out, err = evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}")
    assert (code, err) == (0, "")
    assert "No row is of class yes" in out and "roc_auc" in out
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert record["metrics"]["accuracy"] == 0.5
    assert record["metrics"]["f1"] is None and record["intervals"]["roc_auc"] == [None, None]
    assert record["per_class"][1]["recall"] is None


def test_more_classes_and_labels_by_range(tmp_path, evaluate):
    run = make_finished_run(tmp_path / "three", ("a", "b", "c"), None, rows=30, ordered=True)
    new = write(tmp_path / "new.csv", texts_of([0, 3, 3, 0]), [1, 5, 9, 7])
    ranges = "dataset.label_ranges={a: {max: 3}, b: {min: 4, max: 6}, c: {min: 9}}"
    code, out, err = evaluate(f"dataset.path={new}", ranges, f"output={tmp_path / 'out'}", of=run)
    assert (code, err) == (0, "")
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert record["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert record["cleaning"]["other_class"] == 1
    assert record["metrics"]["mae"] == pytest.approx(1 / 3) and record["ordered"]
    assert "c taken for b" in out and "quadratic_kappa" in out
    assert evaluate(f"dataset.path={new}", ranges, "threshold=0.5", of=run)[0] == 2


def test_a_data_set_by_name_takes_the_place_of_the_runs_settings(evaluate, tmp_path):
    new = write(tmp_path / "new.csv", texts_of(COUNTS), SAID, header=("text", "label"))
    assert evaluate(f"dataset.path={new}")[0] == 2
    code, _, err = evaluate("dataset=csv", f"dataset.path={new}", f"output={tmp_path / 'out'}")
    assert (code, err) == (0, "")


def test_the_file_that_was_trained_on_is_pointed_out(tmp_path, evaluate):
    trained = write(tmp_path / "trained.csv", texts_of(COUNTS), SAID)
    settings = f"text: words\n  label: said\n  path: {trained}"
    run = make_finished_run(tmp_path / "made", dataset=settings, rows=20, texts=texts_of(COUNTS)[:5])
    code, out, _ = evaluate(of=run)
    assert code == 0
    assert "trained on this data: 5 of the rows are of its test split" in out
    other = write(tmp_path / "other.csv", texts_of(COUNTS), SAID)
    assert "trained on" not in evaluate(f"dataset.path={other}", of=run)[1]


def test_a_test_file_of_its_own_is_what_is_evaluated(tmp_path, evaluate):
    for name in ("train", "test"):
        write(tmp_path / f"{name}.csv", texts_of(COUNTS[:20]), SAID[:20])
    settings = f"text: words\n  label: said\n  path: {tmp_path}/train.csv\n  test_path: {tmp_path}/test.csv"
    run = make_finished_run(tmp_path / "made", dataset=settings, rows=20)
    code, out, _ = evaluate(of=run)
    assert code == 0 and "test.csv" in out and "trained on" not in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dataset.path={new}", "dataset.label=sade"], ["'said'", "dataset.label"]),
        (["dataset.path={unknown}"], ["'maybe' (2 rows, the first is 2)", "'YES' (1 row, the first is 4)", "'no'"]),
        (["dataset.path={unknown}", "dataset.classes=[no,perhaps]"], ["perhaps"]),
        (["dataset.path=/nowhere/new.csv"], ["/nowhere"]),
        (["dataset.path={new}", "dataset.txt=words"], ["dataset.txt", "'dataset.text'"]),
        (["dataset.path={new}", "dataset.test_size=0.5"], ["dataset.test_size", "each row"]),
        (["dataset.path={new}", "dataset.limit=many"], ["limit", "many"]),
        (["dataset.path={new}", "dataset.separator=[1"], ["dataset.separator"]),
        (["dataset.path={new}", "dataset.encoding=utf-88"], ["utf-8"]),
        (["dataset.path=a.csv,b.csv"], ["a.csv,b.csv"]),
        (["dataset=cvs", "dataset.path={new}"], ["cvs", "'csv'"]),
        (["dataset=../dataset/csv", "dataset.path={new}"], ["../dataset/csv"]),
        (["dataset=csv"], ["dataset.path"]),
        (["dataset.path={new}", "threshold=2"], ["threshold=2"]),
        (["dataset.path={new}", "device=tpu"], ["tpu"]),
        (["dataset.path={new}", "output={folder}"], ["output="]),
        (["ouput=x"], ["'output'"]),
        (["dataset"], ["key=value"]),
        (["run=/nowhere"], ["/nowhere"]),
        (["run="], ["run="]),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(evaluate, run, new, tmp_path, arguments, told):
    unknown = write(tmp_path / "unknown.csv", texts_of([1, 2, 3, 1]), ["no", "maybe", "maybe", "YES"])
    before = sorted(tmp_path.rglob("*")), sorted(run.rglob("*"))
    code, _, err = evaluate(*(one.format(new=new, unknown=unknown, folder=tmp_path) for one in arguments))
    assert (code, err.count("\n")) == (2, 1), err
    assert all(one in err for one in told), err
    assert (sorted(tmp_path.rglob("*")), sorted(run.rglob("*"))) == before


def test_classes_leave_rows_of_others_out(evaluate, tmp_path):
    new = write(tmp_path / "new.csv", texts_of([1, 2, 3, 1]), ["no", "maybe", "yes", "no"])
    code, out, err = evaluate(f"dataset.path={new}", "dataset.classes=[no,yes]", f"output={tmp_path / 'out'}")
    assert (code, err) == (0, "")
    assert "1 of other classes" in out


def test_nothing_is_left_where_writing_fails(evaluate, new, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("search.reporting.evaluation.write_predictions", refuse)
    code, _, err = evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}")
    assert code == 2 and "No space left" in err
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "run=" in capsys.readouterr().out


@pytest.mark.parametrize("classes", [("0", "1"), ("2", "1"), ("a name of sixty letters " * 3 + "1", "0")])
def test_a_column_of_the_matrix_is_headed_by_its_class(tmp_path, evaluate, classes):
    run = make_finished_run(tmp_path / "run", classes, rows=30)
    new = write(tmp_path / "new.csv", texts_of([0, 0, 0, 0, 0, 3, 3]), [*[classes[0]] * 4, *[classes[1]] * 3])
    code, out, _ = evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}", of=run)
    assert code == 0
    lines = out.splitlines()
    above = next(i for i, line in enumerate(lines) if line.split() == ["as", "as"])
    heads, rows = re.split(r"\s{2,}", lines[above + 1].strip()), [line.split() for line in lines[above + 3 : above + 5]]
    for name, head, row, counts in zip(classes, heads[1:], rows, (["4", "0"], ["1", "2"]), strict=True):
        begin, _, end = head.partition("…")
        assert name.startswith(begin) and name.endswith(end) and row[-2:] == counts
    assert heads[1] != heads[2]


def test_the_verdict_over_the_commonest_answer_is_one_of_three_words(evaluate, new, tmp_path):
    code, out, _ = evaluate(f"dataset.path={new}", f"output={tmp_path / 'out'}")
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert code == 0 and record["verdict"]["outcome"] == "better" and record["verdict"]["text"] in out
    assert record["verdict"]["baseline_score"] == pytest.approx((SAID == "yes").mean())  # average precision by chance
    few = write(tmp_path / "few.csv", texts_of([0, 3, 1, 2]), ["yes", "no", "no", "yes"])
    assert evaluate(f"dataset.path={few}", f"output={tmp_path / 'few'}")[0] == 0
    record = json.loads((tmp_path / "few" / "evaluation.json").read_text())
    assert record["verdict"]["outcome"] == "not distinguishable"
