"""Pictures in memory become a Parquet file that reads as the same pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_pictures import encoded, picture, write_pictures
from PIL import Image

from search.config.dataset import DatasetConfig
from search.datasets.in_memory import as_frame, content_given, write_table
from search.datasets.read import read
from search.errors import InputError

ARRAYS = np.random.default_rng(0).integers(0, 256, (2, 8, 9, 3), dtype=np.uint8)
LABELS = ["x", "y"]


def kept(given, folder: Path, content: str = "image"):
    path = folder / "kept.parquet"
    write_table(as_frame(given, "data", "text", "label"), path, "data", ["text"], ["label"], content)
    return read(path, DatasetConfig(name="made", content=content), None)[0]


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(
    "texts",
    [
        ARRAYS,
        ARRAYS[..., 0],
        list(ARRAYS),
        [*map(Image.fromarray, ARRAYS)],
        [encoded(Image.fromarray(one)) for one in ARRAYS],
    ],
    ids=["array", "grey array", "list of arrays", "pillow", "bytes"],
)
@pytest.mark.parametrize("table", ["pair", "mapping", "frame"])
def test_pictures_of_every_kind_are_kept(tmp_path, texts, table):
    given = {"pair": (texts, LABELS), "mapping": {"text": texts, "label": LABELS}}.get(table)
    if given is None:
        given = as_frame((texts, LABELS), "data", "text", "label")
    assert content_given(given).name == "image"
    found = kept(given, tmp_path)
    grey = isinstance(texts, np.ndarray) and texts.ndim == 3
    expected = ARRAYS[..., :1].repeat(3, axis=3) if grey else ARRAYS
    assert all((pixels(one) == other).all() for one, other in zip(found.texts, expected, strict=True))
    assert list(found.names) == ["row 1", "row 2"] and list(found.labels) == LABELS


def test_paths_and_columns_of_hugging_face_keep_their_names(tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png"])
    inside = {"bytes": encoded(picture(5), "JPEG"), "path": "c.jpg"}
    rows = [tmp_path / "a.png", str(tmp_path / "b.png"), inside, {"bytes": None, "path": "gone.png"}, None]
    frame = pd.DataFrame({"text": rows, "label": list("xyxyx")})
    assert content_given(frame).name == "image" and content_given((["a.png"], ["x"])).name == "text"
    found = kept(frame, tmp_path)
    assert list(found.names[:3]) == [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "c.jpg"]
    assert list(found.texts)[:2] == [(tmp_path / name).read_bytes() for name in ("a.png", "b.png")]
    assert found.texts[2] == inside["bytes"] and found.texts[3] is None
    assert [str(one) for one in found.faults] == [f"{Path('gone.png').absolute()} is not there"]


@pytest.mark.parametrize(
    ("value", "told"),
    [(ARRAYS[0] / 255, "float64.*astype"), (ARRAYS[0][..., :2], "uint8 .8, 9, 2"), (7, "expected a picture")],
)
def test_what_is_no_picture_is_told_in_a_line(tmp_path, value, told):
    with pytest.raises(InputError, match=f"Row 2.*{told}"):
        kept({"text": [ARRAYS[0], value], "label": LABELS}, tmp_path)
