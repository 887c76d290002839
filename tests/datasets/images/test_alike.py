"""Pictures that look alike."""

from __future__ import annotations

import numpy as np
from made_pictures import encoded, picture
from PIL import Image, ImageEnhance

from search.datasets.near_duplicates import near_duplicates, together, traits


def test_stored_anew_scaled_and_brightened_pictures_are_found_and_others_are_not():
    earlier = [encoded(picture(seed)) for seed in range(50)]
    changed = [
        encoded(picture(3), "JPEG", quality=40),
        encoded(picture(7).resize((200, 160))),
        encoded(ImageEnhance.Brightness(picture(11)).enhance(0.7)),
        encoded(picture(1000)),
    ]
    found = near_duplicates(traits(changed), together(traits(earlier[:25]), traits(earlier[25:])))
    assert found.text.tolist() == [0, 1, 2] and found.twin.tolist() == [3, 7, 11]
    assert (found.similarity > 0.9).all()


def test_pictures_of_one_colour_have_no_twins():
    plain = [encoded(Image.new("RGB", (16, 16), colour)) for colour in ("red", "blue")]
    assert not len(near_duplicates(traits(plain), traits(plain)).text)


def test_the_nearest_is_found_among_more_than_are_compared_at_once(monkeypatch):
    from search.datasets.images import alike

    monkeypatch.setattr(alike, "_AT_ONCE", 40)
    random = np.random.default_rng(0)
    others = random.integers(1, 2**63, 30).astype(np.uint64)
    nearest, differ = alike.nearest_hashes(others[::-1] ^ np.uint64(3), others)
    assert nearest.tolist() == list(range(30))[::-1] and (differ == 2).all()
