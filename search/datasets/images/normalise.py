"""Any picture as bytes that TensorFlow decodes to its upright RGB."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from search.datasets.images.faults import TooLarge, Unreadable

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Of the names of pictures."""
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_OR_RGB = (0, 2)
"""The colour types of PNG without a palette and without alpha."""
_LAST = b"\xff\xd9"
"""The end of a JPEG."""
_WHOLE = 65535 // 255


def normalized(data: bytes, name: str, max_pixels: int) -> bytes:
    """Gives a picture as bytes that `tf.io.decode_image` decodes to its upright RGB of 8 bits.

    JPEG of grey or RGB without an orientation, and PNG of 8 bits, grey or RGB, without transparency, stay byte for byte
    as they are. All else becomes a PNG: turned as EXIF says, over white where it is transparent, 16 bits scaled to 8,
    the first picture of several.

    Args:
        data: The content of a file.
        name: Its name, for messages.
        max_pixels: What has more pixels, by its header, is not decoded.

    Raises:
        TooLarge: It has more.
        Unreadable: It is no picture, is cut short, damaged or of a kind that is not read.
    """
    with _told(name, max_pixels), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise TooLarge(f"{name} has {width:,} x {height:,} pixels, more than dataset.max_pixels={max_pixels}")
        image.load()  # first: to look for EXIF loads too, and what fails there is only an orientation
        upright = _orientation(image) == 1
        if upright and _is_plain(image, data):
            return data
        picture = upright_rgb(image if upright else ImageOps.exif_transpose(image), name)
    return as_png(picture)


def as_png(picture: Image.Image) -> bytes:
    """A picture of RGB or grey as PNG, without anything else that came with it."""
    content = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(content, "PNG", compress_level=3)
    return content.getvalue()


def upright_rgb(image: Image.Image, name: str) -> Image.Image:
    """A picture, upright already, in RGB or grey of 8 bits, over white where it is transparent.

    Raises:
        Unreadable: It has more bits.
    """
    if image.mode in ("I", "F"):
        raise Unreadable(f"{name} has 32 bits for a pixel: expected 8 or 16")
    if image.mode.startswith("I;16"):
        return Image.fromarray(((np.asarray(image).astype(np.uint32) + _WHOLE // 2) // _WHOLE).astype(np.uint8))
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(paper, seen).convert("RGB")
    return image.convert("RGB")


@contextmanager
def quietly() -> Iterator[None]:
    """Leaves out Pillow's warnings about what it reads all the same; what it cannot read is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _told(name: str, max_pixels: int) -> Iterator[None]:
    """Turns everything that Pillow raises about a damaged file into one error."""
    try:
        yield
    except Unreadable:
        raise
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{name} has many more pixels than dataset.max_pixels={max_pixels}") from error
    except UnidentifiedImageError as error:
        raise Unreadable(f"{name} is no picture of a kind that is read, or its header is damaged") from error
    except MemoryError:
        raise
    except Exception as error:  # damaged files raise struct.error, SyntaxError, KeyError and others
        raise Unreadable(f"{name} is cut short or damaged ({str(error) or type(error).__name__})") from error


def _orientation(image: Image.Image) -> int:
    """The orientation that EXIF gives; 1, upright, where it says none or cannot be read."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # what a program has damaged is none
        return 1
    return found if found in range(2, 9) else 1


def _is_plain(image: Image.Image, data: bytes) -> bool:
    """Whether TensorFlow decodes the file to what Pillow does."""
    if image.format in ("JPEG", "MPO"):
        return image.mode in ("L", "RGB") and _LAST in data[-64:] and image.info.get("adobe_transform") != 0
    return (
        image.format == "PNG"
        and data[24] == 8
        and data[25] in _GREY_OR_RGB
        and not getattr(image, "is_animated", False)
        and "transparency" not in image.info
        and _is_sound(data)
    )


def _is_sound(data: bytes) -> bool:
    """Whether the checksums of a PNG are right, which Pillow leaves unread where they are those of pixels."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if data[end : end + 4] != zlib.crc32(data[at + 4 : end]).to_bytes(4, "big"):
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False
