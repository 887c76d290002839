"""Counts and handles what real tables hold: missing texts and labels, duplicates, conflicting labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig
from search.datasets.content import content_of
from search.datasets.images.faults import require_pictures
from search.datasets.table import Examples, Table, object_array, without_space
from search.datasets.text_columns import LINE, as_typed, text_columns
from search.errors import InputError


@dataclass(frozen=True)
class Cleaning:
    """The counts of rows that were read, dropped and kept.

    `read` is the sum of the splits and of all other counts, except `conflicting_texts`, `merged`, `unseen_test`,
    `shared_valid`, `shared_test` and the counts of files.

    Attributes:
        read: Rows in the file, and in that of the test split where it has its own.
        missing_text: Dropped, the text is missing.
        empty_text: Dropped, the text is empty or white space.
        missing_label: Dropped, there is a text but no label.
        missing_file: Dropped, the table names a picture that is not there.
        broken: Dropped, the file is no picture, is cut short or damaged.
        oversized: Dropped, the picture has more pixels than `dataset.max_pixels`.
        other_class: Dropped, the label is in none of `dataset.classes` or `dataset.label_ranges`.
        rare: Dropped, the class has too few texts, as `dataset.rare=drop` says.
        merged: Rows of such classes that are of the class `other` now, as `dataset.rare=merge` says.
        unseen_valid: Dropped from a validation split that came with the data, of a class that train lacks.
        unseen_test: Rows of a test split that came with the data, of a class that train lacks: each is an error.
        conflicting_texts: Distinct texts that stood there with more than one label; counted split by split where each
            comes with rows of its own.
        conflicts: Dropped rows of those texts.
        duplicates: Dropped, the same text and label stand in an earlier row.
        also_in_test: Dropped from train and valid, the text stands in a test split that came with the data.
        also_in_valid: Dropped from train, the text stands in a validation split that came with the data.
        over_limit: Left out by `dataset.limit`.
        unused: Left over by `dataset.train_size`, `train_fraction` or `recipe`.
        shared_valid: Rows of valid whose text stands in train too, kept as `dataset.shared` says.
        shared_test: Rows of test whose text stands in train or valid too.
        hidden_files: Files of a folder or archive of texts that are not read, as their name or a folder's begins with a
            dot.
        other_files: Files with other endings than those of texts, .txt, or of pictures.
        misplaced_files: Files that are in no class folder.
        other_class_files: Files of folders that are none of `dataset.classes`.
        special_files: Links in an archive; pipes, devices and links to nothing in a folder.
    """

    read: int = 0
    missing_text: int = 0
    empty_text: int = 0
    missing_label: int = 0
    missing_file: int = 0
    broken: int = 0
    oversized: int = 0
    other_class: int = 0
    rare: int = 0
    merged: int = 0
    unseen_valid: int = 0
    unseen_test: int = 0
    conflicting_texts: int = 0
    conflicts: int = 0
    duplicates: int = 0
    also_in_test: int = 0
    also_in_valid: int = 0
    over_limit: int = 0
    unused: int = 0
    shared_valid: int = 0
    shared_test: int = 0
    hidden_files: int = 0
    other_files: int = 0
    misplaced_files: int = 0
    other_class_files: int = 0
    special_files: int = 0

    def __add__(self, other: Self) -> Cleaning:
        """Adds count to count."""
        return Cleaning(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


def drop_missing(table: Table, config: DatasetConfig) -> tuple[Table, Cleaning]:
    """Strips white space around texts and labels and drops the rows that lack either.

    Args:
        table: The table, as read.
        config: Its `missing` is drop, or error where such a row ends the run.

    Returns:
        The rows with both, and the counts of the others.

    Raises:
        InputError: No text or no label is left, the texts are numbers, or `missing` forbids the rows that lack one.
    """
    columns = text_columns(config.text)
    texts, labels = object_array(without_space(table.texts)), object_array(without_space(table.labels))
    no_text = texts == None  # noqa: E711 - element by element
    empty = texts == ""
    no_label = np.array([label is None or label == "" or label != label for label in labels], dtype=bool)
    lost = no_text | empty
    _require_letters(labels, table)
    require_pictures(table, config)
    if lost.all():
        raise InputError(f"All {len(table):,} texts of {table.source} are empty (dataset.text={as_typed(columns)})")
    if (lost | no_label).all():
        raise InputError(f"No row of {table.source} has a label (dataset.label={config.label})")
    if config.missing == "error" and (lost | no_label).any():
        at = int(np.flatnonzero(lost | no_label)[0])
        raise InputError(
            f"Row {table.rows[at]:,} of {table.source} has no {'text' if lost[at] else 'label'}, the first of "
            f"{int((lost | no_label).sum()):,} such rows, which dataset.missing=error forbids: complete them or set "
            "dataset.missing=drop"
        )
    kept = replace(table, texts=texts, labels=labels).take(~(lost | no_label))
    parts = kept.texts if len(columns) == 1 else [part for text in kept.texts for part in text.split(LINE)]
    if content_of(parts).has_words and all(map(_is_number, parts)):
        raise InputError(
            f"Column {as_typed(columns)!r} of {table.source} (dataset.text) holds numbers, such as {parts[0]}: "
            "expected texts"
        )
    counts = Cleaning(
        read=len(table) + len(table.faults),
        missing_text=int(no_text.sum()),
        empty_text=int(empty.sum()),
        missing_label=int((no_label & ~lost).sum()),
        **table.left_out,
        **Counter(fault.count for fault in table.faults),
    )
    return kept, counts


def resolve_repeats(examples: Examples, config: DatasetConfig, source: str) -> tuple[Examples, Cleaning]:
    """Leaves each text with one label, where asked to: resolves conflicting labels first, then drops duplicates.

    Args:
        examples: Rows with classes.
        config: Its `conflicts` is majority (the most frequent label of a text wins, a tie drops the text), drop, keep
            or error; its `duplicates` is first (of each text and label), keep or error.
        source: The file, for messages.

    Returns:
        The rows that stay, in their order, and the counts of the others.

    Raises:
        InputError: A rule forbids the conflicts or duplicates.
    """
    ids = text_ids(_contents(examples))
    # The distinct pairs of text and label, and how often each stands there; several labels count as one by all of them.
    labels = examples.labels
    if labels.ndim == 2:
        labels = np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1)
    width = int(labels.max(initial=0)) + 1
    pairs, pair_of_row, size = np.unique(ids * width + labels, return_inverse=True, return_counts=True)
    text_of_pair = pairs // width
    labels_of_text = np.bincount(text_of_pair)
    conflicting = labels_of_text > 1
    if conflicting.any() and config.conflicts == "error":
        _refuse(examples, conflicting[ids], ids, "the same text with different labels", "conflicts=majority", source)
    if config.conflicts == "keep":
        wins = np.ones(len(pairs), dtype=bool)
    elif config.conflicts == "drop":
        wins = ~conflicting[text_of_pair]
    else:
        most = np.zeros(len(labels_of_text), dtype=size.dtype)
        np.maximum.at(most, text_of_pair, size)
        wins = size == most[text_of_pair]
        wins &= np.bincount(text_of_pair, weights=wins)[text_of_pair] == 1
    stays = wins[pair_of_row]
    settled, settled_pairs = examples.take(stays), pair_of_row[stays]
    first = np.zeros(len(settled), dtype=bool)
    first[np.unique(settled_pairs, return_index=True)[1]] = True
    if config.duplicates == "error" and not first.all():
        repeated = np.isin(settled_pairs, settled_pairs[~first])
        _refuse(settled, repeated, settled_pairs, "the same text and label", "duplicates=first", source)
    kept = settled if config.duplicates == "keep" else settled.take(first)
    counts = Cleaning(
        conflicting_texts=int(conflicting.sum()),
        conflicts=len(examples) - len(settled),
        duplicates=len(settled) - len(kept),
    )
    return kept, counts


def stands_in(examples: Examples, others: Iterable[Examples]) -> NDArray[np.bool_]:
    """Marks each example [n] whose text is also among the others."""
    known = {text for other in others for text in other.texts}
    return np.array([text in known for text in examples.texts], dtype=bool)


def text_ids(texts: NDArray[np.object_]) -> NDArray[np.int64]:
    """Numbers the distinct texts from 0 in order of appearance; equal texts share a number."""
    seen: dict[Any, int] = {}
    return np.fromiter((seen.setdefault(text, len(seen)) for text in texts), dtype=np.int64, count=len(texts))


def distinct_texts(examples: Examples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each row's text, and the class of each text, which is that of its first row."""
    ids = text_ids(examples.texts)
    return ids, examples.labels[np.unique(ids, return_index=True)[1]]


def _contents(examples: Examples) -> NDArray[np.object_]:
    """The contents of each row but its label: its text, and the columns beside it, which may tell equal texts apart."""
    if examples.beside is None:
        return examples.texts
    return object_array([*zip(examples.texts, map(repr, examples.beside.tolist()), strict=True)])


def _require_letters(labels: NDArray[np.object_], table: Table) -> None:
    """Refuses labels that cannot be written in UTF-8: lone surrogates in JSON, bytes in a folder's name."""
    for label in {label for label in labels.tolist() if isinstance(label, str) and not label.isascii()}:
        try:
            label.encode()
        except UnicodeEncodeError as error:
            row = table.rows[np.flatnonzero(labels == label)[0]]
            raise InputError(
                f"Row {row:,} of {table.source} has the label {label!r}, which is no valid text (half of a \\u "
                "surrogate pair, or a byte of another encoding): correct it"
            ) from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "infinity")


def _refuse(
    examples: Examples, repeated: NDArray[np.bool_], ids: NDArray[np.int64], what: str, remedy: str, source: str
) -> None:
    """Raises an error about rows that a rule forbids, naming the first two that share a text."""
    rows = examples.rows[ids == ids[repeated][0]]
    raise InputError(
        f"Rows {rows[0]:,} and {rows[1]:,} of {source} hold {what}, one of {len(set(ids[repeated].tolist())):,} such "
        f"texts, which dataset.{remedy.split('=')[0]}=error forbids: correct them or set dataset.{remedy}"
    )
