"""Altered copies of rows."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from search.datasets.images.views import altered
from search.datasets.table import Examples, first_rows, object_array
from search.datasets.views import with_views
from spaces import SpaceError, TextClassifierSpace


def encoded(pixels):
    written = BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def decoded(image):
    return np.asarray(Image.open(BytesIO(image)))


@pytest.fixture
def photos():
    return [encoded(pixels) for pixels in np.random.default_rng(0).integers(0, 256, (6, 20, 30, 3), np.uint8)]


def test_copies_stand_behind_the_rows_with_their_labels(photos):
    rows = Examples(object_array(photos), np.arange(6), first_rows(6))
    found = with_views(rows, 2, "flip+crop")
    assert found.labels.tolist() == [*range(6)] * 3 and found.rows.tolist() == [*range(1, 7)] * 3
    assert found.texts[:6].tolist() == photos
    assert len({*found.texts}) == 18  # each copy differs
    assert with_views(rows, 2, "flip+crop").texts.tolist() == found.texts.tolist()


def test_a_flip_mirrors_and_nothing_else(photos):
    for view in range(4):
        for photo in photos:
            before, after = decoded(photo), decoded(altered(photo, view, "flip"))
            assert (after == before).all() or (after == before[:, ::-1]).all()


def test_a_copy_is_cropped_alike_whatever_else_is_done(photos):
    for photo in photos:
        cropped, both = decoded(altered(photo, 0, "crop")), decoded(altered(photo, 0, "flip+crop"))
        assert cropped.shape == (20, 30, 3) and (both == cropped).all() | (both == cropped[:, ::-1]).all()


def test_texts_have_no_copies():
    with pytest.raises(SpaceError, match="views"):
        TextClassifierSpace(views=[0, 2], has_views=False)
    with pytest.raises(ValueError, match="copies"):
        with_views(Examples(object_array(["a"]), np.zeros(1, np.int64), first_rows(1)), 1, "flip")


def test_copies_are_altered_only_where_there_are_any():
    space = TextClassifierSpace(views=[0, 2], modules="some")
    assert space.conditions["augment"].values == (2,)
    assert not {"views", "augment"} & set(TextClassifierSpace(modules="some"))
