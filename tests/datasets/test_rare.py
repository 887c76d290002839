import numpy as np
import pytest

from search.config.dataset import DatasetConfig
from search.datasets.rare import settle_rare
from search.datasets.table import Examples, first_rows, object_array
from search.errors import InputError


def examples(counts, prefix="") -> Examples:
    labels = np.repeat(np.arange(len(counts)), counts)
    texts = object_array([f"{prefix}text {number}" for number in range(len(labels))])
    return Examples(texts, labels, first_rows(len(labels)))


def settled(counts, classes, test=None, **values):
    parts = {"train": examples(counts)} | ({} if test is None else {"test": examples(test, "test ")})
    return settle_rare(parts, classes, DatasetConfig(name="toy", **values))


@pytest.mark.parametrize(
    ("counts", "values", "says"),
    [
        ((50, 50, 2), {}, r"'c' is too rare: .* 2 distinct text.*, and train, valid, test need one each"),
        ((50, 50, 0), {}, r"'c' is too rare: .* 0 distinct text"),
        ((50, 1, 2), {}, r"'b' is too rare: .*; 1 more classes"),
        ((50, 50, 5), {"folds": 5}, "5 folds of train, test need"),
        ((50, 2, 2), {"rare": "drop"}, "one class only, 'a'"),
        ((50, 50, 2), {"rare": "merge"}, r"'c' together have 2 distinct text.*dataset.rare=drop"),
        ((2, 2, 2), {"rare": "drop"}, "no class"),
    ],
)
def test_too_rare_is_one_line(counts, values, says):
    with pytest.raises(InputError, match=says) as error:
        settled(counts, ("a", "b", "c"), **values)
    assert "\n" not in str(error.value)


def test_rare_classes_are_left_out_of_all_splits():
    found = settled((1, 50, 9), ("a", "b", "c"), test=(3, 4, 5, 6), rare="drop")
    assert (found.classes, found.rare, found.cleaning.rare) == (("b", "c"), {"a": 1}, 1 + 3)
    assert np.bincount(found.parts["train"].labels).tolist() == [50, 9]
    assert np.bincount(found.parts["test"].labels).tolist() == [4, 5, 6], "that of a class train lacks stays"


@pytest.mark.parametrize(("classes", "left"), [(("a", "b", "c", "d"), 2), (("a", "b", "c", "other"), 2)])
def test_rare_classes_become_one(classes, left):
    found = settled((1, 2, 50, 60), classes, rare="merge")
    names = [found.classes[label] for label in found.parts["train"].labels]
    assert names.count("other") == 3 + 60 * (classes[3] == "other")
    assert found.cleaning.merged == 3 and len(found.classes) == left + (classes[3] != "other")


def test_what_the_folds_need_is_what_is_left_of_train():
    # Of ten texts the limit leaves five and the test split takes one.
    with pytest.raises(InputError, match="too rare"):
        settled((90, 10), ("a", "b"), folds=5, limit=50)
    assert settled((90, 10), ("a", "b"), folds=4, limit=50).rare == {}
