import faulty
import numpy as np
import pytest
from reviews import make_reviews

from search.backbones.hub.examine import examine
from search.backbones.hub.load import published
from search.backbones.hub.purity import impurity, telling
from search.errors import InputError

TEXTS = np.array([*make_reviews(60)[0], "good", "bad", "good " * 40], object)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (faulty.padded, "other texts of the batch"),
        (faulty.numbered, "other texts of the batch"),
        (faulty.random, "the second time"),
        (faulty.sound, ""),
    ],
)
def test_a_search_finds_out_what_else_decides_about_a_vector(tmp_path, function, told):
    module = published(faulty.save(function, tmp_path / "module"), "mine")
    found = impurity(module, telling(TEXTS), "module mine")
    assert (told in found) if told else not found


@pytest.mark.parametrize("function", [faulty.padded, faulty.numbered, faulty.centred, faulty.random])
def test_an_examination_finds_it_out(tmp_path, function):
    found = examine(published(faulty.save(function, tmp_path / "module")))
    assert found.frozen and found.fine_tuned


@pytest.mark.parametrize("function", [faulty.fewer_rows, faulty.not_a_number])
def test_an_examination_names_a_text_without_words(tmp_path, function):
    with pytest.raises(InputError, match=r"^module mine cannot be used on the text '"):
        examine(published(faulty.save(function, tmp_path / "module"), "mine"))


def test_texts_that_tell_are_few_and_odd_ones_are_among_them():
    texts = np.array(
        [*(f"text number {number}" for number in range(2000)), "!!!", "a", "word " * 500, "x" * 9999], object
    )
    found = telling(texts)
    assert {"!!!", "a", "word " * 500} <= set(found) and "x" * 9999 not in found
    assert len(found) == len(set(found)) <= 16
    assert telling(np.array(["one", "one"], object)) == ["one"]
