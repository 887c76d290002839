"""The settings of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from search.utils.constraints import LABELS, NAMES, choice, number
from search.utils.paths import PATH


@dataclass
class DatasetConfig:
    """A data set: where its texts and labels are, how to read, clean and split them.

    Sizes below 1 are fractions of the rows, whole numbers from 1 are counts of rows.
    """

    name: str = MISSING
    """Name of the data set and of its folder of runs."""
    path: str | None = field(default=None, metadata=PATH)
    """The user's own file or folder; wins over `file`, `url` and `package`."""
    text: Any = field(default="text", metadata=NAMES)
    """The column of the texts, or a list of columns, whose texts become one, each on a line of its own."""
    label: str = "label"
    """The column of the labels."""
    labels: Any = field(default=None, metadata=LABELS)
    """Several labels per text: a list of columns that hold 0 or 1, a label each, in place of `label`; null: no."""
    label_separator: str | None = None
    """Several labels per text: `label` holds names with this between them, such as `,`; an empty field is no label;
    null: a row has one label."""
    columns: Any = field(default=None, metadata=LABELS)
    """Columns that the model takes beside the text: a list of names, or name -> auto (by its values), number, category
    or date; null: none."""
    content: str = choice("text", ("text", "image"))
    """text, or image: the files of a folder, or those that the column `text` names (or holds, in Parquet)."""
    format: str = choice("auto", ("auto", "csv", "tsv", "parquet", "jsonl", "xlsx", "folder"))
    """auto (by the ending), csv, tsv, parquet, jsonl, xlsx or folder."""
    separator: str | None = None
    """Field separator of a CSV; null: as a first line `sep=;` says, else a comma, or a tab for .tsv."""
    header: bool = True
    """Whether the first row of a CSV names its columns; false: columns are named by their numbers, from 1 on."""
    quoting: str = choice("auto", ("auto", "double", "backslash", "none"))
    """Quotes of a CSV: double (a quote within quotes is doubled), backslash (or follows a backslash), none (quotes mean
    nothing), or auto: double, unless none would fit just as well, which is an error."""
    encoding: str = "utf-8"
    """The encoding of a text file, by Python's name for it."""
    undecodable: str = choice("error", ("error", "replace"))
    """Bytes that are not of the encoding: error, or replace (by U+FFFD, the replacement character)."""
    max_row_mib: float = number(16.0, least=0.001, most=1024)
    """Length in MiB above which a row, or a file of a folder, is taken for a mistake."""
    max_pixels: int = number(50_000_000, least=1, most=178_956_970)
    """Pixels above which a picture is left out, undecoded."""
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
    """The column with each row's split: train, valid or test; null: there is none."""
    recipe: list[Any] | None = None
    """A published split, repeated step by step on the rows that cleaning leaves:
    {shuffle: 42} and {take: test, test_size: 0.1, random_state: 42, stratify: false}, as `train_test_split` of
    scikit-learn takes them. Rows that no step takes are the training split; null: this package's own split."""
    file: str | None = None
    """Name of the file in `paths.data`, where a download from `url` is put too."""
    url: str | None = None
    """The address to download the data from, if the file is not there."""
    checksum: str | None = None
    """pooch's notation, `sha256:…` or `md5:…`; null: not known."""
    package: str | None = None
    """A Python package that carries the corpus; `file` is then the path inside it."""
    licence: str | None = None
    """The licence of the data, for the model card; null: not known."""
    submission: list[str] | None = None
    """Columns of a Kaggle submission: a row's identifier, and its class (of `labels` the identifier alone, as each has
    its own column); null: no submission."""
    unlabelled_path: str | None = field(default=None, metadata=PATH)
    """A CSV or TSV without labels, for which the model of `final_refit` writes the `submission`; null: none."""
    unlabelled_member: str | None = None
    """The unlabelled table inside the data set's archive, or inside the one that `unlabelled_path` names."""
    classes: list[Any] | None = field(default=None, metadata=LABELS)
    """Keep rows of these classes only; null: all."""
    positive: Any = field(default=None, metadata=LABELS)
    """The positive class of a binary task; null: the last one in sorted order."""
    ordered: Any = field(default=False, metadata=LABELS)
    """Whether the classes are steps of a scale, such as ratings: true (numbers, in their order) or the classes from the
    lowest to the highest. Metrics mae and quadratic_kappa then count by how many steps a prediction is off."""
    # Any, as OmegaConf 2.3 cannot override a typed dictionary that is null.
    label_ranges: Any = None
    """Turns a column of numbers into classes: name -> {min, max}, both inclusive; the first that fits wins."""
    missing: str = choice("drop", ("drop", "error"))
    """Rows without a text or label, and pictures that are broken, too large or not there: drop or error."""
    duplicates: str = choice("first", ("first", "keep", "error"))
    """Rows with the same text and label: first (keep one), keep (all, in one split; sizes count texts) or error."""
    conflicts: str = choice("majority", ("majority", "drop", "keep", "error"))
    """Rows with the same text and different labels: majority (a tie drops them), drop, keep (each label) or error."""
    shared: str = choice("drop", ("drop", "keep", "error"))
    """Texts in two splits, where files, a column or a recipe make the splits: drop (from train, and texts of test from
    valid too), keep (as published, with a count) or error."""
    rare: str = choice("error", ("error", "drop", "merge"))
    """Classes with too few texts to be in every split and fold: error, drop (leave them out, of all splits) or merge
    (put them into one class `other`)."""
    stratify: bool = True
    """Whether each split gets its share of each class; false: splits are random."""
    limit: int | None = None
    """Take a stratified sample of this many rows of each file, or of each split that a column or a recipe makes, for a
    quick look."""
    train_size: int | float | None = None
    """Rows of the training split; null: all that valid and test leave."""
    train_fraction: float = 1.0
    """Learn from this part of the training split only, stratified; a smaller part lies within a larger one of the same
    seed. Valid and test stay as they are, and the best configuration is refitted without valid."""
    folds: int | str | None = "auto"
    """Cross-validation: trials are ranked by the mean over so many folds of train, each held out in turn, and there is
    no validation split; null: one validation split; auto: 5 folds where there are fewer than 2,000 texts to learn from,
    or fewer than 4,000 with fewer than 300 of a class (fewer folds where a class has very few), else one validation
    split, as where the data or other sizes ask for one."""
    valid_size: int | float | None = None
    """Rows of the validation split; null: 0.1 of them, where there is one."""
    test_size: int | float = 0.1
    """Rows of the test split."""
