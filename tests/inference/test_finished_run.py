"""A finished run from Python."""

import shutil
import subprocess
import sys
import xml.dom.minidom

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from made_models import make_finished_run
from reporting.report.made_runs import NASTY, flat_records, make_run

import search
from search.commands import predict


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    trials = flat_records(np.random.default_rng(0), 12)
    return make_finished_run(tmp_path_factory.mktemp("runs") / "made", rows=60, trials=trials)


@pytest.fixture(scope="module")
def run(folder):
    return search.load_run(str(folder))


def test_the_package_is_light_until_it_is_used():
    code = (
        "import sys, search\n"
        "assert {'run', 'load_run', 'InputError'} <= set(dir(search))\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'hydra', 'numpy', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import search.report, search.predict, search.evaluate\n"
        "assert callable(search.run) and callable(search.load_run)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="lode_run"):
        search.lode_run  # noqa: B018


def test_what_the_files_of_a_run_say(run, folder):
    board = pd.read_csv(folder / "leaderboard.csv", dtype={"trial_id": str})
    assert run.leaderboard["trial_id"].tolist() == board["trial_id"].tolist()
    assert run.leaderboard["score"].is_monotonic_decreasing
    assert (run.best.trial, run.best.score) == (board["trial_id"][0], board["score"][0])
    assert run.best.hyperparameters["module"] == board["module"][0]
    assert run.best.objective == "val_average_precision"
    name = "average_precision"
    assert run.test.loc[name, "score"] == run.summary["test"][name]
    assert run.test.loc[name, ["low", "high"]].tolist() == run.summary["test_interval"][name]
    assert run.baselines.loc[name, "majority"] == run.summary["baselines"]["majority"]["test"][name]
    assert run.report.name == "report.html" and run.report.parent == folder
    assert len(run.predictions) == 60 and run.classes == ["no", "yes"]


def test_predictions(run, folder):
    texts = pd.Series(["good good day", "a day", " good good\tgood "], index=[7, 9, 8])
    found = run.predict(texts)
    assert list(found) == ["text", "predicted", "prob_no", "prob_yes"]
    assert found.index.tolist() == [7, 9, 8] and found["text"].tolist() == texts.tolist()
    expected = 1 / (1 + np.exp(1 - np.array([2, 0, 3])))
    np.testing.assert_allclose(found["prob_yes"], expected, atol=1e-6)
    assert found["predicted"].tolist() == ["yes", "no", "yes"]
    assert run.predict(texts, threshold=0.8)["predicted"].tolist() == ["no", "no", "yes"]
    assert run.predict("good good")["predicted"].tolist() == ["yes"]
    assert len(run.predict([])) == 0 and list(run.predict([])) == list(found)
    assert len(run.predict(f"text {i}" for i in range(5000))) == 5000


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, "", " \n"])
def test_a_text_that_is_missing_is_an_answer_that_is_missing(run, missing):
    found = run.predict(["good good", missing, "a day"])
    for column in ("predicted", "prob_no", "prob_yes"):
        assert found[column].isna().tolist() == [False, True, False]
    expected = run.predict(["good good", "a day"])
    pd.testing.assert_frame_equal(found.drop(index=1).reset_index(drop=True), expected)
    assert run.predict([missing])["predicted"].isna().all()


def test_of_a_data_frame_the_column_of_texts_is_taken(run):
    table = pd.DataFrame({"id": [1, 2], "words": ["good good", "a day"]}, index=[5, 4])
    found = run.predict(table)
    pd.testing.assert_frame_equal(found, run.predict(table["words"]))
    assert found.index.tolist() == [5, 4]
    pd.testing.assert_frame_equal(run.predict(pa.table({"words": table["words"]})), found.reset_index(drop=True))
    with pytest.raises(search.InputError, match=r"no column 'words'.*'id', 'text'"):
        run.predict(pd.DataFrame({"id": [1], "text": ["good"]}))


def test_of_several_columns_the_texts_are_joined(folder, tmp_path):
    shutil.copytree(folder, own := tmp_path / "several")
    settings = own / ".hydra" / "config.yaml"
    settings.write_text(settings.read_text().replace("text: words", "text: [words, more]"))
    run = search.load_run(own)
    table = pd.DataFrame({"more": ["good", None, "a day"], "words": ["good", " ", None]}, index=[5, 4, 3])
    found = run.predict(table)
    assert found["text"].tolist() == ["good\ngood", "", "-\na day"] and found.index.tolist() == [5, 4, 3]
    assert found["predicted"].fillna("-").tolist() == ["yes", "-", "no"]
    pd.testing.assert_frame_equal(run.predict(pd.Series(["good\ngood", "", "-\na day"], [5, 4, 3])), found)
    labelled = table.assign(said=["yes", "no", "no"])
    assert run.evaluate(labelled).predictions["text"].tolist() == ["good\ngood", "-\na day"]
    assert run.evaluate(labelled, text="words").predictions["text"].tolist() == ["good"]
    labelled.to_csv(tmp_path / "new.csv", index=False)
    assert predict.main([f"run={own}", f"input={tmp_path / 'new.csv'}", f"output={tmp_path / 'scored.csv'}"]) == 0
    assert pd.read_csv(tmp_path / "scored.csv")["predicted"].tolist() == ["yes", "no"]
    with pytest.raises(search.InputError, match=r"no column 'more'.*'words'"):
        run.predict(table[["words"]])
    with pytest.raises(search.InputError, match="Row 2 of column 'more' of the DataFrame is 3"):
        run.predict(table.assign(more=[None, 3, None]))


def test_a_missing_text_can_be_an_error(run):
    with pytest.raises(search.InputError, match="Text 1 is missing"):
        run.predict(["good", None], missing="error")
    with pytest.raises(search.InputError, match=r"missing=drop is unknown.*'keep', 'error'"):
        run.predict(["good"], missing="drop")


def test_probabilities(run):
    found = run.predict_proba(["good good", None])
    expected = run.predict("good good").iloc[0, 2:].tolist()
    assert found.shape == (2, 2) and found[0].tolist() == expected and np.isnan(found[1]).all()
    with pytest.raises(search.InputError, match="'best', 'ensemble', 'all'"):
        run.predict("good", model="last")
    with pytest.raises(search.InputError, match=r"model=all: .* has none.*final_refit=true"):
        run.predict("good", model="all")


def test_other_texts_are_evaluated(run, folder, tmp_path):
    table = pd.DataFrame({"words": ["good good", "a day", "good", "bad day"], "said": ["yes", "no", "yes", "no"]})
    found = run.evaluate(table)
    assert found.metrics.loc["recall", "score"] == 0.5 and list(found.metrics) == ["score", "low", "high"]
    assert found.predictions["predicted"].tolist() == ["yes", "no", "no", "no"]
    assert repr(found).startswith("4 rows of data\n") and "<table" in found._repr_html_()
    assert run.evaluate(table, threshold=0.4).metrics.loc["recall", "score"] == 1
    other = (table["words"].tolist(), table["said"].tolist())
    pd.testing.assert_frame_equal(run.evaluate(other, text="a", label="b").predictions, found.predictions)
    table.to_csv(tmp_path / "later.csv")
    of_file = run.evaluate(f"dataset.path={tmp_path / 'later.csv'}")
    pd.testing.assert_frame_equal(of_file.metrics, found.metrics)
    assert not (folder / "evaluations").exists()
    with pytest.raises(search.InputError, match=r"^data has labels .* that the model does not know: 'maybe'"):
        run.evaluate(table.assign(said=["yes", "no", "maybe", "no"]))
    with pytest.raises(search.InputError, match="data has no column 'said'"):
        run.evaluate(table[["words"]])


def test_a_run_is_exported(run, tmp_path):
    study = run.export(tmp_path / "study.db", format="optuna")
    assert study.stat().st_size > 0
    for format, output, told in (("onxx", "model.onnx", "format=onxx is unknown"), ("onnx", "", "is a folder")):
        with pytest.raises(search.InputError, match=told):
            run.export(tmp_path / output, format)


@pytest.mark.parametrize("texts", [{"words": ["good"]}, b"good", 3, None])
def test_what_is_no_list_of_texts_is_refused(run, texts):
    with pytest.raises(search.InputError, match="expected a string, a list of strings"):
        run.predict(texts)


@pytest.mark.parametrize("texts", [["x", 3], ["x", "\ud800"], ["x", b"y"], ["x", ["y"]]])
def test_what_is_no_text_is_named(run, texts):
    with pytest.raises(search.InputError, match="Text 1 "):
        run.predict(texts)


def test_a_threshold_must_fit(run):
    for threshold in (2, -1, "0.5"):
        with pytest.raises(search.InputError, match=f"threshold={threshold} is impossible"):
            run.predict(["x"], threshold=threshold)


def test_the_importance_is_a_picture_that_stands_by_itself(run, tmp_path):
    picture = run.plot_importance()
    svg = xml.dom.minidom.parseString(picture._repr_svg_()).documentElement
    assert svg.getAttribute("width") and svg.getElementsByTagName("style") and svg.getElementsByTagName("title")
    assert all(name in picture.svg for name in ("learning_rate", "--c0:", "prefers-color-scheme"))
    assert "data:image/svg+xml" in picture._repr_html_() and "12 configurations" in picture._repr_html_()
    assert "learning_rate" in repr(picture)
    assert picture.save(tmp_path / "importance.svg").read_text(encoding="utf-8") == picture.svg
    assert picture.caption in picture.save(str(tmp_path / "importance.html")).read_text(encoding="utf-8")
    with pytest.raises(search.InputError, match=r"\.svg"):
        picture.save(tmp_path / "importance.png")


def test_few_trials_do_not_tell_what_mattered(tmp_path):
    few = make_run(tmp_path / "few", rows=30, trials=flat_records(np.random.default_rng(0), 3))
    with pytest.raises(search.InputError, match="3 configurations"):
        search.load_run(few).plot_importance()


def test_how_a_run_is_shown(run, folder):
    lines, card = repr(run), run._repr_html_()
    score = f"{run.summary['test']['average_precision']:.3f}"
    for shown in (lines, card):
        assert score in shown and "TF-IDF logistic regression" in shown and str(folder) in shown
        assert f"trial {run.best.trial} of 12" in shown
    xml.dom.minidom.parseString(card)


def test_what_comes_from_data_is_escaped(tmp_path):
    run = make_run(tmp_path / "made", rows=30, trials=flat_records(np.random.default_rng(0), 3))
    shown = search.load_run(run)
    shown.summary["dataset"] = shown.summary["best"]["module"] = NASTY
    assert "<script>" not in shown._repr_html_()


def test_what_is_no_finished_run(tmp_path, folder):
    with pytest.raises(search.InputError, match="no run"):
        search.load_run(tmp_path)
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("{}")
    with pytest.raises(search.InputError, match="not ended"):
        search.load_run(tmp_path)
