"""The kind of a file by its first bytes, whatever its name."""

from __future__ import annotations

import re

from search.errors import InputError

FIRST = 512
"""The number of bytes needed."""
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
# Names at the beginning of a .zip that only office programs write.
_OFFICE = re.compile(
    rb"PK\x03\x04.{26}(\[Content_Types\]\.xml|_rels/|docProps/|xl/|word/|mimetypeapplication/vnd\.)", re.S
)
_PACKED = "name it as one, with the ending {ending}"
_SAVED = "save the table in it as CSV"
_WORKBOOK = "name a workbook .xlsx; of another document save the table in it as CSV"
_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (_OFFICE, "an Excel workbook or another office document", _WORKBOOK),
    (re.compile(rb"PK(\x03\x04|\x05\x06)"), "a .zip archive", _PACKED.format(ending=".zip")),
    (re.compile(rb"\x1f\x8b"), "compressed by gzip", _PACKED.format(ending=".gz, or .tar.gz")),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an Excel workbook or another office document", _SAVED),
    (re.compile(rb"PAR1"), "Parquet", "set dataset.format=parquet, or name it .parquet"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "compressed by bzip2", "unpack it"),
    (re.compile(rb"\xfd7zXZ\0"), "compressed by xz", "unpack it"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "compressed by Zstandard", "unpack it"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7-Zip archive", "unpack it"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive", "unpack it"),
    (re.compile(rb".{257}ustar[\0 ]", re.S), "a .tar archive", _PACKED.format(ending=".tar")),
    (re.compile(rb"ARROW1\0\0"), "an Arrow (Feather) file", "save it as Parquet"),
    (re.compile(rb"SQLite format 3\0"), "a SQLite database", _SAVED),
    (re.compile(rb"\x89HDF\r\n\x1a\n"), "an HDF5 file", _SAVED),
    (re.compile(rb"%PDF-"), "a PDF", "take the text out of it"),
    (
        re.compile(rb"version https://git-lfs\.github\.com/spec/"),
        "what Git LFS leaves in place of a file",
        "fetch the file itself with git lfs pull",
    ),
)


def kind_of(first: bytes) -> tuple[str, str] | None:
    """The kind of a file that is no text, and what to do about it.

    Args:
        first: Its first `FIRST` bytes, or all of them.

    Returns:
        The kind and a remedy, in words; None: it may be text.
    """
    for pattern, what, remedy in _KINDS:
        if pattern.match(first) and (what != "Parquet" or _BINARY.search(first)):
            return what, remedy
    return None


def require_text(name: str, first: bytes, expected: str = "text") -> None:
    """Checks that a file may be text by its first bytes.

    Raises:
        InputError: It is something else; the message says what, and what to do.
    """
    if found := kind_of(first):
        what, remedy = found
        raise InputError(f"{name} is {what}, not {expected}: {remedy}")


def require_parquet(name: str, first: bytes) -> None:
    """Checks that a file may be Parquet by its first bytes.

    Raises:
        InputError: It is something else.
    """
    if first.startswith((b"PAR1", b"PARE")):  # PARE: encrypted, which the reader says
        return
    if found := kind_of(first):
        what, remedy = found
    else:
        what = "empty" if not first else "text" if _BINARY.search(first) is None else "of an unknown kind"
        remedy = "give its format by the ending of its name or by dataset.format"
    raise InputError(f"{name} cannot be read as Parquet, it is {what}: {remedy}")
