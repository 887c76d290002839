"""The modules and encoders that a search has tried, ready to take texts once more: for their time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.backbones.hub.load import published
from search.backbones.tokens.token_names import tokens_key
from search.job.latency import timed_classifier
from search.models.hypermodel import TextClassifierHyperModel
from search.tuning.tuner import Tuner
from spaces import ENCODERS, LEARNED

Timed = dict[str, Callable[[NDArray[np.object_]], Any]]


def tried(tuner: Tuner, hypermodel: TextClassifierHyperModel) -> tuple[Timed, Timed]:
    """What was tried, by the name of the module, for each module or encoder that a trial completed with.

    Returns:
        What embeds texts [n]: the module, those of word vectors that embeddings start from too; for an encoder the
        whole classifier. And the whole classifier of its best trial, with fresh weights, which take the same time.
    """
    modules: Timed = {}
    classifiers: Timed = {}
    for record in tuner.ranking():
        name, embedding = str(record.values["module"]), str(record.values.get("embedding", LEARNED))
        if name not in classifiers:
            values = tuner.oracle.get_trial(record.trial_id).hyperparameters.values
            classifiers[name] = timed_classifier(hypermodel, values)
        for module in {name, embedding} - {*ENCODERS, LEARNED}:
            # Of a module that stands under encoders and on its own there are two kinds, which take about the same time.
            folder = hypermodel.modules.get(module) or hypermodel.modules[tokens_key(module)]
            modules[module] = published(folder, module)
    encoders = {name: classify for name, classify in classifiers.items() if name in ENCODERS}
    return dict(sorted({**modules, **encoders}.items())), dict(sorted(classifiers.items()))
