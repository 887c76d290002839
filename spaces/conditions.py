"""The parameters of a trial, and the conditions on which they exist."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from operator import le
from typing import Any

from spaces.parameters import Parameter, SpaceError
from spaces.setting import Where
from spaces.settings import APART, JOINED, LAYER_WIDTHS, LEARNED, SETTINGS, TFIDF, UNPUBLISHED, WIDE
from spaces.space import When

# Settings that say what a token is: a module that makes the tokens itself has none of them.
_OF_TOKENIZERS = ("vocabulary_size", "ngrams")
# Settings of modules whose layers are known one by one.
_OF_LAYERS = ("unfreeze", "layer_decay", "schedule")
OF_FINE_TUNING = tuple(
    name
    for name, setting in SETTINGS.items()
    if setting.where is not None and setting.where.parent == "trainable" and setting.where.holds(True)
)
"""Hyperparameters that exist only where the module is trained."""
OF_BACKBONES = ("vocabulary_size", "sequence_length", "ngrams", "embedding", "embedding_size", "encoder_units")
"""Settings that shape a backbone which is learned from the training texts."""
# Hyperparameters that take the range of a setting by another name.
_BY_OTHER_NAMES = {
    "embedding_trainable": "trainable",
    "embedding_fine_tuning_rate": "fine_tuning_rate",
    "tfidf_l2": "wide_l2",
    "frozen_texts": "texts",
}


def expanded(
    settings: Mapping[str, Parameter],
    frozen: frozenset[str],
    token_level: Collection[str],
    layered: Collection[str],
    text_columns: int = 1,
    has_views: bool = True,
) -> tuple[dict[str, Parameter], dict[str, When]]:
    """Turns settings of the space into parameters of a trial.

    Args:
        settings: Name to setting.
        frozen: Names of modules that are not fine-tuned.
        token_level: Names of modules under `embedding` that give a vector for each token of a text.
        layered: Names of modules whose layers are known one by one.
        text_columns: Number of columns of texts.
        has_views: Whether altered copies can be made of rows.

    Returns:
        The parameters, with a width for each layer, and the conditions of those that do not always exist.

    Raises:
        SpaceError: A width is set for a layer that does not exist, columns of texts must stand apart and cannot, or
            copies are asked for of rows that have none.
    """
    _check_texts(settings, text_columns)
    if not has_views and settings["views"].options != (0,):
        raise SpaceError("space.views is of images: no altered copies are made of texts")
    parameters: dict[str, Parameter] = {}
    conditions: dict[str, When] = {}

    def exists(
        name: str, parameter: Parameter, parent: str, holds: Callable[[Any], bool], also: When | None = None
    ) -> None:
        """Adds a parameter that exists only where the parent has certain values."""
        options = parameters[parent].options or () if parent in parameters else ()
        values = tuple(value for value in options if holds(value))
        if values:
            parameters[name] = parameter
        if values and (len(values) < len(options) or parent in conditions or also is not None):
            conditions[name] = When(parent, values, also)

    for name in _ordered(settings, token_level):
        parameter, where = settings[name], SETTINGS[name].where
        if name == "modules":
            parameters["module"] = parameter
        elif name == "texts" and text_columns == 1:
            continue  # trials are those of a space without this setting
        elif name == "trainable":
            exists(name, parameter, "module", _both(where, lambda module: module not in frozen))
        elif name in _OF_LAYERS:
            modules = parameters["module"].options or ()
            trained = [one for one in modules if one not in (*frozen, *UNPUBLISHED)]
            known = tuple(one for one in modules if one in layered and one in trained)
            if known and where is not None:
                also = None if len(known) == len(trained) else When("module", known)
                exists(name, parameter, where.parent, where.holds, also)
        elif name in _OF_TOKENIZERS and token_level:
            exists(name, parameter, "embedding", lambda embedding: embedding not in token_level)
        elif name == "units":
            for layer in range(1, _most_layers(parameters) + 1):
                width = f"units_{layer}"
                exists(width, settings.get(width, parameter), "layers", partial(le, layer))
        elif name in LAYER_WIDTHS:
            if name not in parameters:
                raise SpaceError(f"space.{name}: there is no such hidden layer, space.layers gives fewer")
        elif (name, parameter.options) in (("wide", WIDE[:1]), ("views", (0,))):
            continue  # nothing is beside any head or row: trials are those of a space without this setting
        elif where is not None:
            exists(name, parameter, where.parent, where.holds)
        else:
            parameters[name] = parameter
        if name == "embedding":
            exists("embedding_trainable", settings["trainable"], name, lambda one: one not in (LEARNED, *frozen))
            if token_level:
                exists("embedding_fine_tuning_rate", settings["fine_tuning_rate"], "embedding_trainable", bool)
        if name == "texts":  # of modules that are never trained there is no trainable
            exists("frozen_texts", parameter, "module", lambda module: module in frozen and module not in UNPUBLISHED)
        if name == "wide_l2":
            exists("tfidf_l2", parameter, "module", lambda module: module == TFIDF)
    return parameters, conditions


def _check_texts(settings: Mapping[str, Parameter], columns: int) -> None:
    if JOINED in (settings["texts"].options or ()):
        return
    asked = f"space.texts=[{APART}]"
    if columns == 1:
        raise SpaceError(f"{asked}: there is one column of texts; name several, dataset.text=[title,body]")
    if False not in (settings["trainable"].options or ()):
        raise SpaceError(f"{asked} is for modules that stay as published: allow false in space.trainable")


def _most_layers(parameters: Mapping[str, Parameter]) -> int:
    return max(map(int, parameters["layers"].options or ())) if "layers" in parameters else 0


def _both(where: Where | None, holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A condition that holds where both conditions do."""
    return lambda value: (where is None or where.holds(value)) and holds(value)


def setting_of(name: str) -> str:
    """The setting whose range a hyperparameter of a trial is drawn from, `units` for the width of every layer."""
    if name == "module":
        return "modules"
    if name.startswith("units_"):
        return "units"
    return _BY_OTHER_NAMES.get(name, name)


def l2_of_words(values: Mapping[str, Any]) -> float | None:
    """L2 of the logistic regression on words, beside the head or alone; None where there is none."""
    l2: float | None = values.get("wide_l2", values.get("tfidf_l2"))
    return l2


def stands_apart(values: Mapping[str, Any]) -> bool:
    """Whether each column of texts is embedded by itself."""
    return APART in (values.get("texts"), values.get("frozen_texts"))


def has_words(values: Mapping[str, Any]) -> bool:
    """Whether there is a logistic regression on words, beside the head or alone."""
    return l2_of_words(values) is not None


def _ordered(settings: Mapping[str, Parameter], token_level: Collection[str]) -> list[str]:
    """The settings in an order in which each comes after those it depends on."""
    names = list(settings)
    if token_level:
        names.remove("embedding")
        names.insert(min(map(names.index, _OF_TOKENIZERS)), "embedding")
    return names
