"""A checkpoint gives back what was saved, and damage to it is found."""

import numpy as np
import pytest

from search.utils.checkpoint import is_whole, load, read_notes, save

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7), np.zeros((0, 4), np.int64)]


@pytest.fixture
def path(tmp_path):
    save(tmp_path / "last.npz", ARRAYS, {"epochs": 3})
    return tmp_path / "last.npz"


def test_arrays_and_notes_come_back(path):
    loaded = load(path)
    assert [array.dtype for array in loaded] == [array.dtype for array in ARRAYS]
    for came, expected in zip(loaded, ARRAYS, strict=True):
        np.testing.assert_array_equal(came, expected)
    assert read_notes(path) == {"epochs": 3}


def test_damage_is_found(path):
    assert is_whole(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert not is_whole(path)
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    assert not is_whole(path)
    path.unlink()
    assert not is_whole(path)
