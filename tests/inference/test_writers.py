"""A submission of several labels: as the labelled rows have them."""

import io

import numpy as np
import pytest

from search.config.dataset import DatasetConfig
from search.datasets.stream import Rows, Stream
from search.inference.labels import Labels
from search.inference.writers import submission


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ({"labels": ["dull", "sad", "rare"], "submission": ["id"]}, "id,dull,sad\n7,1,1\n8,0,1\n"),
        ({"label_separator": "; ", "submission": ["id", "tags"]}, "id,tags\n7,dull; sad\n8,sad\n"),
    ],
)
def test_several_labels_are_written_as_they_are_read(values, written):
    labels = Labels(("dull", "sad"), (0.5, 0.2))
    rows = Rows(["a", "b"], [["a", "7"], ["b", "8"]])
    file, stream = io.StringIO(), Stream(["text", "id"], iter([rows]))
    write = submission(file, stream, DatasetConfig(name="made", **values), labels)
    write(rows, labels.predictions(np.array([[0.6, 0.3], [0.1, 0.2]])))
    assert file.getvalue() == written
