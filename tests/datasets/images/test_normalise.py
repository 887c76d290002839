"""Every picture becomes bytes that TensorFlow decodes to what Pillow sees, upright, in RGB."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from made_pictures import encoded, picture
from PIL import ExifTags, Image, ImageOps

from search.datasets.images.faults import TooLarge, Unreadable
from search.datasets.images.normalise import normalized, quietly

MOST = 1_000_000


def made(data: bytes) -> bytes:
    with quietly():
        return normalized(data, "a.jpg", MOST)


def decoded(data: bytes) -> np.ndarray:
    import tensorflow as tf

    return tf.io.decode_image(data, channels=3, expand_animations=False).numpy().astype(int)


def seen(data: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")).astype(int)


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


STAY = {
    "jpeg": encoded(picture(), "JPEG", quality=90),
    "grey jpeg": encoded(picture(mode="L"), "JPEG", quality=90),
    "progressive jpeg": encoded(picture(), "JPEG", quality=90, progressive=True),
    "upright jpeg": encoded(picture(), "JPEG", quality=90, exif=turned(1)),
    "png": encoded(picture()),
    "grey png": encoded(picture(mode="L")),
}
CHANGE = {
    **{f"jpeg turned {n}": encoded(picture(), "JPEG", quality=90, exif=turned(n)) for n in range(2, 9)},
    "png turned": encoded(picture(), exif=turned(6)),
    "cmyk jpeg": encoded(picture(mode="CMYK"), "JPEG", quality=90),
    "jpeg of rgb": encoded(picture(), "JPEG", quality=90, keep_rgb=True),
    "palette png": encoded(picture(mode="P")),
    "black and white png": encoded(picture(mode="1")),
    "webp": encoded(picture(), "WEBP", lossless=True),
    "bmp": encoded(picture(), "BMP"),
    "tiff": encoded(picture(), "TIFF"),
    "gif": encoded(picture(mode="P"), "GIF", save_all=True, append_images=[picture(1, mode="P")]),
}


@pytest.mark.parametrize("kind", STAY)
def test_what_tensorflow_reads_right_stays_as_it_is(kind):
    assert made(STAY[kind]) is STAY[kind]
    assert np.abs(decoded(STAY[kind]) - seen(STAY[kind])).max() <= 3


@pytest.mark.parametrize("kind", CHANGE)
def test_all_else_becomes_a_png_of_the_same_pixels(kind):
    found = made(CHANGE[kind])
    assert found.startswith(b"\x89PNG") and (decoded(found) == seen(CHANGE[kind])).all()
    assert made(found) is found


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode):
    alpha = np.zeros((32, 40), np.uint8)
    alpha[:, 20:] = 255
    shown = picture(mode="RGB" if mode == "P" else mode[:-1])
    if mode == "P":
        coloured = shown.convert("P")
        data = encoded(coloured, transparency=coloured.getpixel((0, 0)))
        there = np.asarray(coloured) != coloured.getpixel((0, 0))
    else:
        shown.putalpha(Image.fromarray(alpha))
        data, there = encoded(shown), alpha > 0
    found = decoded(made(data))
    assert (found[~there] == 255).all() and (found[there] == seen(data)[there]).all()


def test_16_bits_are_scaled_and_not_cut():
    grey = np.linspace(0, 65535, 40 * 32).reshape(32, 40)
    found = decoded(made(encoded(Image.fromarray(grey.astype(np.uint16)))))
    assert np.abs(found[..., 0] - grey / 257).max() <= 1 and len(np.unique(found)) == 256


def test_32_bits_are_refused():
    with pytest.raises(Unreadable, match="32 bits"):
        made(encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"))


@pytest.mark.parametrize("kind", [*STAY, "webp", "bmp", "tiff"])
def test_a_file_that_is_cut_short_is_refused(kind):
    whole = {**STAY, **CHANGE}[kind]
    for part in (0, 1, 10, len(whole) // 2, len(whole) * 4 // 5):
        with pytest.raises(Unreadable, match=r"a\.jpg"):
            made(whole[:part])


def test_pixels_whose_checksum_is_wrong_are_never_given_to_tensorflow():
    data = bytearray(STAY["png"])
    at = data.index(b"IDAT") + 30
    data[at] ^= 1
    try:
        found = made(bytes(data))
    except Unreadable:
        return
    assert decoded(found).shape == (32, 40, 3)


@pytest.mark.parametrize("data", [b"", b"text", b"<html>", b"\0" * 100, b"%PDF-1.4", b"GIF89a"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(Unreadable, match=r"a\.jpg"):
        made(data)


def test_large_pictures_are_told_by_their_header_alone():
    with pytest.raises(TooLarge, match="40 x 32"):
        normalized(STAY["png"], "a.png", 40 * 32 - 1)
    assert normalized(STAY["png"], "a.png", 40 * 32)
    # 60,000 x 60,000 pixels, of which there are none behind the header
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one))
        for one in (b"IHDR" + header, b"IDAT")
    ]
    with pytest.raises(TooLarge):
        normalized(STAY["png"][:8] + b"".join(chunks), "a.png", MOST)


def test_damaged_exif_turns_nothing():
    data = bytearray(encoded(picture(), "JPEG", quality=90, exif=turned(6)))
    at = data.index(b"Exif")
    data[at + 6 : at + 10] = b"\xff\xff\xff\xff"
    assert np.abs(decoded(made(bytes(data))) - seen(STAY["jpeg"])).max() <= 3
