"""Reads the data at a path: a table, an archive with one, or a folder of files."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from search.config.dataset import DatasetConfig
from search.datasets import archive
from search.datasets.content import IMAGE
from search.datasets.dialect import Dialect
from search.datasets.file_lists import Files, list_files
from search.datasets.folder import Kind, read_folder
from search.datasets.hints import listing, nearest
from search.datasets.limits import Limits
from search.datasets.named_columns import NamedColumns
from search.datasets.several import gathered
from search.datasets.source import Decoding, Source
from search.datasets.table import Table
from search.datasets.text_columns import as_typed, text_columns
from search.errors import InputError

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}


def read(path: Path, config: DatasetConfig, member: str | None) -> tuple[Table, dict[str, Table]]:
    """Reads the texts and labels of a file, an archive or a folder.

    Args:
        path: The file or folder, which exists.
        config: Format, columns, separator and encoding.
        member: The table or folder inside an archive; ignored for any other path.

    Returns:
        The table, and those of the folders `valid/` and `test/` by their names, where the path is one of folders.

    Raises:
        InputError: It cannot be read; see the readers.
    """
    limits = Limits.of(config)
    try:
        if path.is_dir():
            if config.format not in ("auto", "folder"):
                raise InputError(f"{path} is a folder, but dataset.format={config.format} asks for a file")
            return _read_folder(path, list_files(path, limits), None, config)
        if not archive.is_archive(path):
            if config.format == "folder":
                raise InputError(f"{path} is a file, but dataset.format=folder asks for a folder")
            return _read_table(path, None, member, config), {}
        files = list_files(path, limits)
        if _holds_folder(path, files, config):
            return _read_folder(path, files, member, config)
        return _read_table(path, files, member, config), {}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def find_table(path: Path, file_format: str, member: str | None, limits: Limits) -> tuple[Source, str]:
    """Finds the table of a file or an archive, and the name whose ending gives its format.

    A sheet of an Excel workbook is found as the CSV that it is read as.

    Raises:
        InputError: The archive holds no table, or several of which `member` chooses none.
    """
    source, name, sheet = Source.of(path, limits=limits), path.name, member
    if archive.is_archive(path):
        name = _choose_member(path, list_files(path, limits).names, file_format, member)
        source, sheet = Source.of(path, name, limits), None
    if (ending_format(name) if file_format == "auto" else file_format) == "xlsx":
        from search.datasets.excel import as_csv

        return as_csv(source, sheet), f"{name}.csv"
    return source, name


def is_table_archive(path: Path, config: DatasetConfig) -> bool:
    """Whether a path is an archive of tables, of which one can be the test split."""
    if not path.is_file() or not archive.is_archive(path):
        return False
    return not _holds_folder(path, list_files(path, Limits.of(config)), config)


def _holds_folder(path: Path, files: Files, config: DatasetConfig) -> bool:
    if config.format != "auto":
        return config.format == "folder"
    kind = Kind.of(path, config)
    return not any(ending_format(name) for name in files.names) and any(
        kind.holds(name) and "/" in name for name in files.names
    )


def ending_format(name: str) -> str | None:
    """The format that the ending of a name stands for."""
    return ENDINGS.get(PurePosixPath(name).suffix.lower())


def _choose_member(path: Path, names: list[str], file_format: str, member: str | None) -> str:
    """Finds the only table of an archive, or the one named by its path or bare name."""
    tables = [name for name in names if ending_format(name)]
    if file_format != "auto" and not tables:
        tables = names
    if member is not None:
        found = [name for name in names if name == member] or [
            name for name in names if PurePosixPath(name).name == member
        ]
        if len(found) != 1:
            raise InputError(f"{path} holds no {member!r}: it holds {listing(names)}{nearest(member, names)}")
        return found[0]
    if not tables:
        there = f"it holds {listing(names)}" if names else "it is empty"
        raise InputError(
            f"{path} holds no table ({', '.join(ENDINGS)}): {there}; where one of them is a table, set dataset.format"
        )
    if len(tables) > 1:
        raise InputError(
            f"{path} holds several tables ({listing(tables)}): choose one, such as dataset.member={tables[0]!r}"
        )
    return tables[0]


def _read_folder(path: Path, files: Files, member: str | None, config: DatasetConfig) -> tuple[Table, dict[str, Table]]:
    texts = text_columns(config.text)
    if len(texts) > 1:
        raise InputError(f"dataset.text={as_typed(texts)}: {path} is a folder of texts, it has no columns")
    return read_folder(path, files, member, config)


def _read_table(path: Path, files: Files | None, member: str | None, config: DatasetConfig) -> Table:
    """Reads the table of a file or of an archive's files, and the pictures that it names or holds."""
    limits = Limits.of(config)
    source, name = find_table(path, config.format, member, limits)
    table = _read_rows(source, name, config)
    if config.content != IMAGE.name:
        return table
    from search.datasets.images.reading import files_beside, files_packed, pictured

    alone = files is None or len(files.names) == 1
    read = files_beside(path.parent, limits) if alone else files_packed(path, name, limits)
    return pictured(table, read, config.max_pixels)


def _read_rows(source: Source, name: str, config: DatasetConfig) -> Table:
    """Reads one table by its format, each of which has its own reader."""
    file_format = ending_format(name) if config.format in ("auto", "xlsx") else config.format
    columns = NamedColumns.of(config)
    if file_format is None:
        if config.content == IMAGE.name and Kind.of(Path(source.name), config).holds(source.name):
            raise InputError(
                f"{source.name} is one picture: expected a folder of them, <class>/*, or a table of paths and labels"
            )
        raise InputError(
            f"The ending of {source.name} does not tell its format (known are {', '.join(ENDINGS)}): "
            "set dataset.format=csv, tsv, parquet, jsonl or xlsx"
        )
    # Each reader is imported where it is used: Arrow takes its time to load, and folders do without.
    if file_format == "jsonl":
        from search.datasets.jsonlines import read_json_lines

        return gathered(read_json_lines(source, columns, Decoding.of(config)), config)
    if file_format == "parquet":
        from search.datasets.parquet import read_parquet

        return gathered(read_parquet(source, columns, config.content), config)
    from search.datasets.delimited import read_delimited

    dialect = Dialect.of(config, file_format)
    return gathered(read_delimited(source, columns, dialect, Decoding.of(config)), config)
