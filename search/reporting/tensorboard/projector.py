"""Test texts as points in the embedding projector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tensorboard.plugins.projector import metadata
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from search.utils.files import write_text

MOST_TEXTS = 5000
# The projector reduces wider points itself, in the browser, before t-SNE or UMAP; and a file of them grows large.
_DIMENSIONS = 50
_LONGEST_TEXT = 200


def write_projector(
    folder: Path,
    name: str,
    points: NDArray[np.float64],
    columns: Mapping[str, Sequence[str]],
    images: Sequence[bytes] | None = None,
) -> None:
    """Writes points and their columns, with the configuration of the page Projector.

    Args:
        folder: The run; it must hold an event file, or TensorBoard takes no notice of it.
        name: The name of the points.
        points: float64 [n, dim]; of more than 50 dimensions the 50 principal components are written.
        columns: Name to a value for each point; the projector colours by them.
        images: The image of each point; None: they have none.
    """
    rows = ["\t".join(f"{value:.4g}" for value in point) for point in _principal(points).tolist()]
    write_text(folder / "points.tsv", _lines(rows))
    described = ["\t".join(map(_field, values)) for values in zip(*columns.values(), strict=True)]
    write_text(folder / "points_metadata.tsv", _lines(["\t".join(columns), *described]))
    config = ProjectorConfig()
    # Relative paths start at the configuration's folder.
    shown = config.embeddings.add(tensor_name=name, tensor_path="points.tsv", metadata_path="points_metadata.tsv")
    if images is not None:
        from search.reporting.pictures import sprite  # brings Pillow

        made = sprite(images)
        (folder / "points.png").write_bytes(made.png)
        shown.sprite.image_path = "points.png"
        shown.sprite.single_image_dim.extend([made.side, made.side])
    write_text(folder / metadata.PROJECTOR_FILENAME, str(config))


def chosen_rows(rows: int, seed: int) -> NDArray[np.int64]:
    """The rows to show, at most 5,000, in rising order."""
    drawn = np.random.default_rng(seed).choice(rows, min(rows, MOST_TEXTS), replace=False)
    return np.sort(drawn)


def errors(labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> list[str]:
    """For each prediction in words whether it is right; for two classes also which way it is wrong."""
    wrong = ("false negative", "false positive") if classes == 2 else ("wrong",) * classes
    return [
        "right" if label == one else wrong[one] for label, one in zip(labels.tolist(), predicted.tolist(), strict=True)
    ]


def _principal(points: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = points - points.mean(axis=0)
    if centred.shape[1] <= _DIMENSIONS:
        return centred
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ directions[:, : -_DIMENSIONS - 1 : -1])


def _field(value: str) -> str:
    """A value without tabs and line breaks, which end a field."""
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
