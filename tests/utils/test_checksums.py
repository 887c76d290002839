"""Files are known by their content, and a sealed folder tells when one of its own is not what was written."""

import json

import pytest

from search.utils.checksums import SEAL, Checksum, Damaged, check_seal, seal


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    (made / "assets").mkdir(parents=True)
    (made / "assets" / "words.txt").write_text("good\nbad\n")
    (made / "weights").write_bytes(b"12345678")
    return made


def test_content_counts_and_not_the_place(folder, tmp_path):
    before = Checksum.of(folder)
    moved = folder.rename(tmp_path / "moved")
    assert Checksum.of(moved) == before and before.files == 2 and before.bytes == 17
    (moved / ".DS_Store").write_text("left by a file manager")
    assert Checksum.of(moved) == before
    (moved / "weights").rename(moved / "weight")
    assert Checksum.of(moved) != before
    assert Checksum.of(moved / "assets" / "words.txt").bytes == 9


def test_a_sealed_folder_can_be_moved(folder, tmp_path):
    seal(folder)
    check_seal(folder.rename(tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("assets/words.txt", "good\n"),
        ("assets/words.txt", "good\nbed\n"),
        ("weights", None),
        (SEAL, "{"),
        (SEAL, "[1]"),
    ],
)
def test_a_file_that_is_not_what_was_written_is_named(folder, name, content):
    seal(folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(Damaged, match=name):
        check_seal(folder)


def test_of_what_has_checksums_of_its_own_the_size_is_enough(folder):
    seal(folder, lambda name: name == "weights")
    assert json.loads((folder / SEAL).read_text())["weights"] == {"bytes": 8, "sha256": None}
    (folder / "weights").write_bytes(b"87654321")
    check_seal(folder)
    (folder / "weights").write_bytes(b"8765")
    with pytest.raises(Damaged, match="weights"):
        check_seal(folder)


def test_a_folder_without_checksums_is_taken_as_it_is(folder):
    check_seal(folder)
