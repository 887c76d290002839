"""The unlabelled texts that a run predicts for in the end (a Kaggle submission)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from search.config import Config
from search.datasets.beside import CATEGORY, Column
from search.datasets.check import check_config
from search.datasets.column_kinds import asked_columns
from search.datasets.fetch import existing, locate
from search.datasets.read import is_table_archive
from search.datasets.stream import Stream
from search.datasets.text_columns import text_columns
from search.errors import InputError
from search.inference.scoring import Job
from search.inference.writers import identifier_column

_PATH, _MEMBER = "dataset.unlabelled_path", "dataset.unlabelled_member"


def check_unlabelled(config: Config) -> None:
    """Reads the unlabelled texts once before the search, so that faults in them are reported first.

    Args:
        config: Its `dataset.unlabelled_path` or `unlabelled_member`; where both are null, nothing is done.

    Raises:
        InputError: They or one of their rows cannot be used, or the run makes no model that could predict them.
    """
    dataset = config.dataset
    if dataset.unlabelled_path is None and dataset.unlabelled_member is None:
        return
    key = _MEMBER if dataset.unlabelled_path is None else _PATH
    if not config.final_refit:
        raise InputError(f"{key} is for the model trained on all labelled rows: set final_refit=true, or {key}=null.")
    if dataset.submission is None:
        raise InputError(f"{key}: dataset.submission must name the columns of the submission, such as [id,target].")
    check_config(dataset)
    # Of which kind each column is follows from the labelled rows, which have not been read yet.
    columns = [Column(name, CATEGORY, name) for name in asked_columns(dataset)]
    with opened(unlabelled_job(config, None, columns)) as stream:
        identifier_column(stream, dataset.submission)
        for _ in stream.rows:
            pass


def unlabelled_job(config: Config, submission: Path | None, columns: Sequence[Column] = ()) -> Job:
    """The job of prediction for the unlabelled texts.

    Args:
        config: The configuration, checked by `check_unlabelled`.
        submission: The file to write; None: none.
        columns: The columns beside the texts.
    """
    dataset = config.dataset
    path, member = _located(config)
    return Job(
        input=path,
        output=submission,
        text=None,
        text_columns=text_columns(dataset.text),
        file_format=None,
        dataset=replace(dataset, member=member),
        kaggle=True,
        columns=columns,
    )


@contextmanager
def opened(job: Job) -> Iterator[Stream]:
    """Opens the texts; a row that cannot be used is an error, since Kaggle takes only complete files."""

    def refuse(error: InputError) -> NoReturn:
        raise error

    with job.opened(refuse) as stream:
        yield stream


def _located(config: Config) -> tuple[Path, str | None]:
    dataset = config.dataset
    member = dataset.unlabelled_member
    if dataset.unlabelled_path is not None:
        path = existing(dataset.unlabelled_path, _PATH)
        if not path.is_file():
            raise InputError(f"{_PATH}={path} is a folder: expected a CSV or TSV.")
        return path, member
    path = locate(dataset, Path(config.paths.data))
    if not is_table_archive(path, dataset):
        raise InputError(f"{_MEMBER}={member}: {path} is no archive of tables; give the file by {_PATH}=….")
    return path, member
