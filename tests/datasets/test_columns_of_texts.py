"""Several columns of texts: one text for each row from any format, and what cannot be used."""

import numpy as np
import pandas as pd
import pytest

from search.config.dataset import DatasetConfig
from search.datasets import load_splits
from search.datasets.dataset_settings import asked_texts
from search.datasets.dialect import Dialect
from search.datasets.source import Decoding, Source
from search.datasets.stream import stream_delimited, stream_json_lines
from search.datasets.stream_parquet import stream_parquet
from search.datasets.text_columns import column_texts, joined_text, joined_texts, text_columns, words_left_out
from search.errors import InputError

ROWS = 40
TEXTS = [*(f"about {k}\nroom {k}" for k in range(3)), "-\nroom 3", None, "about 5\n-"]
TEXTS += [f"about {k}\nroom {k}" for k in range(6, ROWS)]
"""The text of each row; a row has none only where all of its parts are missing."""


def table():
    titles: list[str | None] = [f" about {k} " for k in range(ROWS)]
    bodies: list[str | None] = [f"room {k}" for k in range(ROWS)]
    titles[3:5], bodies[4:6] = [None, None], [None, " "]
    numbers = np.arange(ROWS).astype(str)
    return pd.DataFrame({"title": titles, "body": bodies, "stars": ["up", "down"] * 20, "one": numbers, "two": numbers})


def written(folder, ending):
    path = folder / f"reviews.{ending}"
    if ending == "csv":
        table().to_csv(path, index=False)
    elif ending == "parquet":
        table().to_parquet(path)
    elif ending == "xlsx":
        table().to_excel(path, index=False)
    else:
        table().to_json(path, orient="records", lines=True)
    return path


def config(path, text=("title", "body"), **settings):
    return DatasetConfig(name="r", path=str(path), text=text, label="stars", folds=None, **settings)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "xlsx"])
def test_the_columns_of_a_row_become_one_text_whatever_the_format(tmp_path, ending):
    splits = load_splits(config(written(tmp_path, ending), columns=["two"]), tmp_path, 0)
    found = splits.train + splits.valid + splits.test
    order = np.argsort(found.rows)
    assert found.texts[order].tolist() == [text for text in TEXTS if text is not None]
    assert found.beside[order]["two"].tolist() == [k for k in range(ROWS) if TEXTS[k] is not None]
    assert splits.cleaning.missing_text == 1


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_stream_joins_them_as_training_did(tmp_path, ending):
    source, refused = Source.of(written(tmp_path, ending)), []
    opened = {
        "csv": lambda: stream_delimited(source, ["title", "body"], Dialect(), Decoding("utf-8"), refused.append),
        "jsonl": lambda: stream_json_lines(source, ["title", "body"], Decoding("utf-8"), refused.append),
        "parquet": lambda: stream_parquet(source, ["title", "body"], refused.append),
    }
    with opened[ending]() as stream:
        (rows,) = stream.rows
    assert rows.texts == [text for text in TEXTS if text is not None]
    assert len(rows.records) == ROWS - 1
    assert [str(error).partition(" has ")[2] for error in refused] == ["no text in 'title', 'body'"]


def test_one_column_stays_as_it_is():
    texts = np.array([" a ", None, ""], object)
    assert joined_texts([texts]) is texts
    assert text_columns(" a ") == (" a ",) and text_columns(["a"]) == ("a",)


def test_names_are_those_that_were_typed():
    assert text_columns([1, "a b", True]) == ("1", "a b", "true")
    own = DatasetConfig(name="r", text=["title", "body"])
    assert asked_texts(own, None) == ("title", "body")
    assert asked_texts(own, "[head line, größe (1)]") == ("head line", "größe (1)")
    assert asked_texts(own, "a, b") == ("a, b",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (["title", "bodi"], "did you mean 'body'"),
        (["title", " title"], "each once"),
        ([], "expected a column"),
        (None, "expected a column"),
        ({"title": 1}, "expected a column"),
        (["title", "stars"], "dataset.label"),
        (["one", "two"], "holds numbers, such as 0"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, text, told):
    with pytest.raises(InputError, match=r"dataset\.text") as error:
        load_splits(config(written(tmp_path, "csv"), text), tmp_path, 0)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_columns_beside_the_text_and_folders_have_no_part_in_it(tmp_path):
    path = written(tmp_path, "csv")
    for settings in ({"columns": ["body"]}, {"split_column": "body"}):
        with pytest.raises(InputError, match="body"):
            load_splits(config(path, **settings), tmp_path, 0)
    for name in ("up", "down"):
        (tmp_path / "texts" / name).mkdir(parents=True)
        (tmp_path / "texts" / name / "1.txt").write_text(f"a {name} text")
    with pytest.raises(InputError, match=r"dataset\.text=\[title,body\].*no columns"):
        load_splits(config(tmp_path / "texts"), tmp_path, 0)


@pytest.mark.parametrize("parts", [("a\nb", "c"), (None, "c"), ("a", " "), ("a", None), ("-", "c")])
def test_the_parts_are_found_again(parts):
    text = np.array([joined_text(parts)], object)
    expected = [" ".join((part or "").split()) for part in parts]
    assert [column_texts(text, at, 2)[0] for at in range(2)] == [part.removeprefix("-") for part in expected]
    assert column_texts(np.array(["one line"], object), 1, 2)[0] == ""
    assert column_texts(np.array(["a\nb\nc"], object), 1, 2)[0] == "b\nc"


def test_a_word_is_left_out_of_its_own_line():
    assert words_left_out("a b\nc", 1, 9) == (["a", "b", "c"], ["b c", "a c", "a b"])
    assert words_left_out("a b\nc", 2, 9) == (["a", "b", "c"], ["b\nc", "a\nc", "a b\n-"])
    assert words_left_out("a\nb c", 2, 1) == (["a", "b", "c"], ["-\nb c"])
    assert words_left_out("a", 1, 9) == (["a"], [""])
