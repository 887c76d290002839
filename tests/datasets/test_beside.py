"""Columns beside the texts: their kinds, their values from any format, and what cannot be used."""

import json

import numpy as np
import pandas as pd
import pytest

from search.config.dataset import DatasetConfig
from search.datasets import load_splits
from search.datasets.beside import Column, beside, joined
from search.datasets.column_kinds import asked_columns, found_columns
from search.datasets.dialect import Dialect
from search.datasets.source import Decoding, Source
from search.datasets.stream import stream_delimited, stream_json_lines
from search.datasets.stream_parquet import stream_parquet
from search.errors import InputError

ROWS = 40


def table(**columns):
    row = np.arange(ROWS)
    made = {
        "review": [f"{'good' if k % 2 else 'bad'} room {k}" for k in row],
        "stars": np.where(row % 2, "up", "down"),
        "price": [*(row[:-1] * 1.5).tolist(), None],
        "brand": np.where(row % 4, "acme", "umbrella"),
        "since": pd.to_datetime("2026-01-01") + pd.to_timedelta(row, unit="D"),
    }
    return pd.DataFrame({**made, **columns})


def written(folder, frame, ending):
    path = folder / f"reviews.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    elif ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    return path


def config(path, columns=("price", "brand", "since"), **settings):
    shown = {"name": "r", "text": "review", "label": "stars", "folds": None, "columns": columns, **settings}
    return DatasetConfig(path=str(path), **shown)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_kinds_follow_from_the_values_whatever_the_format(tmp_path, ending):
    splits = load_splits(config(written(tmp_path, table(), ending)), tmp_path, 0)
    assert [one.kind for one in splits.columns] == ["number", "category", "date"]
    everything = splits.train + splits.valid + splits.test
    order = np.argsort(everything.rows)
    found = everything.beside[order]
    np.testing.assert_array_equal(found["price"], [*(np.arange(ROWS - 1) * 1.5), np.nan])
    assert found["brand"].tolist() == table()["brand"].tolist()
    np.testing.assert_array_equal(np.diff(found["since"]), 86_400.0)
    assert joined(everything.texts, everything.beside).dtype.names == ("texts", "price", "brand", "since")


def test_a_kind_can_be_set(tmp_path):
    path = written(tmp_path, table(zip=np.where(np.arange(ROWS) % 3, 8001, 9000)), "csv")
    columns = load_splits(config(path, {"zip": "category", "price": None}), tmp_path, 0).columns
    assert {one.name: one.kind for one in columns} == {"zip": "category", "price": "number"}


@pytest.mark.parametrize(
    ("first", "second", "day"),
    [
        ("31/01/2026", "01/02/2026", 31),
        ("2026-01-31T00:00:00Z", "", 31),
        ("01/02/2026", "13/02/2026", 32),
        ("9999-12-31", "2026-01-31", 2_912_443),
        ("31-Jan-26", "1-Feb-26", 31),
    ],
)
def test_dates_are_read_as_all_of_them_can_be(first, second, day):
    given = np.array([first, second] * 3, object)
    (column,) = found_columns({"day": "auto"}, {"day": given}, np.arange(1, 7), "t")
    assert column.kind == "date"
    days = column.values([first], [1], "t") / 86_400 - 20_453
    assert days.tolist() == [day]
    assert np.isnan(column.values([None, "NaN", "?"], [1, 2, 3], "t")).all()
    as_dates = column.values([pd.Timestamp("2026-02-01"), pd.NaT], [1, 2], "t") / 86_400 - 20_453
    np.testing.assert_array_equal(as_dates, [32, np.nan])


def test_names_that_models_cannot_take_become_others():
    given = np.array([1, 2] * 3, object)
    asked = dict.fromkeys(("home town", "home_town", "2nd", "texts", "größe"), "auto")
    columns = found_columns(asked, dict.fromkeys(asked, given), np.arange(6), "t")
    assert [one.input for one in columns] == ["home_town", "home_town_2", "column_2nd", "column_texts", "gr_e"]


def test_equal_texts_with_other_columns_are_other_rows_of_one_split(tmp_path):
    frame = table(review=["the same", *table()["review"][1:]])
    frame.loc[2, ["review", "stars", "price"]] = ["the same", "down", 99.0]
    frame.loc[4] = frame.loc[0]
    splits = load_splits(config(written(tmp_path, frame, "csv")), tmp_path, 0)
    assert splits.cleaning.duplicates == 1
    assert [sum(part.texts == "the same") for part in splits.parts.values() if (part.texts == "the same").any()] == [2]


NOTHING = [None] * ROWS


@pytest.mark.parametrize(
    ("columns", "more", "told"),
    [
        (["prise"], {}, "did you mean 'price'"),
        (["review"], {}, "dataset.text"),
        (["stars"], {}, "dataset.label"),
        (["price", "price"], {}, "each once"),
        ("price", {}, "expected a list"),
        ({"price": "numbr"}, {}, "did you mean 'number'"),
        (["empty"], {"empty": NOTHING}, "holds nothing in any row"),
        (["same"], {"same": ["x"] * ROWS}, "in every row"),
        (["name"], {"name": [f"name {k}" for k in range(ROWS)]}, "no category that stands in 5 rows"),
        (["cost"], {"cost": [*range(ROWS - 1), "dear"]}, "row 40 has 'dear'"),
        ({"brand": "number"}, {}, "row 1 has 'umbrella'"),
        ({"brand": "date"}, {}, "'umbrella'"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, columns, more, told):
    with pytest.raises(InputError, match=r"dataset\.columns") as error:
        load_splits(config(written(tmp_path, table(**more), "csv"), columns), tmp_path, 0)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_a_folder_has_no_columns(tmp_path):
    for name in ("up", "down"):
        (tmp_path / "texts" / name).mkdir(parents=True)
        (tmp_path / "texts" / name / "1.txt").write_text(f"a {name} text")
    with pytest.raises(InputError, match="it has no columns"):
        load_splits(config(tmp_path / "texts", ["price"]), tmp_path, 0)


def test_settings_name_columns_in_either_way():
    given = DatasetConfig(name="r", columns={"price": "number", "brand": None})
    assert asked_columns(given) == {"price": "number", "brand": "auto"}
    assert asked_columns(DatasetConfig(name="r")) == {}


@pytest.mark.parametrize("last", ["dear", "8"])
@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_stream_skips_rows_whose_values_cannot_be_read(tmp_path, ending, last):
    frame = table(cost=[*map(str, range(ROWS - 1)), last])
    source = Source.of(written(tmp_path, frame, ending))
    columns = (Column("cost", "number", "cost"), Column("brand", "category", "brand"))
    refused = []
    opened = {
        "csv": lambda: stream_delimited(source, ["review"], Dialect(","), Decoding("utf-8"), refused.append, columns),
        "jsonl": lambda: stream_json_lines(source, ["review"], Decoding("utf-8"), refused.append, columns),
        "parquet": lambda: stream_parquet(source, ["review"], refused.append, columns),
    }
    with opened[ending]() as stream:
        (rows,) = stream.rows
    read = ROWS - len(refused)
    assert rows.beside["cost"].tolist() == [*range(ROWS - 1), 8][:read]
    assert len(rows.texts) == len(rows.records) == read
    if last != "dear":
        assert not refused
        return
    assert [json.dumps(str(error)) for error in refused] == [json.dumps(str(refused[0]))]
    assert "Row 40" in str(refused[0]) and "expected a number" in str(refused[0])


def test_no_columns_are_no_array():
    assert beside((), {}, [1], "t") is None
    texts = np.array(["a"], object)
    assert joined(texts, None) is texts
