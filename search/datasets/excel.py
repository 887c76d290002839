"""Reads a sheet of an Excel workbook as CSV, which all that reads tables takes."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import IO, Any

from search.datasets.contents import FIRST, kind_of
from search.datasets.hints import listing, nearest
from search.datasets.source import Source
from search.errors import InputError
from search.utils.unpacking import DAMAGED, STEP, Unpacking

_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def as_csv(workbook: Source, sheet: str | None) -> Source:
    """The source of a workbook's sheet as CSV: UTF-8, commas, double quotes.

    Line breaks within a cell become spaces; dates are written as YYYY-MM-DD; of a formula the value counts that Excel
    saved. Rows without a value are left out.

    Args:
        workbook: The .xlsx file.
        sheet: The name of the sheet; None: the only one that holds something.
    """

    @cache
    def content() -> bytes:
        return _written(workbook, sheet)

    def opened() -> AbstractContextManager[IO[bytes]]:
        return nullcontext(io.BytesIO(content()))

    name = workbook.name if sheet is None else f"{workbook.name}:{sheet}"
    return Source(name, opened, workbook.limits, packed=True)


def _written(workbook: Source, sheet: str | None) -> bytes:
    """The CSV of a sheet.

    Raises:
        InputError: It cannot be read, there is no such sheet, or it is larger than the limit.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(f"{workbook.name} needs the package openpyxl: pip install 'search[excel]'") from error
    unpacking = workbook.limits.unpacking(Path(workbook.name))
    with workbook.open() as stream:
        packed = io.BytesIO(stream.read())
    try:
        _count(packed, workbook.name, unpacking)
        book = openpyxl.load_workbook(packed, read_only=True, data_only=True, keep_links=False)
        rows = list(_rows(_sheet(book, workbook.name, sheet), unpacking))
    except InputError:
        raise
    except (*DAMAGED, OSError) as error:
        raise _damaged(workbook.name, packed, error) from error
    except Exception as error:  # of a workbook whose parts contradict each other openpyxl raises whatever comes first
        raise _damaged(workbook.name, packed, error) from error
    if not rows:
        raise InputError(f"{workbook.name} holds no rows")
    width = max(map(len, rows))
    header = [name or f"column {number}" for number, name in enumerate(_padded(rows[0], width), 1)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *(_padded(row, width) for row in rows[1:])])
    return text.getvalue().encode("utf-8", "surrogatepass")


def _count(packed: IO[bytes], name: str, unpacking: Unpacking) -> None:
    """Unpacks all parts once and throws them away, since what they claim as their size need not be true."""
    with zipfile.ZipFile(packed) as archive:
        for part in archive.infolist():
            if part.compress_type not in _PLAIN or part.flag_bits & 1:
                raise InputError(
                    f"{name} is packed or locked in a way that Excel does not: save the table in it as CSV"
                )
            with archive.open(part) as stream:
                while piece := stream.read(STEP):
                    unpacking.add(len(piece))


def _sheet(book: Any, name: str, wanted: str | None) -> Any:
    names = [one.title for one in book.worksheets]
    if wanted is not None:
        if wanted not in names:
            raise InputError(
                f"{name} has no sheet {wanted!r} (dataset.member): it has {listing(names)}{nearest(wanted, names)}"
            )
        return book[wanted]
    filled = [one for one in book.worksheets if next(_values(one), None) is not None]
    if len(filled) > 1:
        titles = [one.title for one in filled]
        raise InputError(
            f"{name} has several sheets ({listing(titles)}): choose one, such as dataset.member={titles[0]!r}"
        )
    if not filled:
        raise InputError(f"{name} holds no rows")
    return filled[0]


def _values(sheet: Any) -> Iterator[Sequence[Any]]:
    """The rows that hold something, up to their last value."""
    sheet.reset_dimensions()  # what it claims as its size need not be true
    for row in sheet.iter_rows(values_only=True):
        filled = [number for number, value in enumerate(row, 1) if value is not None and value != ""]
        if filled:
            yield row[: filled[-1]]


def _rows(sheet: Any, unpacking: Unpacking) -> Iterator[list[str]]:
    for row in _values(sheet):
        cells = [_cell(value) for value in row]
        # One long text can stand in a million cells, and is kept once in the file.
        unpacking.add(sum(map(len, cells)) + len(cells))
        yield cells


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    return " ".join(str(value).splitlines())


def _padded(row: Iterable[str], width: int) -> list[str]:
    cells = list(row)
    return cells + [""] * (width - len(cells))


def _damaged(name: str, packed: io.BytesIO, error: Exception) -> InputError:
    found = kind_of(packed.getvalue()[:FIRST])
    kind = f"; by its first bytes it is {found[0]}" if found and "Excel" not in found[0] else ""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{name} cannot be read as an Excel workbook ({reason:.120}{kind}): save the table in it as CSV")
