"""Explains predictions: `python -m search.explain run=outputs/… text="…"`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from search.commands.cli import command, key_values, whole_number
from search.commands.run_model import MODEL_CHOICES, check_choices, check_columns
from search.errors import InputError, nearest
from search.utils.paths import read_path

if TYPE_CHECKING:  # bring NumPy and more
    from search.config.dataset import DatasetConfig
    from search.datasets.beside import Column
    from search.inference.labels import Labels
    from search.reporting.explaining import Explained, Row, Word

_OWN = ("run", "model", "text", "columns", "input", "text_column", "class", "rows", "words", "top", "output", "device")
_USAGE = 'python -m search.explain run=outputs/… text="…"'
_HELP = f"""Says which words drive a prediction: each word is left out once, and the model asked again.

  {_USAGE}
  python -m search.explain run=outputs/… input=new.csv output=effects.csv

  run=FOLDER          a finished run
  model=best          best, ensemble or all, as for search.predict
  text=TEXT           a text to explain: by how much the probability of the predicted class falls without each word
  columns={{brand: acme, price: 3.5}}
                      beside text=: the columns that the model takes beside it, if any, which stay as they are
  input=FILE          a table: the words with the largest mean effect for each class
  text_column=NAME    its column of texts, or several, [title,body]; by default the run's dataset.text
  class=NAME          explain the probability of this class; by default of the predicted one
  rows=500            of the table, the first so many rows
  words=200           of each text, the first so many words
  top=15              words that are shown
  output=FILE         a CSV with the effect of every word of every text: row, place, word, effect, class, probability
  device=auto         auto, cpu or gpu

An effect of +0.20 means that the probability falls by 0.20 where the word is left out; below 0 it rises. Words that say
the same thing hide each other: each can be left out without an effect."""


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program's name: key=value, see `--help`.

    Returns:
        The exit code: 0, 2 for bad input, 130 after Ctrl-C.
    """
    return command(arguments, _HELP, lambda: _explain(_values(arguments)))


def _values(arguments: Sequence[str]) -> dict[str, str]:
    """Reads the arguments and checks what needs no file."""
    values = key_values(arguments, _OWN, _USAGE)
    check_choices(values, MODEL_CHOICES, _USAGE)
    if ("text" in values) == ("input" in values):
        raise InputError(f"Expected text= or input=, one of them: {_USAGE}")
    check_columns(values)
    for key, default in (("rows", "500"), ("words", "200"), ("top", "15")):
        values[key] = str(whole_number(values.get(key, default), key, 1))
    return values


def _explain(values: dict[str, str]) -> None:
    # Imported only now: --help and mistakes are answered at once.
    from search.datasets.content import CONTENTS
    from search.datasets.dataset_settings import run_settings
    from search.datasets.text_columns import text_columns
    from search.evaluation.metrics import predict
    from search.inference.labels import Labels
    from search.inference.predictor import Predictor
    from search.reporting.explaining import explained
    from search.utils.device import configure

    run = read_path(values["run"], "run")
    labels, dataset = Labels.of(run, None, values["model"]), run_settings(run)
    if not CONTENTS[dataset.content].has_words:
        raise InputError(f"search.explain leaves words out, and the rows of the run are {dataset.content}s.")
    asked = values.get("class")
    if asked is not None and asked not in labels.classes:
        raise InputError(f"class={asked} is no class of the run. {nearest(asked, labels.classes)}")
    of = None if asked is None else labels.classes.index(asked)
    with _rows(values, dataset, labels.columns, of) as rows:
        configure(values["device"], mixed_precision=False)
        predictor = Predictor.load(run, None, values["model"])
        found = explained(
            islice(rows, int(values["rows"])),
            lambda texts, columns: predictor(texts, columns).probabilities,
            # Of several labels, each of which a text may have, the most probable one is explained.
            partial(predict, threshold=None if labels.is_several else labels.threshold),
            int(values["words"]),
            len(text_columns(dataset.text)),
        )
        if "output" in values:
            found = _written(found, read_path(values["output"], "output"), labels.classes)
        every = list(found)
    if not every:
        raise InputError("No row of the input has a text.")
    if "text" in values:
        _show_text(every[0], labels, int(values["top"]))
    else:
        _show_classes(every, labels.classes, int(values["top"]))


@contextmanager
def _rows(
    values: dict[str, str], dataset: DatasetConfig, columns: Sequence[Column], of: int | None
) -> Iterator[Iterator[Row]]:
    """Opens the text of the command line or the table, with the columns beside; rows without a text are left out."""
    from search.datasets.dataset_settings import asked_texts
    from search.inference.asked import columns_of_text
    from search.inference.scoring import Job
    from search.reporting.explaining import Row

    # Which member of an archive was trained on says nothing about this one.
    dataset.member = None
    job = Job(
        input=read_path(values["input"], "input") if "input" in values else None,
        output=Path("explained.parquet") if values.get("input", "").lower().endswith((".parquet", ".pq")) else None,
        text=values.get("text"),
        text_columns=asked_texts(dataset, values.get("text_column")),
        file_format=None,
        dataset=dataset,
        kaggle=False,
        columns=columns,
        beside=columns_of_text(values["columns"], columns) if "columns" in values else None,
    )

    def refuse(error: InputError) -> None:
        if "text" in values:
            raise error

    with job.opened(refuse) as stream:
        yield (
            Row(text, None if rows.beside is None else rows.beside[place : place + 1], of)
            for rows in stream.rows
            for place, text in enumerate(rows.texts)
        )


def _written(found: Iterable[Explained], output: Path, classes: Sequence[str]) -> Iterator[Explained]:
    """Writes each explanation as it comes; the file appears when all have come."""
    from search.utils.files import whole_file

    with whole_file(output) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "place", "word", "effect", "class", "probability"])
        for row, one in enumerate(found, 1):
            for place, (word, effect) in enumerate(zip(one.words, one.effects.tolist(), strict=True), 1):
                if effect == effect:
                    writer.writerow([row, place, word, effect, classes[one.of], one.probability])
            yield one


def _show_text(one: Explained, labels: Labels, top: int) -> None:
    import numpy as np

    # What is predicted may be the less probable class.
    threshold = labels.threshold if isinstance(labels.threshold, float) else None
    decided = "" if threshold is None else f" ({labels.classes[1]} is predicted from {threshold:.3f} on)"
    print(f"{labels.classes[one.of]}, probability {one.probability:.3f}{decided}")
    tried = np.flatnonzero(~np.isnan(one.effects))
    order = sorted(tried.tolist(), key=lambda i: -abs(one.effects[i]))[:top]
    _table([(one.words[i], one.effects[i], f"word {i + 1}") for i in order])
    if len(tried) < len(one.words):
        print(f"The first {len(tried):,} of {len(one.words):,} words were tried: words=… tries more.")


def _show_classes(every: Sequence[Explained], classes: Sequence[str], top: int) -> None:
    from search.reporting.explaining import words_of_classes

    least = max(1, min(3, len(every) // 20))
    for k, words in words_of_classes(every, least).items():
        texts = sum(one.of == k for one in every)
        print(f"\n{classes[k]}: {texts:,} of {len(every):,} texts, mean effect of words in {least} or more of them")
        _table(
            [
                (word.word, word.effect, f"{word.texts:,} text{'s' * (word.texts > 1)}")
                for word in _strongest(words, top)
            ]
        )


def _strongest(words: Sequence[Word], top: int) -> list[Word]:
    return [word for word in words if word.effect > 0][:top]


def _table(rows: Sequence[tuple[str, float, str]]) -> None:
    if not rows:
        print("  no word has an effect")
        return
    wide = max(len(word) for word, _, _ in rows)
    most = max(abs(effect) for _, effect, _ in rows) or 1.0
    for word, effect, note in rows:
        bar = "█" * round(20 * abs(effect) / most)
        sys.stdout.write(f"  {word:<{wide}}  {effect:+.3f}  {bar:<20}  {note}\n")
