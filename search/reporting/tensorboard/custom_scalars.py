"""The page Custom Scalars: the curves of train and validation of a metric in one chart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar import layout_pb2, metadata

from search.reporting.tensorboard.events import summary_of
from search.reporting.tensorboard.training_curves import TRAIN, VALIDATION

_FIRST = ("accuracy", "loss")


def layout(objective: str, metrics: Sequence[str]) -> Summary:
    """A chart per metric; those that people look at first are open, the rest is folded up.

    Args:
        objective: The metric that ranks.
        metrics: All metrics.
    """
    first = [name for name in dict.fromkeys((objective, *_FIRST)) if name in metrics]
    rest = [name for name in metrics if name not in first]
    categories = [
        layout_pb2.Category(title="train and validation", chart=map(_chart, first)),
        layout_pb2.Category(title="all other metrics", chart=map(_chart, rest), closed=True),
    ]
    content = layout_pb2.Layout(category=[category for category in categories if category.chart])
    return summary_of(metadata.CONFIG_SUMMARY_TAG, content.SerializeToString(), metadata.create_summary_metadata())


def _chart(metric: str) -> layout_pb2.Chart:
    tags = [f"^{re.escape(metric)}{split}$" for split in (VALIDATION, TRAIN)]
    return layout_pb2.Chart(title=metric, multiline=layout_pb2.MultilineChartContent(tag=tags))
