"""Altered copies of an image: mirrored, cropped, in other colours."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

_LEAST_PART = 0.6
"""Of the height and width that a crop keeps."""
_MOST_CHANGE = 0.3
"""Of brightness, contrast and saturation."""


def altered(image: bytes, view: int, augment: str) -> bytes:
    """Makes an altered copy of an image.

    Args:
        image: The encoded image.
        view: Number of the copy; image, number and `augment` decide what comes out, and nothing else does.
        augment: Names joined by +: `flip` mirrors it left to right in half of the cases, `crop` takes a part of it,
            `colour` changes brightness, contrast and saturation.

    Returns:
        The copy as PNG, 8-bit RGB; a crop is brought back to the size of the image.
    """
    wanted = augment.split("+")
    digest = hashlib.blake2b(image, digest_size=8, salt=view.to_bytes(8, "little")).digest()
    random = np.random.default_rng(int.from_bytes(digest, "little"))
    with Image.open(BytesIO(image)) as opened:
        found = opened.convert("RGB")
    # All numbers are drawn, whatever is wanted: a copy that is cropped too is mirrored as the one that is not.
    mirrored, (height, width), (top, left), changes = (
        random.random() < 0.5,
        random.uniform(_LEAST_PART, 1, 2),
        random.random(2),
        random.uniform(1 - _MOST_CHANGE, 1 + _MOST_CHANGE, 3),
    )
    if "crop" in wanted:
        size = max(1, round(found.width * width)), max(1, round(found.height * height))
        x, y = round((found.width - size[0]) * left), round((found.height - size[1]) * top)
        box = (x, y, x + size[0], y + size[1])
        found = found.resize(found.size, Image.Resampling.BILINEAR, box)
    if "flip" in wanted and mirrored:
        found = ImageOps.mirror(found)
    if "colour" in wanted:
        kinds = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        for change, factor in zip(kinds, changes, strict=True):
            found = change(found).enhance(float(factor))
    written = BytesIO()
    found.save(written, "PNG")
    return written.getvalue()
