"""Configurations of a HyperModel, as a tuner would propose them, and the backbones of a space."""

import keras_tuner
import numpy as np

from search.backbones.base import SavedModule
from search.backbones.learned.embeddings import TokenTable
from search.backbones.of_space import made


def hyperparameters(hypermodel, **values):
    """Declares the space of a HyperModel: the given values, and the first ones of all others."""
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    hypermodel.declare_hyperparameters(hp)
    return hp


def backbones(space, folders, texts=("a training text",)):
    """The backbones of a space whose modules lie in folders; those under encoders are of word vectors."""
    modules = {name: SavedModule(name, folder) for name, folder in folders.items()}
    embeddings = {name: TokenTable(modules[name]) for name in space.embedding_names()}
    return made(space["module"].options, modules, embeddings, np.array(texts, object))
