"""The settings of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from search.utils.domains import LABELS, number
from search.utils.paths import PATH


@dataclass
class DatasetConfig:
    """Where the texts and labels are, how to read them, what to clean and how to split.

    Sizes below 1 are fractions of the rows, whole numbers from 1 are counts of rows.
    """

    name: str = MISSING
    """Names the folder of the run."""
    path: str | None = field(default=None, metadata=PATH)
    """The person's own file or folder; wins over `file`, `url` and `package`."""
    text: str = "text"
    """The column of the texts."""
    label: str = "label"
    """The column of the labels."""
    format: str = "auto"
    """auto (by the ending), csv, tsv, parquet, jsonl or folder."""
    separator: str | None = None
    """Field separator of a CSV; null: what a first line `sep=;` says, else a comma, or a tab for .tsv."""
    header: bool = True
    """Whether the first row of a CSV names its columns; false: they are named by their number, from 1 on."""
    quoting: str = "auto"
    """Quotes of a CSV: double (a quote within quotes is doubled), backslash (or stands behind a backslash), none (they
    mean nothing), or auto: double, unless none would fit just as well, which is an error."""
    encoding: str = "utf-8"
    """The encoding of a text file, by Python's name for it."""
    undecodable: str = "error"
    """Bytes that are not of the encoding: error or replace (by U+FFFD, the replacement character)."""
    max_row_mib: float = number(16.0, least=0.001, most=1024)
    """Length in MiB above which a row, or a text of a folder, is taken for a mistake."""
    max_unpacked_gib: float | None = number(8.0, above=0)
    """Size in GiB above which an archive or Parquet file is not unpacked; null: no limit."""
    member: str | None = None
    """The table (or folder) inside an archive that holds several."""
    test_path: str | None = field(default=None, metadata=PATH)
    """A labelled file of its own for the test split; null: the test split is taken from `path`."""
    test_member: str | None = None
    """The table inside the archive that `test_path` names, or inside the data set's own."""
    valid_path: str | None = field(default=None, metadata=PATH)
    """A labelled file of its own for the validation split; null: it is taken from what test leaves."""
    valid_member: str | None = None
    """The table inside the archive that `valid_path` names, or inside the data set's own."""
    split_column: str | None = None
    """The column that says of each row which split it is in: train, valid or test; null: there is none."""
    recipe: list[Any] | None = None
    """A published split row for row, made again step by step as it was published, on the rows that cleaning leaves:
    {shuffle: 42} and {take: test, test_size: 0.1, random_state: 42, stratify: false}, as `train_test_split` of
    scikit-learn takes them. What no step takes is the training split; null: this package's own split."""
    file: str | None = None
    """Name looked for in `paths.data`, and given to what is downloaded from `url`."""
    url: str | None = None
    """An address to download the data from, where no file is at hand."""
    checksum: str | None = None
    """pooch's notation, `sha256:…` or `md5:…`; null: not known."""
    package: str | None = None
    """A Python package that carries the corpus; `file` is then the path inside it."""
    licence: str | None = None
    """Under which the data may be used, for the model card; null: not known."""
    submission: list[str] | None = None
    """Columns of a Kaggle submission: a row's identifier, and its class; null: nobody asks for one."""
    unlabelled_path: str | None = field(default=None, metadata=PATH)
    """A CSV or TSV without labels, of which the model of `final_refit` makes the `submission`; null: none."""
    unlabelled_member: str | None = None
    """The same as a member of the data set's archive, or of the one that `unlabelled_path` names."""
    classes: list[Any] | None = field(default=None, metadata=LABELS)
    """Keep rows of these classes only; null: all."""
    positive: Any = field(default=None, metadata=LABELS)
    """The positive class of a binary task; null: the last one in sorted order."""
    label_ranges: Any = None
    """Turns a column of numbers into classes: name -> {min, max}, both inclusive; the first that fits wins.

    Any, as OmegaConf 2.3 cannot override a typed dictionary that is null.
    """
    missing: str = "drop"
    """Rows without a text or label: drop or error."""
    duplicates: str = "first"
    """Rows with the same text and label: first (keep one), keep (all, in one split; sizes count texts) or error."""
    conflicts: str = "majority"
    """Rows with the same text and different labels: majority (a tie drops them), drop, keep (each label) or error."""
    shared: str = "drop"
    """Texts in two splits, where files, a column or a recipe make the splits: drop (from train, and what stands in
    test from valid too), keep (as published; how many is said) or error."""
    stratify: bool = True
    """Whether each split gets its share of each class; false: what a plain shuffle gives it."""
    limit: int | None = None
    """Take a stratified sample of this many rows of each file, or of each split that a column or a recipe makes, for a
    quick look."""
    train_size: int | float | None = None
    """null: all that valid and test leave."""
    train_fraction: float = 1.0
    """Learn from this part of the training split only, stratified; the parts of one seed lie within each other. Valid
    and test stay as they are, and the best configuration is refitted without valid."""
    folds: int | None = None
    """Cross-validation: trials are ranked by the mean over so many folds of train, each held out in turn, and there is
    no validation split; null: one validation split."""
    valid_size: int | float = 0.1
    """Rows of the validation split."""
    test_size: int | float = 0.1
    """Rows of the test split."""
