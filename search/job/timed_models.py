"""The models of a search: their facts, and functions whose time per text is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.backbones.description import Description
from search.backbones.hub.load import Module
from search.datasets.beside import texts_of
from search.job.latency import timed_classifier
from search.models.hypermodel import TextClassifierHyperModel
from search.reporting.results import Classify, TriedModels
from search.tuning.tuner import Tuner


def tried(tuner: Tuner, hypermodel: TextClassifierHyperModel) -> TriedModels:
    """Collects the backbones that a trial completed with, and their classifiers.

    The weights of the classifiers are fresh ones, which take the same time.
    """
    modules: dict[str, Classify] = {}
    classifiers: dict[str, Classify] = {}
    backbones: dict[str, Description] = {}
    for record in tuner.ranking():
        name = str(record.values["module"])
        if name not in classifiers:
            values = tuner.oracle.get_trial(record.trial_id).hyperparameters.values
            classifiers[name] = timed_classifier(hypermodel, values)
            backbones[name] = hypermodel.describe(record.values)
        published = hypermodel.backbones[name].published(record.values)
        if published is not None:
            # Of a module that stands under encoders and on its own there are two kinds, which take about the same time.
            modules.setdefault(published.name, _vectors([module.load() for module in published.modules]))
    others = {name: classify for name, classify in classifiers.items() if name not in modules}
    return TriedModels(
        dict(sorted({**modules, **others}.items())),
        dict(sorted(classifiers.items())),
        dict(sorted(backbones.items())),
        [one.trial_id for one in tuner.records.values() if hypermodel.has_constant_features(one.values)],
    )


def _vectors(modules: Sequence[Module]) -> Classify:
    """The vectors of texts [n] through modules side by side, as a function."""
    return lambda rows: np.concatenate([module(texts_of(rows)) for module in modules], axis=1)
