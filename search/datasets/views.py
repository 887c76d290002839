"""Altered copies of rows, to train on beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from search.datasets.content import content_of
from search.datasets.table import Examples, object_array


def with_views(examples: Examples, views: int, augment: str) -> Examples:
    """Puts altered copies of rows behind them.

    Args:
        examples: The rows [n].
        views: Number of copies of each.
        augment: How they differ, a value of the setting of this name.

    Returns:
        The rows, then the first copy of each, then the second, [n * (1 + views)]; a copy has the label, the number and
        the columns of its row. The same rows give the same copies.

    Raises:
        ValueError: No copies can be made of such rows.
    """
    altered = content_of(examples.texts).altered
    if altered is None:
        raise ValueError("No altered copies can be made of texts")
    copies = [altered(row, view, augment) for view in range(views) for row in examples.texts]
    again = examples.take(np.tile(np.arange(len(examples)), views))
    return examples + replace(again, texts=object_array(copies))
