"""Workbooks are read as the CSV that they could be saved as."""

import datetime
import zipfile

import pytest

from search.config.dataset import DatasetConfig
from search.datasets.limits import Limits
from search.datasets.read import find_table, read
from search.errors import InputError

openpyxl = pytest.importorskip("openpyxl")


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def config(**values):
    return DatasetConfig(**{"name": "made", "text": "review", "label": "stars", **values})


ROWS = [["review", "stars", None], ["so\ngood", 5], [None, None], [7, "x", "beside"], ["a, b", None]]


def test_cells_are_what_a_csv_of_them_holds(tmp_path):
    table, _ = read(workbook(tmp_path / "a.xlsx", one=ROWS, empty=[]), config(), None)
    assert table.texts.tolist() == ["so good", "7", "a, b"]
    assert table.labels.tolist() == ["5", "x", None] and table.rows.tolist() == [1, 2, 3]


def test_dates_and_truth_values_are_written_plainly(tmp_path):
    day = datetime.datetime(2026, 1, 31)
    path = workbook(tmp_path / "a.xlsx", one=[["review", "stars"], [day, True], [day.replace(hour=5), 2.5]])
    table, _ = read(path, config(), None)
    assert table.texts.tolist() == ["2026-01-31", "2026-01-31 05:00:00"] and table.labels.tolist() == ["True", "2.5"]


def test_one_sheet_of_several_is_chosen_by_its_name(tmp_path):
    path = workbook(tmp_path / "a.xlsx", one=ROWS, two=ROWS[:2])
    assert len(read(path, config(), "two")[0]) == 1
    for member, says in ((None, "several sheets.*dataset.member='one'"), ("tow", "no sheet 'tow'.*'two'")):
        with pytest.raises(InputError, match=says) as error:
            read(path, config(), member)
        assert "\n" not in str(error.value)


def test_a_workbook_in_an_archive_is_a_table_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(workbook(tmp_path / "a.xlsx", one=ROWS), "a.xlsx")
    assert len(read(tmp_path / "a.zip", config(), None)[0]) == 3


def test_what_is_no_workbook_is_one_line(tmp_path):
    good = workbook(tmp_path / "good.xlsx", one=ROWS).read_bytes()
    for number, content in enumerate((b"", b"a,b\n", good[: len(good) // 2], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read as an Excel workbook") as error:
            read(path, config(), None)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="holds no rows"):
        read(workbook(tmp_path / "empty.xlsx", one=[]), config(), None)


def test_what_a_workbook_unpacks_to_is_limited(tmp_path):
    path = workbook(tmp_path / "a.xlsx", one=[["review", "stars"], *[["x" * 30_000, 1]] * 200])
    assert path.stat().st_size < 100_000
    source, _ = find_table(path, "auto", None, Limits(max_unpacked_gib=3_000_000 / 2**30))
    with pytest.raises(InputError, match="max_unpacked_gib"), source.open():
        pass
