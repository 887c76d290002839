"""The ready-made space of text classifiers: module, head, optimizer and training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

from spaces.conditions import expanded
from spaces.domains import AUTO
from spaces.parameters import HyperParameters, Parameter, SpaceError
from spaces.reading import as_yaml, nearest, parameter_from
from spaces.settings import LAYER_WIDTHS, LEARNED, SETTINGS, TFIDF, UNPUBLISHED
from spaces.space import Space

_FROZEN = "frozen"
# What stands for the settings of a head where there is none.
_HEADLESS = {"layers": 0, "learning_rate": 1e-3, "optimizer": "adam", "clip_norm": 0.0, "batch_size": 256}


class TextClassifierSpace(Space):
    """The module, frozen or fine-tuned, the head above it, and their training.

    Each of `spaces.settings.SETTINGS` has a range: the keyword, else the class attribute of its name, else its default.
    `frozen` names the modules that are not fine-tuned where `trainable` leaves the choice;
    `units` is the width of any hidden layer, `units_1` to `units_4` that of one of them, where it is another.

    The parameters of a trial bear the names of the settings, but for `module`, `units_1` … (a width for each hidden
    layer that exists) and two of embeddings that come from a module: `embedding_trainable` (as `trainable` and
    `frozen` say) and, where a token-level module is in the space, `embedding_fine_tuning_rate` (of the range of
    `fine_tuning_rate`; else such a module learns at the rate of the head). A token-level module cuts texts itself:
    with it there is no `vocabulary_size` and no `ngrams`.

    A space of your own is a subclass, `python -m search space=class space._target_=my_spaces.Wide`:

        class Wide(TextClassifierSpace):
            units = [512, 1024]
            learning_rate = Float(1e-5, 1e-3, log=True)

    Args:
        rows: Rows that a trial trains on; the batch sizes of `auto` follow from them.
        untrainable: Names of modules that cannot be trained: their trials have no `trainable`.
        token_level: Names of modules under `embedding` that give a vector for each token of a text.
        layered: Names of modules whose layers are known one by one: `unfreeze` and `layer_decay` are theirs alone.
        text_columns: Number of columns of texts: `texts` is for several.
        has_views: Whether altered copies can be made of rows, which are then images: `views` is for them.
        **ranges: Setting to range.

    Raises:
        SpaceError: A range is impossible or outside what the setting can be.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, value in vars(cls).items():
            if not name.startswith("_") and name not in SETTINGS and not hasattr(type(value), "__get__"):
                raise SpaceError(f"{cls.__name__}.{name} is no setting of the space, {nearest(name, tuple(SETTINGS))}")

    def __init__(
        self,
        rows: int = 10_000,
        untrainable: Collection[str] = (),
        token_level: Collection[str] = (),
        layered: Collection[str] = (),
        text_columns: int = 1,
        has_views: bool = True,
        **ranges: Any,
    ) -> None:
        for name in ranges:
            if name not in SETTINGS:
                raise SpaceError(f"space.{name} is no setting of the space, {nearest(name, tuple(SETTINGS))}")
        given = {name: ranges.get(name, getattr(self, name, setting.default)) for name, setting in SETTINGS.items()}
        self.ranges = {name: value for name, value in given.items() if name in ranges or hasattr(type(self), name)}
        frozen = _names(given.pop(_FROZEN))
        settings = {
            name: _setting(name, value, rows)
            for name, value in given.items()
            if value is not None or name not in LAYER_WIDTHS
        }
        if False not in (settings["trainable"].options or ()):
            _check_trainable(settings["modules"], untrainable)
            _check_trainable(settings["embedding"], untrainable)
            frozen = ()
        # The same module for images of another size, `name@160`.
        resized = [one for one in settings["modules"].options or () if str(one).rpartition("@")[0] in frozen]
        stay = frozenset({*untrainable, *frozen, *map(str, resized)})
        super().__init__(*expanded(settings, stay, token_level, layered, text_columns, has_views))
        self.text_columns = text_columns

    def module_names(self) -> list[str]:
        """The names of the modules to choose from."""
        return [str(name) for name in self["module"].options or () if name not in UNPUBLISHED]

    def embedding_names(self) -> list[str]:
        """The names of the modules under learned encoders."""
        options = self["embedding"].options or () if "embedding" in self else ()
        return [str(name) for name in options if name != LEARNED]

    def declare(self, hp: HyperParameters) -> dict[str, Any]:
        """Declare every parameter, see `Space.declare`; `trainable` is among the values of every trial.

        It is false where it does not exist: for modules that are not fine-tuned, and for encoders. Where there are
        words alone, no hyperparameter of a head exists, and the values say that there are no layers.
        """
        values = super().declare(hp)
        return {"trainable": False, **(_HEADLESS if values["module"] == TFIDF else {}), **values}


def batch_sizes(rows: int) -> list[int]:
    """Two batch sizes that give about 50 to 200 training steps an epoch, fewer where there are few rows.

    With few rows in large batches a short trial has too few steps to learn anything; with many rows in small ones it
    takes too long.

    Args:
        rows: Rows that a trial trains on.

    Returns:
        A power of 2 from 32 to 256, and its double.
    """
    smaller = min(max(1 << (max(rows // 100, 1).bit_length() - 1), 32), 256)
    return [smaller, 2 * smaller]


def space_from(
    config: Mapping[str, Any],
    rows: int = 10_000,
    untrainable: Collection[str] = (),
    token_level: Collection[str] = (),
    layered: Collection[str] = (),
    text_columns: int = 1,
    has_views: bool = True,
) -> TextClassifierSpace:
    """Make the space that the node `space` of the configuration describes.

    Args:
        config: Setting to range, as plain Python values; settings that are missing keep the class's own. `_target_`
            names the class, `package.module.Class`, a subclass of `TextClassifierSpace`.
        rows: Rows that a trial trains on.
        untrainable: As for `TextClassifierSpace`.
        token_level: As for `TextClassifierSpace`.
        layered: As for `TextClassifierSpace`.
        text_columns: As for `TextClassifierSpace`.
        has_views: As for `TextClassifierSpace`.

    Raises:
        SpaceError: The class cannot be imported, a setting is unknown or its range impossible.
    """
    ranges = {str(name): value for name, value in config.items()}
    space_class = _class_named(ranges.pop("_target_")) if "_target_" in ranges else TextClassifierSpace
    try:
        facts: dict[str, Any] = {"text_columns": text_columns, "has_views": has_views}
        return space_class(rows, untrainable, token_level, layered, **facts, **ranges)
    except SpaceError:
        raise
    except Exception as error:  # whatever the person's own class raises is their answer
        raise SpaceError(f"space._target_: {space_class.__name__} gave {type(error).__name__}: {error}") from error


def settings_of(space: Any) -> dict[str, Any]:
    """The node `space` of a configuration for a space that is given as a Python object.

    Args:
        space: A subclass of `TextClassifierSpace`, an instance, or a mapping from setting to range.

    Returns:
        Setting to range, as YAML would have it. A class with methods of its own is named by `_target_`; of one that
        only sets ranges these are enough, and whoever reads them needs no class.

    Raises:
        SpaceError: It is none of these, or a class with methods that cannot be imported by its name.
    """
    if isinstance(space, TextClassifierSpace):
        named, ranges = type(space), space.ranges
    elif isinstance(space, type) and issubclass(space, TextClassifierSpace):
        named, ranges = space, {name: getattr(space, name) for name in SETTINGS if hasattr(space, name)}
    elif isinstance(space, Mapping):
        return {str(name): as_yaml(value) for name, value in space.items()}
    else:
        raise SpaceError(
            f"space is of type {type(space).__name__}: expected a TextClassifierSpace, a subclass of it, or a mapping "
            "from setting to range"
        )
    target = {}
    if any(map(_has_methods, named.__mro__[: named.__mro__.index(TextClassifierSpace)])):
        if named.__module__ == "__main__" or "<locals>" in named.__qualname__:
            raise SpaceError(f"space: {named.__name__} has methods of its own: put it into a module (a file) of yours")
        target = {"_target_": f"{named.__module__}.{named.__qualname__}"}
    return {**target, **{name: as_yaml(value) for name, value in ranges.items()}}


def _has_methods(space: type) -> bool:
    return any(callable(value) or hasattr(type(value), "__get__") for value in vars(space).values())


def _names(value: Any) -> Collection[str]:
    """The module names of the setting `frozen`."""
    names = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise SpaceError(f"space.{_FROZEN}: expected names of modules, got {value!r}")
    return names


def _check_trainable(modules: Parameter, untrainable: Collection[str]) -> None:
    wanted = [str(module) for module in modules.options or () if module in untrainable]
    if wanted:
        raise SpaceError(
            f"space.trainable=[true]: {', '.join(wanted)} cannot be fine-tuned; leave "
            "it out, or allow false in space.trainable"
        )


def _setting(name: str, value: Any, rows: int) -> Parameter:
    """Reads one setting and checks it against its domain."""
    domain = SETTINGS[name].domain
    if name == "batch_size" and value == AUTO:
        value = batch_sizes(rows)
    if name == "class_weight":  # null says the same as none
        value = [_none(item) for item in value] if isinstance(value, list | tuple) else _none(value)
    if name == "unfreeze":  # KerasTuner wants values of one type
        value = [str(item) for item in value] if isinstance(value, list | tuple) else value
        value = str(value) if type(value) is int else value
    parameter = parameter_from(value, f"space.{name}", real=domain.real)
    for limit in parameter.limits:
        if not domain.holds(limit):
            raise SpaceError(f"space.{name}: expected {domain.expected}, got {limit!r}")
    return parameter


def _none(value: Any) -> Any:
    return "none" if value is None else value


def _class_named(path: object) -> type[TextClassifierSpace]:
    """Imports the subclass of `TextClassifierSpace` at package.module.Class."""
    module_name, _, class_name = path.rpartition(".") if isinstance(path, str) else ("", "", "")
    if not module_name or not class_name:
        raise SpaceError(f"space._target_: expected package.module.Class, got {path!r}")
    try:
        module = import_module(module_name)
    except Exception as error:  # whatever the person's own module raises is their answer
        raise SpaceError(f"space._target_: importing {module_name} gave {type(error).__name__}: {error}") from error
    found = getattr(module, class_name, None)
    if found is None:
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise SpaceError(f"space._target_: {module_name} has no {class_name!r}, {nearest(class_name, classes)}")
    if not (isinstance(found, type) and issubclass(found, TextClassifierSpace)):
        raise SpaceError(f"space._target_: expected a subclass of spaces.TextClassifierSpace, got {found!r}")
    return found
