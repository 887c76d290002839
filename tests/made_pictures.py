"""Pictures that tests make: smooth ones, which JPEG keeps, each seed another."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int = 0, width: int = 40, height: int = 32, mode: str = "RGB") -> Image.Image:
    """A picture without hard edges, no two quarters of which are alike."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(64, 192, (4, 5, 3)).astype(np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def encoded(made: Image.Image, kind: str = "PNG", **settings) -> bytes:
    content = io.BytesIO()
    made.save(content, kind, **settings)
    return content.getvalue()


def write_pictures(folder: Path, names: list[str], seed: int = 0) -> Path:
    """Writes a picture of its own under each name, of the kind that its ending says."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(seed + number).save(path)
    return folder
