"""Small pictures of rows on pages and in TensorBoard."""

from __future__ import annotations

import base64
import io

import numpy as np
from made_pictures import encoded, picture
from PIL import Image

from search.datasets.table import Examples, object_array
from search.reporting.event_files import event_files, events_in
from search.reporting.pictures import data_uri, sprite
from search.reporting.results import ScoredRows
from search.reporting.tensorboard.pictures import write_pictures
from search.reporting.tensorboard.projector import write_projector


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_large_image_becomes_a_small_one_of_its_shape():
    kind, content = data_uri(encoded(picture(0, 800, 400), "JPEG")).split(",")
    assert kind == "data:image/jpeg;base64" and opened(base64.b64decode(content)).size == (112, 56)
    assert opened(base64.b64decode(data_uri(encoded(picture(0, 8, 9))).split(",")[1])).size == (8, 9)


def test_the_sprite_has_the_images_line_by_line():
    plain = [encoded(Image.new("RGB", (10, 10), (40 * place, 0, 0))) for place in range(5)]
    found = sprite(plain)
    sheet = np.asarray(opened(found.png))
    assert sheet.shape == (3 * found.side, 3 * found.side, 3)
    half, side = found.side // 2, found.side
    reds = [sheet[half + place // 3 * side, half + place % 3 * side, 0] for place in range(5)]
    assert reds == [0, 40, 80, 120, 160]


def test_tensorboard_has_the_images_and_their_names(tmp_path):
    rows = object_array([encoded(picture(seed)) for seed in range(4)])
    names = object_array([f"photos/{seed}.png" for seed in range(4)])
    examples = Examples(rows, np.array([0, 1, 0, 1]), np.arange(1, 5), None, names)
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
    write_pictures(tmp_path, ScoredRows(examples, ("a", "b"), probabilities, 0.5))
    write_projector(tmp_path, "module", np.eye(4), {"text": list(names)}, rows.tolist())
    events = [event for path in event_files(tmp_path, "pictures") for event in events_in(path)]
    found = {value.tag: value for event in events for value in event.summary.value}
    assert set(found) == {"most_wrong", "right"}
    assert "photos/1.png: b, predicted a" in found["most_wrong"].metadata.summary_description
    assert "points.png" in (tmp_path / "projector_config.pbtxt").read_text()
    assert opened((tmp_path / "points.png").read_bytes()).size == (96, 96)
