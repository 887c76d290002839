"""Measurements for the report, taken while the model and the texts are at hand: no other file of a run holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.catalog import facts
from search.datasets import Examples, Splits
from search.datasets.near_duplicates import SIMILARITY, near_duplicates, together, traits
from search.datasets.table import every
from search.evaluation.confident_mistakes import confident_mistakes, questions
from search.evaluation.several import one_against_rest
from search.reporting.class_counts import label_text
from search.reporting.report.pass_log import Pass
from search.reporting.report.sections.wrong import most_shown
from search.reporting.report.word_effects import chosen_rows, word_effects
from search.reporting.results import Evaluation, TriedModels
from search.run_folder import RunFolder
from search.utils.files import whole_file, write_json
from search.utils.timing import BATCH, milliseconds_per_text

if TYPE_CHECKING:
    from search.backbones.catalog import Entry

_EXAMPLES, _EXAMPLE_LENGTH = 3, 240
_PAIRS = 5
_WORD_BINS = np.unique(np.round(np.geomspace(1, 10_000, 41)).astype(int))
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# For the words that drive predictions: what they may cost at the end of a run.
_WORD_SECONDS, _WORD_TEXTS = 20.0, 1000


def write_measurements(
    folder: RunFolder,
    splits: Splits,
    evaluation: Evaluation,
    classify: Callable[[NDArray[np.object_]], NDArray[np.float64]],
    models: TriedModels,
    catalog: Mapping[str, Entry],
    passes: Sequence[Pass],
) -> None:
    """Writes report.json, and the baselines' probabilities to baselines.npz.

    Args:
        folder: The run's folder.
        splits: The data.
        evaluation: The test split, scored by the refitted model and the baselines.
        classify: The refitted model: texts [n] to probabilities [n, classes].
        models: The models of the search, whose facts are kept and whose time per text is measured.
        catalog: The catalog's entries by module name.
        passes: The passes of texts through frozen modules.
    """
    test, baselines = splits.test, evaluation.baselines
    examples = _examples(splits)
    if splits.content.has_words:
        own = _of_words(splits, evaluation, classify)
    else:
        own = _of_images(splits, evaluation, examples)
    content = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "examples": {name: [_shortened(str(one)) for one in some.shown] for name, some in examples.items()},
        "near_duplicates": _near_duplicates(splits),
        **own,
        "modules": {name: _module(name, embed, catalog, test.inputs) for name, embed in models.modules.items()},
        "backbones": {name: asdict(found) for name, found in models.backbones.items()},
        "milliseconds": {
            "batch": BATCH,
            "model": evaluation.milliseconds,
            "trials": {
                name: milliseconds_per_text(classifier, test.inputs) for name, classifier in models.classifiers.items()
            },
            "baselines": {name: baseline.milliseconds for name, baseline in baselines.items()},
        },
        "on_features": list(models.on_features),
        "passes": [asdict(one) for one in passes],
    }
    probabilities = {
        name: one.probabilities.astype(np.float32) for name, one in baselines.items() if one.probabilities is not None
    }
    with whole_file(folder.baselines) as beside:
        np.savez_compressed(beside, **probabilities)  # type: ignore[arg-type]
    write_json(folder.measurements, content)


def _of_words(
    splits: Splits, evaluation: Evaluation, classify: Callable[[NDArray[np.object_]], NDArray[np.float64]]
) -> dict[str, Any]:
    """The lengths of texts, and the words that drive predictions."""
    test, predicted = splits.test, evaluation.scored.predicted
    # Words are shown by what they do to the class of a text, of which there is one.
    several = splits.target.several
    rows = [] if several else chosen_rows(test.labels, predicted, evaluation.scored.probabilities)
    most = min(_WORD_TEXTS, int(_WORD_SECONDS * 1000 / max(evaluation.milliseconds, 1e-3)))
    return {
        "lengths": {name: _lengths(split) for name, split in splits.parts.items()},
        "word_bins": _WORD_BINS.tolist(),
        "words": word_effects(test, rows, predicted, classify, most, splits.text_columns),
    }


def _of_images(splits: Splits, evaluation: Evaluation, examples: Mapping[str, Examples]) -> dict[str, Any]:
    """Small pictures of the rows that the report shows: of the test split by their positions, and of the examples."""
    from search.reporting.pictures import data_uri, data_uris  # bring Pillow

    test, scored = splits.test, evaluation.scored
    asked = questions(test.labels, scored.predicted, scored.probabilities)
    wrong = {int(row) for one in asked for row in confident_mistakes(*one, most_shown(len(asked)))}
    return {
        "pictures": {
            "test": {str(row): data_uri(test.texts[row]) for row in sorted(wrong)},
            "examples": {name: data_uris(some.texts) for name, some in examples.items()},
        }
    }


def _lengths(split: Examples) -> dict[str, Any]:
    words = np.array([len(text.split()) for text in split.texts])
    characters = np.array([len(text) for text in split.texts])
    bins = np.searchsorted(_WORD_BINS, words, side="right") - 1
    return {
        "words": np.quantile(words, _QUANTILES).tolist(),
        "characters": np.quantile(characters, _QUANTILES).tolist(),
        "histogram": np.bincount(np.clip(bins, 0, None), minlength=len(_WORD_BINS)).tolist(),
    }


def _examples(splits: Splits) -> dict[str, Examples]:
    """A few rows of each class that the model was trained on, of middling length."""
    found, of_class = {}, one_against_rest(splits.train.labels, len(splits.classes))
    for k, name in enumerate(splits.classes):
        rows = np.flatnonzero(of_class[:, k])
        sizes = np.array([len(text) for text in splits.train.texts[rows]])
        nearest = np.argsort(np.abs(sizes - np.median(sizes)), kind="stable")[:_EXAMPLES]
        found[name] = splits.train.take(rows[nearest])
    return found


def _near_duplicates(splits: Splits) -> dict[str, Any]:
    """The number of texts of each split with a near duplicate in an earlier one; for the test split also which."""
    counts = {}
    earlier, known = splits.train, traits(splits.train.texts.tolist())
    for name, split in list(splits.parts.items())[1:]:
        own = traits(split.texts.tolist())
        twins = near_duplicates(own, known)
        contrary = ~every(split.labels[twins.text] == earlier.labels[twins.twin])
        counts[name] = {"rows": len(split), "twins": len(twins.text), "contrary": int(contrary.sum())}
        last = twins, contrary, earlier
        earlier, known = earlier + split, together(known, own)
    twins, contrary, others = last
    # Those with another label first: one of the two labels must be wrong.
    order = np.lexsort([-twins.similarity, ~contrary])[:_PAIRS]
    pairs = [
        {
            "text": _shortened(str(splits.test.shown[twins.text[i]])),
            "label": label_text(splits.names, splits.test.labels[twins.text[i]]),
            "twin": _shortened(str(others.shown[twins.twin[i]])),
            "twin_label": label_text(splits.names, others.labels[twins.twin[i]]),
            "similarity": float(twins.similarity[i]),
            **({} if splits.content.has_words else _pictures(splits.test, twins.text[i], others, twins.twin[i])),
        }
        for i in order
    ]
    return {
        "similarity": SIMILARITY if splits.content.has_words else None,
        "counts": counts,
        "test_positions": twins.text.tolist(),
        "test_contrary": twins.text[contrary].tolist(),
        "pairs": pairs,
    }


def _pictures(test: Examples, row: int, others: Examples, twin: int) -> dict[str, str]:
    from search.reporting.pictures import data_uri  # brings Pillow

    return {"picture": data_uri(test.texts[row]), "twin_picture": data_uri(others.texts[twin])}


def _module(
    name: str, embed: Callable[[NDArray[np.object_]], Any], catalog: Mapping[str, Entry], texts: NDArray[np.object_]
) -> dict[str, Any]:
    return {**facts(name, catalog), "milliseconds": milliseconds_per_text(embed, texts)}


def _shortened(text: str) -> str:
    return text if len(text) <= _EXAMPLE_LENGTH else text[: _EXAMPLE_LENGTH - 1] + "…"
