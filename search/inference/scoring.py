"""Prediction from an input file to an output file, with the speed in words."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TextIO

from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.archive import is_archive
from search.datasets.beside import Column
from search.datasets.dialect import Dialect
from search.datasets.limits import Limits
from search.datasets.read import ENDINGS, ending_format, find_table
from search.datasets.source import Decoding, Source, is_undecoded
from search.datasets.stream import (
    Refuse,
    Rows,
    Stream,
    stream_delimited,
    stream_json_lines,
    stream_lines,
)
from search.datasets.stream_content import are_files, stream_files, with_content
from search.datasets.stream_parquet import stream_parquet
from search.errors import InputError
from search.inference.labels import Labels
from search.inference.predictor import Predictor
from search.inference.writers import Write, delimited, json_lines, parquet, submission
from search.utils.files import whole_file
from search.utils.special_files import is_written_through, special, written_through

_SAY_EVERY = 10.0  # seconds
_DELIMITED = ("csv", "tsv")


@dataclass(frozen=True)
class Job:
    """A job of prediction: the input, how to read it, and the output.

    Attributes:
        input: A table; None: standard input.
        output: A file; None: standard output.
        text: A single text, in place of the input.
        text_columns: The columns of texts.
        file_format: csv, tsv, jsonl or parquet; None: by the ending of a file; lines of text from standard input.
        dataset: How to read tables; its `format` counts where the ending says nothing.
        kaggle: Whether to write `dataset.submission`.
        columns: The columns that the model takes beside the texts.
        beside: Those of the single text, structured [1]; None: not given.
    """

    input: Path | None
    output: Path | None
    text: str | None
    text_columns: Sequence[str]
    file_format: str | None
    dataset: DatasetConfig
    kaggle: bool
    columns: Sequence[Column] = ()
    beside: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        """Checks the job before anything is read.

        Raises:
            InputError: The two files do not go together, or there is no such file.
        """
        read, written = self.input, self.output
        is_table = not self._are_files if read is not None else self.text is None and self.file_format is not None
        if self.columns and self.beside is None and not is_table:
            names = ", ".join(f"{one.name}: …" for one in self.columns)
            raise InputError(
                "The model takes columns as well: give a table that has them, input=…, or beside text= also "
                f"columns='{{{names}}}'."
            )
        if read is not None and (kind := special(read)):
            raise InputError(f"input={read} is {kind}: expected a file; standard input is read where input=-.")
        if read is not None and not read.is_file() and not self._are_files:
            raise InputError(f"input={read}: {'expected a file, not a folder' if read.is_dir() else 'no such file'}.")
        if self.kaggle and self.dataset.submission is None:
            raise InputError("format=kaggle: the run's dataset.submission does not say which columns are wanted.")
        if self.kaggle and self.format not in _DELIMITED:
            raise InputError(
                f"A submission is made from a CSV or TSV: expected one as input, not {self.format or 'texts'}."
            )
        if written is None:
            if self.format == "parquet":
                raise InputError("output= must be given where the input is Parquet.")
            return
        if written.is_dir():
            raise InputError(f"output={written} is a folder: expected a file.")
        if read is not None and written.exists() and written.samefile(read):
            raise InputError(f"output={written} is the input: expected another file.")
        if is_archive(written):
            raise InputError(f"output={written}: expected the name of a plain file, not of an archive.")
        ending = ending_format(written.name)
        table = "csv" if self.format in (None, *_DELIMITED) else self.format
        if ending is not None and ending != table and not {ending, table} <= {*_DELIMITED}:
            fitting = ", ".join(name for name, one in ENDINGS.items() if one == table)
            raise InputError(f"output={written}: expected a name that ends in {fitting}, as the input is {table}.")

    @cached_property
    def format(self) -> str | None:
        """The input's format; None for texts that are in no table."""
        if self.text is not None or self._are_files:
            return None
        if self.input is None:
            if self.file_format in ("parquet", "xlsx"):
                raise InputError(
                    f"dataset.format={self.file_format}: expected a file as input, it is read from its end."
                )
            return self.file_format
        asked = None if self.file_format == "xlsx" else self.file_format  # a sheet of a workbook comes as CSV
        if found := asked or ending_format(self._table[1]):
            return found
        if self.dataset.format in ("auto", "folder"):
            raise InputError(
                f"The ending of {self.input} does not tell its format (known are {', '.join(ENDINGS)}): "
                "set dataset.format=csv, tsv, jsonl or parquet."
            )
        return self.dataset.format

    @cached_property
    def _are_files(self) -> bool:
        return self.input is not None and self.input.exists() and are_files(self.input, self.dataset)

    @cached_property
    def _table(self) -> tuple[Source, str]:
        limits = Limits.of(self.dataset)
        if self.input is None:
            return Source("standard input", lambda: nullcontext(sys.stdin.buffer), limits), ""
        return find_table(self.input, self.file_format or "auto", self.dataset.member, limits)

    @contextmanager
    def opened(self, refuse: Refuse) -> Iterator[Stream]:
        """Opens the input; `refuse` is called with rows that cannot be used.

        Raises:
            InputError: It cannot be read, or has no such column.
        """
        with self._opened(refuse) as stream:
            yield with_content(stream, self.input or Path("-"), self.dataset, refuse)

    def _opened(self, refuse: Refuse) -> AbstractContextManager[Stream]:
        if self.input is not None and self._are_files:
            return nullcontext(stream_files(self.input, self.dataset))
        if self.text is not None:
            return nullcontext(_single(self.text, self.beside, refuse, self.dataset.content))
        decoding = Decoding.of(self.dataset)
        source, chosen = self._table[0], self.format
        if chosen is None:
            return stream_lines(source, decoding, refuse, self.dataset.content)
        if chosen == "jsonl":
            return stream_json_lines(source, self.text_columns, decoding, refuse, self.columns)
        if chosen == "parquet":
            return stream_parquet(source, self.text_columns, refuse, self.columns, self.dataset.content)
        dialect = Dialect.of(self.dataset, chosen)
        return stream_delimited(source, self.text_columns, dialect, decoding, refuse, self.columns)

    @contextmanager
    def writing(self, stream: Stream, labels: Labels) -> Iterator[Write]:
        """Opens the output; a file appears when the block has ended without an error.

        Args:
            stream: The input.
            labels: The labels of the model.
        """
        if self.output is None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
            yield self._writer(sys.stdout, stream, labels)
            sys.stdout.flush()
            return
        with self._binary(self.output) as file:
            if self.format == "parquet":
                with parquet(file, stream, labels.columns_added) as write:
                    yield write
            else:
                # In JSON the replacement of half a surrogate pair is the escape it was read from.
                text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
                yield self._writer(text, stream, labels)
                text.flush()
                text.detach()

    @contextmanager
    def _binary(self, output: Path) -> Iterator[IO[bytes]]:
        """Opens the output for bytes; a pipe or device gets them as they come."""
        if is_written_through(output):
            with written_through(output) as file:
                yield file
        else:
            with whole_file(output) as path, path.open("wb") as file:
                yield file

    def _writer(self, file: TextIO, stream: Stream, labels: Labels) -> Write:
        if self.kaggle:
            return submission(file, stream, self.dataset, labels)
        if self.format == "jsonl":
            return json_lines(file, stream, labels.columns_added)
        ending = None if self.output is None else ending_format(self.output.name)
        separator = stream.separator
        if ending == "tsv" or (ending == "csv" and separator == "\t"):
            separator = "\t" if ending == "tsv" else ","
        return delimited(file, stream, labels.columns_added, separator)


def score_all(predictor: Predictor, stream: Stream, write: Write, say: Callable[[str], None]) -> str:
    """Predicts for every row of a stream.

    Args:
        predictor: The predictor.
        stream: The rows.
        write: Writes the rows with their predictions.
        say: Called with the progress every few seconds.

    Returns:
        The number of rows, and of rows per second, in words.
    """
    begun = said = time.monotonic()
    rows = 0

    def rate() -> str:
        seconds = time.monotonic() - begun
        return f"{rows:,} row{'' if rows == 1 else 's'} in {seconds:,.1f} s, {rows / max(seconds, 1e-9):,.0f} rows/s"

    for chunk, predictions in predictor.over(stream.rows):
        write(chunk, predictions)
        rows += len(chunk.texts)
        if time.monotonic() - said > _SAY_EVERY:
            said = time.monotonic()
            say(rate())
    return rate()


def _single(text: str, beside: NDArray[Any] | None, refuse: Refuse, column: str) -> Stream:
    if is_undecoded(text):
        refuse(InputError("text= holds undecodable bytes: expected the terminal's own encoding."))
    if not text.strip():
        refuse(InputError("text= holds no text."))
    return Stream([column], iter([Rows([text.strip()], [[text]], beside)]))
