"""One measure of time for everything that takes texts."""

import time

import numpy as np
import pytest

from search.utils.timing import BATCH, milliseconds_per_text


@pytest.mark.parametrize("rows", [3, 1000])
def test_every_batch_is_of_the_same_size(rows):
    sizes = []
    milliseconds_per_text(lambda texts: sizes.append(len(texts)) or [0], np.array(["a"] * rows, object))
    assert set(sizes) == {BATCH}


def test_neither_the_first_call_nor_a_slow_one_counts():
    pauses = iter([0.001, 0.2, 0.05, 0.2, 0.2, 0.2])
    spent = milliseconds_per_text(lambda texts: time.sleep(next(pauses)) or [0], np.array(["a"], object))
    assert 50 <= spent * BATCH < 150
