"""`python -m search.board` opens TensorBoard on the runs that are meant, and says what is wrong in a line."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import keras_tuner
import pytest

from search.commands.board import logdir, main, named, runs_at
from search.errors import InputError
from search.reporting.board.first_view import MOST
from search.reporting.tensorboard import Curves, TensorBoardWriter
from search.tuning.record import TrialRecord
from spaces import Int, Space


def make_run(path, value=0.5):
    curves = Curves(path / "tensorboard" / "0000")
    curves.add(1, {"val_f1": value})
    curves.close()
    projector = path / "tensorboard" / "refit"
    curves = Curves(projector)
    curves.add(1, {"loss": value})
    curves.close()
    (projector / "points.tsv").write_text("1\t2\n3\t4\n")
    (projector / "projector_config.pbtxt").write_text('embeddings { tensor_path: "points.tsv" }\n')
    (path / "model" / "assets").mkdir(parents=True)
    return path


@pytest.fixture
def runs(tmp_path):
    names = ("quora/2026-01-01", "quora/2026-01-02", "tweets/2026-01-01")
    return [make_run(tmp_path / "outputs" / name) for name in names]


def test_a_run_is_its_folder_or_the_one_for_tensorboard_in_it(runs):
    assert runs_at(str(runs[0])) == [runs[0]]
    assert runs_at(str(runs[0] / "tensorboard")) == [runs[0]]


def test_a_folder_above_means_all_runs_in_it(runs, tmp_path):
    assert runs_at(str(tmp_path / "outputs" / "quora")) == runs[:2]
    assert runs_at(str(tmp_path)) == runs


def test_a_pattern_means_all_that_fit(runs, tmp_path, monkeypatch):
    assert runs_at(f"{tmp_path}/outputs/*/2026-01-01") == [runs[0], runs[2]]
    monkeypatch.chdir(tmp_path)
    assert [str(run) for run in runs_at("outputs/q*/*")] == ["outputs/quora/2026-01-01", "outputs/quora/2026-01-02"]


def test_where_no_run_is_none_is_found(tmp_path):
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    for place in ("nowhere", "empty", "emp*"):
        with pytest.raises(InputError, match=place.replace("*", r"\*")):
            runs_at(str(tmp_path / place))


def test_one_run_is_opened_where_it_is(runs):
    with logdir(runs[:1]) as folder:
        assert folder == runs[0] / "tensorboard"


def test_several_runs_stand_side_by_side_and_leave_nothing(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with logdir(runs_at("outputs")) as folder:
        assert (folder / "quora" / "2026-01-02" / "0000").is_dir()
        assert (folder / "tweets" / "2026-01-01" / "refit").is_dir()
    assert not folder.exists()
    assert all(run.is_dir() for run in runs)


def test_runs_are_named_by_what_tells_them_apart(runs):
    assert list(named(runs[:2])) == ["2026-01-01", "2026-01-02"]
    assert list(named(runs)) == ["quora/2026-01-01", "quora/2026-01-02", "tweets/2026-01-01"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run="],
        ["run=nowhere"],
        ["runs=x"],
        ["run=.", "port=x"],
        ["run=.", "port=70000"],
        ["run=.", "open=maybe"],
        ["run=.", "all=maybe"],
        ["--logdir"],
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(runs, tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.fixture
def serving(tmp_path):
    started = []

    def start(*arguments):
        with (tmp_path / "errors.txt").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-X", "importtime", "-m", "search.board", *arguments],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_several_runs_are_served_until_ctrl_c(runs, serving, tmp_path):
    process = serving("run=outputs/quora", "run=outputs/tweets", "port=0")
    line = process.stdout.readline()
    url = next(word for word in line.split() if word.startswith("http"))

    def get(path):
        with urllib.request.urlopen(url + path, timeout=30) as answer:
            return json.load(answer)

    prefixes = ["quora/2026-01-01", "quora/2026-01-02", "tweets/2026-01-01"]
    # Once the line is printed, the projector is no longer among the pages that are inactive.
    assert get("data/plugins_listing")["projector"]["enabled"]
    assert sorted(get("data/plugin/projector/runs")) == [f"{prefix}/refit" for prefix in prefixes]
    expected = {f"{prefix}/{run}" for prefix in prefixes for run in ("0000", "refit")}
    assert set(get("data/runs")) == expected
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    errors = (tmp_path / "errors.txt").read_text()
    assert "Traceback" not in errors
    # Seconds, for a program that shows files.
    assert not any(line.endswith(" tensorflow") for line in errors.splitlines())


def large_run(path):
    space = Space({"units": Int(1, 100)})
    writer = TensorBoardWriter(path / "tensorboard", space, keras_tuner.Objective("val_f1", "max"))
    for number in range(60):
        record = TrialRecord(f"{number:04}", {"units": number + 1}, epochs=1)
        writer.on_trial_begin(record)
        writer.on_epoch_end(record, 1, {"val_f1": number / 100})
        record.score, record.best_epoch, record.status = number / 100, 1, "COMPLETED"
        writer.on_trial_end(record)


@pytest.mark.parametrize("listed", ["best", "all"])
def test_a_large_search_opens_with_its_best_and_all_in_hparams(tmp_path, serving, listed):
    large_run(tmp_path / "run")
    process = serving("run=run", "port=0", *(["all=true"] if listed == "all" else []))
    url = next(word for word in process.stdout.readline().split() if word.startswith("http"))

    def get(path, request=None):
        body = None if request is None else json.dumps(request).encode()
        asked = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    ends = time.monotonic() + 20
    while "0059" not in (names := get("data/runs")) and time.monotonic() < ends:  # it reads them one after another
        time.sleep(0.1)
    if listed == "best":
        assert "Of 60 configurations" in process.stdout.readline()
        assert len(names) == MOST and not {"0000", "0020"} & set(names)
    else:
        assert len(names) == 61
    wanted = {"startIndex": 0, "sliceSize": 1000, "allowedStatuses": ["STATUS_UNKNOWN"], "colParams": []}
    found = get("data/plugin/hparams/session_groups", wanted)["sessionGroups"]
    assert [group["name"] for group in found] == [f"{number:04} run" for number in range(60)]


def test_a_port_in_use_is_told_in_a_line(runs, tmp_path):
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "search.board", "run=outputs/tweets", f"port={port}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert str(port) in ended.stderr
