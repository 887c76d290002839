"""The ways to call a SavedModel: its object or a signature, on any structure of tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from search.backbones.hub.contract import describe, named
from search.errors import InputError

# The first of these that is there is taken.
_SIGNATURES = ("serving_default", "default")


@dataclass(frozen=True, eq=False)
class Call:
    """One way to call a SavedModel.

    Attributes:
        function: Its object, or one of its signatures.
        inputs: The arguments it takes: a tf.TensorSpec, or a structure of them.
        by_name: Whether `inputs` are keyword arguments, not the first argument.
        variables: The variables that the function reads.
        is_signature: Whether it is a signature, which does not list its trainable variables.
        training: Maps True or False to the argument `training`; None: there is no such argument.
        takes_training: Whether that may be True.
    """

    function: Any
    inputs: Any
    by_name: bool
    variables: tuple[tf.Variable, ...]
    is_signature: bool
    training: Callable[[bool], Any] | None = None
    takes_training: bool = False

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Calls it on tensors of the structure of `inputs`."""
        told = {} if self.training is None else {"training": self.training(training and self.takes_training)}
        return self.function(**inputs, **told) if self.by_name else self.function(inputs, **told)

    @property
    def takes_texts(self) -> bool:
        """Whether it takes strings [batch], or [batch, 1], and nothing else."""
        leaves = tf.nest.flatten(self.inputs)
        if len(leaves) != 1 or not isinstance(leaves[0], tf.TensorSpec) or leaves[0].dtype != tf.string:
            return False
        shape = leaves[0].shape
        return shape.rank in (None, 1) or (shape.rank == 2 and shape[1] == 1)

    @property
    def takes_images(self) -> bool:
        """Whether it takes images [batch, height, width, 3], and nothing else; their height and width may be open."""
        leaves = tf.nest.flatten(self.inputs)
        if len(leaves) != 1 or not isinstance(leaves[0], tf.TensorSpec) or leaves[0].shape.rank != 4:
            return False
        return bool(leaves[0].shape[3] == 3 and (leaves[0].dtype.is_floating or leaves[0].dtype == tf.uint8))

    def on_texts(self, texts: tf.Tensor, training: bool = False) -> dict[str, Any]:
        """Calls it on strings [batch]; returns its outputs by name."""
        if tf.nest.flatten(self.inputs)[0].shape.rank == 2:
            texts = texts[:, tf.newaxis]
        return named(self(tf.nest.pack_sequence_as(self.inputs, [texts]), training))


def best_call(saved: Any, name: str) -> Call:
    """Finds how to call a SavedModel: on texts if possible, else on images, else on the numbers of a preprocessor.

    Raises:
        InputError: It cannot be called on either.
    """
    calls = [*_object_calls(saved), *_signature_calls(saved)]
    if not calls:
        signatures = ", ".join(getattr(saved, "signatures", {})) or "none"
        raise InputError(
            f"module {name} cannot be called: expected TF Hub's text API, an object or a signature to call on strings, "
            f"but it has neither (signatures: {signatures})."
        )
    # A call on texts [batch] before one on a column of them.
    fitting = sorted(
        (call for call in calls if call.takes_texts), key=lambda call: tf.nest.flatten(call.inputs)[0].shape.rank or 0
    )
    fitting += [call for call in calls if call.takes_images]
    fitting += [call for call in calls if _takes_numbers(call)]
    if not fitting:
        kinds = " or ".join(dict.fromkeys(describe(call.inputs) for call in calls))
        raise InputError(
            f"module {name} is no module of texts or images: expected one that takes string [?] or float32 [?, ?, ?, "
            f"3], but it takes {kinds}."
        )
    return _with_training(fitting[0])


def _object_calls(saved: Any) -> list[Call]:
    if not callable(saved):
        return []
    # What was saved as a single concrete function is one.
    functions = getattr(saved.__call__, "concrete_functions", (saved.__call__,))
    variables = distinct(variable for function in functions for variable in function.variables)
    parameters = inspect.signature(saved.__call__).parameters.values()
    names = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    calls = []
    for function in functions:
        positional, keywords = function.structured_input_signature
        first = {"": positional[0]} if len(positional) > len(names) else {}
        given = {**first, **dict(zip(names, positional, strict=False)), **keywords}
        tensors = {key: spec for key, spec in given.items() if key != "training" and _has_tensors(spec)}
        if len(tensors) == 1 and positional and _has_tensors(positional[0]):
            calls.append(Call(saved, next(iter(tensors.values())), False, variables, False))
        elif tensors and "" not in tensors:
            calls.append(Call(saved, tensors, True, variables, False))
    return calls


def _signature_calls(saved: Any) -> list[Call]:
    signatures = getattr(saved, "signatures", {})
    keys = [key for key in _SIGNATURES if key in signatures] or list(signatures)[: len(signatures) == 1]
    calls = []
    for function in (signatures[key] for key in keys):
        inputs = {key: spec for key, spec in function.structured_input_signature[1].items() if key != "training"}
        calls.append(Call(function, inputs, True, distinct(function.variables), True))
    return calls


def _with_training(call: Call) -> Call:
    """Finds out which values of `training` a call takes: a loaded function knows only those it was traced with."""
    if call.is_signature:
        known = "training" in call.function.structured_input_signature[1]
    else:
        known = "training" in inspect.signature(call.function.__call__).parameters
    if not known:
        return call
    for made in (bool, tf.constant):
        told = replace(call, training=made, takes_training=True)
        if _traces(told, False):
            return replace(told, takes_training=_traces(told, True))
    return call


def _traces(call: Call, training: bool) -> bool:
    try:
        tf.function(lambda inputs: call(inputs, training)).get_concrete_function(call.inputs)
    except Exception:  # of which type depends on how the function was saved
        return False
    return True


def _takes_numbers(call: Call) -> bool:
    """Whether it takes integers, such as numbers of words, and no strings."""
    leaves = tf.nest.flatten(call.inputs)
    kinds = [leaf.dtype for leaf in leaves if isinstance(leaf, tf.TensorSpec)]
    return len(kinds) == len(leaves) and tf.string not in kinds and any(kind.is_integer for kind in kinds)


def _has_tensors(spec: Any) -> bool:
    return any(isinstance(leaf, tf.TypeSpec) for leaf in tf.nest.flatten(spec))


def distinct(variables: Iterable[tf.Variable]) -> tuple[tf.Variable, ...]:
    """The variables without duplicates, in their order."""
    return tuple({id(variable): variable for variable in variables}.values())
