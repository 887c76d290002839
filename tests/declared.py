"""A configuration of a HyperModel, as a tuner would propose it."""

import keras_tuner


def hyperparameters(hypermodel, **values):
    """Declares the space of a HyperModel: the given values, and the first ones of all others."""
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    hypermodel.declare_hyperparameters(hp)
    return hp
