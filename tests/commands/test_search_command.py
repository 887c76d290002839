"""The command line: what is wrong is told in one line, with exit code 2, and leaves nothing behind."""

import json
import subprocess
import sys

import pytest
from reviews import write_reviews

from search.commands.search import main

CSV = ("dataset=csv", "dataset.path=reviews.csv", "dataset.text=review", "dataset.label=stars")


def assert_refused(outcome, *fragments):
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err
    lines = outcome.err.strip().splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("search: ")
    for fragment in fragments:
        assert fragment in lines[0]


@pytest.mark.parametrize(
    ("override", "fragments"),
    [
        ("dataset=quorra", ["quorra", "'quora'", "imdb"]),
        ("tuner=hyperbnd", ["hyperbnd", "'hyperband'"]),
        ("tuner.name=hyperbnd", ["tuner.name=hyperbnd", "'hyperband'"]),
        ("space=defualt", ["'default'"]),
        ("tuner.max_epoch=3", ["tuner.max_epoch", "'tuner.max_epochs'"]),
        ("tunr.max_epochs=3", ["tunr", "'tuner'"]),
        ("dataset.pth=x.csv", ["dataset.pth", "'dataset.path'"]),
        ("space.unit=[3]", ["space.unit", "'space.units'"]),
        ("tuner.max_epochs=many", ["tuner.max_epochs", "many"]),
        ("tuner.max_epochs=0", ["tuner.max_epochs=0", "at least 1"]),
        ("tuner.factor=1", ["tuner.factor=1", "at least 2"]),
        ("tuner.patience=0", ["tuner.patience=0"]),
        ("module.vocabulary=0", ["module.vocabulary=0"]),
        ("module=glove-50", ["space.modules"]),
        ("paths=here", ["paths", "here"]),
        ("paths.features=/etc/passwd", ["paths.features", "Not a directory"]),
        ("paths.features=/dev/null", ["paths.features", "Not a directory"]),
        (f"paths.features={'n' * 300}", ["paths.features", "name too long"]),
        ("objective=val_mcc", ["objective.name=val_mcc"]),
        ("nonsense", ["nonsense", "key=value"]),
        ("+foo=1", ["foo"]),
        ("dataset.encoding=idna", ["idna"]),
        ("dataset.name=../evil", ["dataset.name"]),
        ("space.modules=[glove50]", ["glove50", "'glove-50'"]),
        ("space.modules=[/no/such/folder]", ["/no/such/folder"]),
        ("seed=-1", ["seed=-1"]),
        ("seed=abc", ["seed", "abc"]),
        ("device=tpu", ["device=tpu", "gpu"]),
        ("dataset=csv", ["dataset.path"]),
        ("dataset.test_size=1.5", ["dataset.test_size", "1.5"]),
        ("dataset.test_size=0", ["dataset.test_size"]),
        ("dataset.duplicates=last", ["dataset.duplicates", "first"]),
        ("objective.direction=up", ["objective.direction=up", "max"]),
        ("space.units=[]", ["space.units", "empty"]),
        ("space.units=[0]", ["space.units", "0"]),
        ("space.dropout=1.0", ["space.dropout"]),
        ("space.dropout.min=0.9", ["space.dropout", "min"]),
        ("space.optimizer=[adam,adm]", ["space.optimizer", "adm"]),
        ("space.trainable=[maybe]", ["space.trainable", "maybe"]),
        ("space.units=[1", ["space.units=[1"]),
    ],
)
def test_a_wrong_setting_is_named(search_command, tmp_path, override, fragments):
    assert_refused(search_command(override), *fragments)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_unknown_objective_is_named(search_command, tmp_path):
    write_reviews(tmp_path / "reviews.csv", rows=60)
    assert_refused(search_command(*CSV, "objective.name=val_acuracy"), "val_acuracy", "'val_accuracy'")
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.csv"]


def test_bayesian_search_needs_an_end(search_command):
    assert_refused(search_command("tuner=bayesian", "tuner.max_trials=null"), "tuner.max_trials")


def test_no_permission_to_write(search_command, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(tmp_path / "outputs"))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert_refused(search_command("dataset=csv", "dataset.path=reviews.csv"), "Permission denied", "outputs")


def test_another_runs_folder_is_left_alone(search_command, tmp_path):
    write_reviews(tmp_path / "reviews.csv", rows=60)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "summary.json").write_text("{}")
    outcome = search_command(*CSV, "hydra.run.dir=old", "space.modules=[glove-50]")
    assert_refused(outcome, "old", "already holds files")
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["summary.json"]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--cfg", "job", "dataset=quora"], ["--cfg", "job", "dataset=quora", "tuner=grid"]]
)
def test_help_and_configuration_need_no_tensorflow(tmp_path, arguments):
    code = (
        "import sys; from search.commands.search import main; "
        "main(sys.argv[1:]); assert 'tensorflow' not in sys.modules"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "quora" in answer.stdout
    assert answer.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_flags_may_stand_between_overrides(search_command, tmp_path):
    (tmp_path / "mine" / "space").mkdir(parents=True)
    (tmp_path / "mine" / "space" / "small.yaml").write_text("units: [8]\n")
    outcome = search_command("seed=3", "--config-dir", "mine", "space=small", "--cfg", "job", "space.layers=[1,2]")
    assert outcome.code == 0, outcome.err
    assert "seed: 3" in outcome.out
    assert "layers:\n  - 1\n  - 2" in outcome.out


def test_a_setting_that_the_chosen_space_leaves_out_can_be_set(search_command):
    outcome = search_command("--cfg", "job", "space=class", "space._target_=a.B", "space.units=[32]", "space.layers=2")
    assert outcome.code == 0, outcome.err
    assert "units:\n  - 32" in outcome.out
    assert "layers: 2" in outcome.out


def test_broken_yaml_is_named_with_its_line(search_command, tmp_path):
    (tmp_path / "mine" / "space").mkdir(parents=True)
    (tmp_path / "mine" / "space" / "broken.yaml").write_text("units: [16\nfoo: {\n")
    assert_refused(search_command("--config-dir", "mine", "space=broken"), "broken.yaml", "line 2")


def test_a_range_can_be_replaced_by_a_choice(search_command):
    outcome = search_command("--cfg", "job", "space.learning_rate=[0.001,0.01]", "space.units={min: 8, max: 64}")
    assert outcome.code == 0
    assert "learning_rate:\n  - 0.001\n  - 0.01\n" in outcome.out
    assert "units:\n    min: 8\n    max: 64\n" in outcome.out


@pytest.mark.slow
def test_runs_side_by_side_that_fail_end_the_command_with_their_exit_code(tmp_path, monkeypatch, capfd):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    monkeypatch.chdir(tmp_path)
    parallel = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert main(["-m", *parallel, "dataset=csv", "dataset.path=nope.csv", "seed=0,1"]) == 2
    assert sorted(line[:12] for line in capfd.readouterr().err.splitlines() if "nope" in line) == [
        "search: 0_cs",
        "search: 1_cs",
    ]


@pytest.mark.slow
def test_runs_that_slurms_launcher_starts_end_the_command_with_their_exit_code(tmp_path, monkeypatch):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    monkeypatch.chdir(tmp_path)
    local = ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5", "hydra.sweep.dir=swept"]
    assert main(["-m", *local, "dataset=csv", "dataset.path=nope.csv", "seed=0,1"]) == 2
    told = [path.read_text() for path in (tmp_path / "swept" / ".submitit").glob("*/*.err")]
    assert sorted(line[:12] for text in told for line in text.splitlines() if "nope" in line) == [
        "search: 0_cs",
        "search: 1_cs",
    ]


def test_the_runs_of_a_multirun_leave_a_note_of_how_they_ended(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["dataset=csv", "dataset.path=nope.csv", "seed=0,1", "hydra.sweep.dir=swept"]
    assert main(["-m", *words]) == 2
    notes = [json.loads((tmp_path / "swept" / ".attempts" / f"{i}.json").read_text()) for i in (0, 1)]
    assert [(note["status"], note["code"], note["overrides"][-1]) for note in notes] == [
        ("failed", 2, "seed=0"),
        ("failed", 2, "seed=1"),
    ]
    assert len([line for line in capsys.readouterr().err.splitlines() if "nope" in line]) == 2
