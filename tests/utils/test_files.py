"""Files appear whole or not at all."""

import errno
import json
from pathlib import Path

import pytest

from search.utils.files import is_refused, unusable_folder, whole_file, whole_folder, write_json, write_text


def test_a_finished_file_replaces_the_old_one(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "new")]


def test_an_unfinished_file_leaves_the_old_one_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as path:
        path.write_text("half")
        raise RuntimeError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_the_ending_is_kept_while_writing(tmp_path):
    with whole_file(tmp_path / "weights.npz") as path:
        assert path.suffix == ".npz"
        path.write_bytes(b"")


def test_an_unfinished_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "module") as folder:
        (folder / "part").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_of_two_who_build_the_same_folder_the_first_wins(tmp_path):
    with whole_folder(tmp_path / "module") as late:
        (late / "by").write_text("late")
        with whole_folder(tmp_path / "module") as early:
            (early / "by").write_text("early")
    assert [path.name for path in tmp_path.iterdir()] == ["module"]
    assert (tmp_path / "module" / "by").read_text() == "early"


def test_json_has_no_words_that_json_does_not_know(tmp_path):
    write_json(tmp_path / "a.json", {"nan": float("nan"), "list": (1.5, float("inf")), 3: None})
    assert json.loads((tmp_path / "a.json").read_text()) == {"nan": None, "list": [1.5, None], "3": None}


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (PermissionError(errno.EACCES, "no"), True),
        (FileNotFoundError(errno.ENOENT, "none"), False),
        (ValueError("other"), False),
    ],
)
def test_a_refusal_of_the_machine_is_told_from_other_errors(error, refused):
    assert is_refused(error) is refused


def test_a_folder_that_can_be_used_or_made_is_told_from_one_that_cannot(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for usable in (tmp_path, tmp_path / "new", tmp_path / "new" / "below", Path("new")):
        assert unusable_folder(usable) is None
    for unusable in ("file", "file/below", "loop", "nowhere", "n" * 300, f"new/{'n' * 300}"):
        assert unusable_folder(tmp_path / unusable) is not None, unusable
    assert unusable_folder(Path("/dev/null")) is not None
    assert not (tmp_path / "new").exists()
