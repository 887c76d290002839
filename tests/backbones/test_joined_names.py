"""Names of joined modules are taken apart, whatever holds a + besides."""

import pytest

from search.backbones.catalog import Entry, facts
from search.backbones.joined_names import parts
from search.errors import InputError

KNOWN = ["glove-50", "minilm", "a+b"]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    for name in ("mine", "my+own", "x+y/z", "glove-50+mine"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minilm", ["minilm"]),
        ("glove-50+minilm", ["glove-50", "minilm"]),
        ("minilm+mine+glove-50", ["minilm", "mine", "glove-50"]),
        ("glove-50+mine", ["glove-50+mine"]),  # there is such a folder
        ("a+b", ["a+b"]),
        ("a+b+minilm", ["a+b", "minilm"]),
        ("my+own", ["my+own"]),
        ("minilm+my+own", ["minilm", "my+own"]),
        ("my+own+x+y/z+minilm", ["my+own", "x+y/z", "minilm"]),
        ("hf://owner/name+minilm", ["hf://owner/name", "minilm"]),
        ("minilm+https://host/1+2.tar.gz", ["minilm", "https://host/1+2.tar.gz"]),
        ("https://host/1+2.tar.gz+https://host/3", ["https://host/1+2.tar.gz", "https://host/3"]),
        ("glove-50+minilmm", ["glove-50", "minilmm"]),  # of which the second is unknown, and told
        ("/no/such+folder", ["/no/such+folder"]),
        ("minilm+", ["minilm", ""]),
    ],
)
def test_names_are_taken_apart(name, expected):
    assert list(parts(name, KNOWN)) == expected


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("minilm+minilm", "twice"),
        ("mine+minilm+mine", "twice"),
        ("glove-50+lstm", "lstm"),
        ("tfidf+minilm", "space.wide"),
    ],
)
def test_what_cannot_be_joined_is_told(name, told):
    with pytest.raises(InputError, match=told):
        parts(name, KNOWN)


def test_the_facts_about_joined_modules_are_those_that_hold_for_all():
    several = [
        Entry("glove-50", None, "kumo", 50, "PDDL-1.0", "en", None, "Words."),
        Entry("minilm", "hf://all", None, 384, "MIT", "de, en", None, "Sentences."),
    ]
    entries = {one.name: one for one in several}
    joined = facts("minilm+glove-50", entries)
    assert (joined["dimension"], joined["licence"], joined["language"]) == (434, "MIT and PDDL-1.0", "en")
    assert (joined["source"], joined["notes"]) == ("hf://all and kumo", "Sentences. Words.")
    assert facts("minilm+mine", entries) == {"name": "minilm+mine"}
    assert facts("minilm", entries)["handle"] == "hf://all"


def test_a_size_of_images_belongs_to_the_module_before_it():
    assert parts("a@64+a@128", {"a"}) == ("a@64", "a@128")
    assert parts("b+a@64", {"a", "b"}) == ("b", "a@64")
