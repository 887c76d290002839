import pytest

from search.reporting.report.events import curve
from search.reporting.tensorboard import Curves


def write(folder, *points):
    curves = Curves(folder)
    for epoch, value in points:
        curves.add(epoch, {"val_f1": value, "val_loss": 1.0})
    curves.close()


def test_the_points_come_back(tmp_path):
    write(tmp_path, (1, 0.5), (2, 0.75))
    assert curve(tmp_path / "validation", "f1") == {1: 0.5, 2: 0.75}


def test_of_a_resumed_search_the_later_point_counts(tmp_path, monkeypatch):
    write(tmp_path, (1, 0.5), (2, 0.25))
    monkeypatch.setattr("time.time", lambda: 9_999_999_999.0)
    write(tmp_path, (2, 0.75), (3, 1.0))
    assert curve(tmp_path / "validation", "f1") == {1: 0.5, 2: 0.75, 3: 1.0}


@pytest.mark.parametrize("cut", [3, 20])
def test_a_file_that_a_kill_cut_short_gives_what_it_has(tmp_path, cut):
    write(tmp_path, (1, 0.5), (2, 0.75))
    (file,) = (tmp_path / "validation").iterdir()
    file.write_bytes(file.read_bytes()[:-cut])
    assert curve(tmp_path / "validation", "f1") == {1: 0.5}


def test_no_such_run_or_curve(tmp_path):
    assert curve(tmp_path / "none", "f1") == {}
    write(tmp_path, (1, 0.5))
    assert curve(tmp_path / "validation", "recall") == {}
