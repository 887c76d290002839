import pytest

from search.reporting.report.learning_curves import curve
from search.reporting.tensorboard.events import EventFile
from search.reporting.tensorboard.training_curves import points


def write(folder, *values, name="0000"):
    with EventFile(folder, name) as file:
        for epoch, value in values:
            file.add(epoch, points({"val_f1": value, "val_loss": 1.0, "f1": 0.9}))


def test_the_points_come_back(tmp_path):
    write(tmp_path, (1, 0.5), (2, 0.75))
    assert curve(tmp_path, "f1", "validation") == {1: 0.5, 2: 0.75}
    assert curve(tmp_path, "f1", "train") == {1: pytest.approx(0.9), 2: pytest.approx(0.9)}


def test_a_promoted_configuration_has_all_its_epochs(tmp_path):
    write(tmp_path, (1, 0.5), (2, 0.25))
    write(tmp_path, (3, 0.75), name="0004")
    assert curve(tmp_path, "f1", "validation") == {1: 0.5, 2: 0.25, 3: 0.75}


def test_what_earlier_versions_wrote_is_read(tmp_path):
    """A run per split, and the metric's name alone."""
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb

    with EventFile(tmp_path / "validation", "a-host") as file:
        file.add(1, [scalar_pb("f1", 0.5)])
    assert curve(tmp_path, "f1", "validation") == {1: 0.5}


@pytest.mark.parametrize("cut", [3, 20])
def test_a_file_that_a_kill_cut_short_gives_what_it_has(tmp_path, cut):
    write(tmp_path, (1, 0.5), (2, 0.75))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-cut])
    assert curve(tmp_path, "f1", "validation") == {1: 0.5}


def test_no_such_run_or_curve(tmp_path):
    assert curve(tmp_path / "none", "f1", "validation") == {}
    write(tmp_path, (1, 0.5))
    assert curve(tmp_path, "recall", "validation") == {}
