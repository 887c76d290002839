"""The models of a search whose time per text is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.hub.load import Module
from search.job.latency import timed_classifier
from search.models.hypermodel import TextClassifierHyperModel
from search.tuning.tuner import Tuner

Timed = dict[str, Callable[[NDArray[np.object_]], Any]]


def tried(tuner: Tuner, hypermodel: TextClassifierHyperModel) -> tuple[Timed, Timed]:
    """The functions of texts [n] that were tried, by name, for each backbone that a trial completed with.

    Returns:
        The published modules that backbones start from, and for a backbone that is more than a module its whole
        classifier. And the whole classifier of its best trial, with fresh weights, which take the same time.
    """
    modules: Timed = {}
    classifiers: Timed = {}
    for record in tuner.ranking():
        name = str(record.values["module"])
        if name not in classifiers:
            values = tuner.oracle.get_trial(record.trial_id).hyperparameters.values
            classifiers[name] = timed_classifier(hypermodel, values)
        published = hypermodel.backbone(record.values).published(record.values)
        if published is not None:
            # Of a module that stands under encoders and on its own there are two kinds, which take about the same time.
            modules.setdefault(published.name, _vectors([module.load() for module in published.modules]))
    others = {name: classify for name, classify in classifiers.items() if name not in modules}
    return dict(sorted({**modules, **others}.items())), dict(sorted(classifiers.items()))


def _vectors(modules: Sequence[Module]) -> Callable[[NDArray[np.object_]], Any]:
    """The vectors of texts [n] through modules side by side, as a function."""
    return lambda texts: np.concatenate([module(texts) for module in modules], axis=1)
