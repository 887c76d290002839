"""Builds a named module from a file of word vectors, or from the folder of an encoder."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from search.backbones.builders.packaged import check_transformers
from search.backbones.builders.word_vector_files import FORMATS
from search.backbones.catalog import TEXTS, catalog
from search.backbones.transformers.build import write_encoder
from search.backbones.transformers.folders import read_folder
from search.config import configuration_folder
from search.errors import InputError, nearest
from search.utils.files import whole_folder, write_text
from search.utils.leftovers import unfinished_name
from spaces import UNPUBLISHED

TRANSFORMERS = "transformers"
"""The format of folders in Hugging Face's or KerasHub's layout."""
_MODEL = "model"
_NAME = re.compile(r"[A-Za-z][\w.-]{0,99}", re.ASCII)
# A command line would take them for something other than a name.
_NO_NAMES = {"true", "false", "null", "nan", "inf"}


@dataclass(frozen=True)
class Export:
    """A module to build.

    Attributes:
        format: A name of `FORMATS`, or `TRANSFORMERS`.
        path: The file, or the folder of an encoder.
        name: The module's name in `space.modules`.
        vocabulary: Words to keep, the first of the file; None: all.
        overwrite: Whether an earlier exported module of that name is replaced.
        licence: The licence of the vectors.
        language: The language of the words.
    """

    format: str
    path: Path
    name: str
    vocabulary: int | None = None
    overwrite: bool = False
    licence: str = "unknown"
    language: str = "unknown"

    def check(self, modules: Path) -> None:
        """Checks what can be checked without reading the file.

        Args:
            modules: Folder that modules are kept in.

        Raises:
            InputError: The module cannot be built.
        """
        known = (*FORMATS, TRANSFORMERS)
        if self.format not in known:
            raise InputError(f"format={self.format} is unknown. {nearest(self.format, known)}")
        if self.format == TRANSFORMERS:
            if self.vocabulary is not None:
                raise InputError("vocabulary applies to word vectors only: an encoder keeps all its tokens.")
            check_transformers(self.name, read_folder(self.path, self.name).packages)
        elif not self.path.is_file():
            raise InputError(f"path={self.path}: there is no such file.")
        if not _NAME.fullmatch(self.name) or self.name.lower() in _NO_NAMES:
            raise InputError(
                f"name={self.name} cannot name a module: expected a letter, then letters, digits, '.', '_' or '-', "
                "up to 100 in all."
            )
        if self.name in (*catalog([configuration_folder()]), *UNPUBLISHED):
            raise InputError(f"name={self.name} is taken, by a packaged module or by an encoder: choose another.")
        _check_free(modules / self.name, self.overwrite)


@dataclass(frozen=True)
class Exported:
    """A module that was built.

    Attributes:
        folder: Its folder, with the SavedModel and the entry for the catalog.
        content: The amount of its content, in words.
        dimension: Width of its vectors.
        left_out: Sentences about rows that are not in the table.
        takes: What it embeds, texts or images.
    """

    folder: Path
    content: str
    dimension: int
    left_out: tuple[str, ...] = ()
    takes: str = TEXTS


def export(wanted: Export, modules: Path) -> Exported:
    """Writes the module, whole or not at all.

    Args:
        wanted: The module to build.
        modules: Folder that modules are kept in.

    Raises:
        InputError: The file cannot be used, or the name is taken.
        OSError: The module cannot be written.
    """
    wanted.check(modules)
    folder = modules / wanted.name
    modules.mkdir(parents=True, exist_ok=True)
    replaced = f"{unfinished_name(wanted.name)}."
    with tempfile.TemporaryDirectory(prefix=replaced, dir=modules) as aside, whole_folder(folder) as beside:
        done = (_encoder if wanted.format == TRANSFORMERS else _word_vectors)(wanted, folder, beside)
        entry = {
            "name": wanted.name,
            "handle": _MODEL,
            "dimension": done.dimension,
            "takes": done.takes,
            "licence": wanted.licence,
            "language": wanted.language,
            "notes": f"{done.content} of {wanted.path.name} ({wanted.format}).",
        }
        write_text(beside / f"{wanted.name}.yaml", yaml.safe_dump(entry, sort_keys=False, allow_unicode=True))
        # It may have come while this one was built.
        _check_free(folder, wanted.overwrite)
        if folder.exists():
            folder.rename(Path(aside) / wanted.name)
    return done


def _word_vectors(wanted: Export, folder: Path, beside: Path) -> Exported:
    # Imported here: TensorFlow takes seconds, and most mistakes are told without it.
    from search.backbones.builders.vectors import write_module
    from search.backbones.builders.word_vectors import read_word_vectors

    with tempfile.TemporaryDirectory(dir=beside) as scratch:
        table = read_word_vectors(wanted.path, wanted.format, wanted.vocabulary, Path(scratch))
        write_module(table.words, table.vectors, beside / _MODEL, table.others)
    words, dimension = table.vectors.shape
    return Exported(folder, f"{words:,} words of {table.rows:,} rows", dimension, table.left_out)


def _encoder(wanted: Export, folder: Path, beside: Path) -> Exported:
    layout = read_folder(wanted.path, wanted.name)
    (beside / _MODEL).mkdir()
    dimension = write_encoder(layout, beside / _MODEL)
    about, takes = f"an encoder ({layout.architecture}) of {layout.rows}", layout.takes
    return Exported(folder, about, dimension, takes=takes)


def _check_free(folder: Path, overwrite: bool) -> None:
    """Checks that a module's place is free, or holds one that may be replaced."""
    if not folder.exists():
        return
    if not (folder / f"{folder.name}.yaml").is_file():
        raise InputError(f"name={folder.name}: {folder} exists and is not an exported module: choose another name.")
    if not overwrite:
        raise InputError(f"name={folder.name}: {folder} exists already: overwrite=true replaces it.")
