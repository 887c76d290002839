"""Copies of KerasTuner's hyperparameters, which it makes anew from their description, and slowly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters as hp_types

# A search has one space, and as many more as models that ask for new hyperparameters make of it.
_SPACES = 64


def hyperparameters_of(config: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    """KerasTuner's hyperparameters from what their `get_config` gave, which stays as it is."""
    return _with_values(_parameters(json.dumps(config["space"])), config["values"])


def copied(hyperparameters: keras_tuner.HyperParameters) -> keras_tuner.HyperParameters:
    """The same space with the same values, to which others can be given."""
    return _with_values(hyperparameters.space, hyperparameters.values)


def _with_values(parameters: Iterable[Any], values: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    made = keras_tuner.HyperParameters()
    for parameter in parameters:  # nothing changes one after it was made: all trials can share it
        made._hps[parameter.name].append(parameter)
        made._space.append(parameter)
    made.values = dict(values.items())
    return made


@lru_cache(_SPACES)
def _parameters(space: str) -> tuple[Any, ...]:
    return tuple(hp_types.deserialize(parameter) for parameter in json.loads(space))
