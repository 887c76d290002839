"""Adapts a loaded SavedModel to one call on strings, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import tensorflow as tf

from search.backbones.hub.calls import Call, best_call, distinct
from search.backbones.hub.contract import TRIAL, ChoiceNeeded, describe, no_vectors, reason, token_key, vector_key
from search.backbones.images.decoding import trial_images
from search.datasets.content import IMAGE, TEXT, Content
from search.errors import InputError

BERT_INPUTS = {"input_word_ids", "input_mask", "input_type_ids"}
BERT_PREPROCESSOR = "https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3"
_Given = TypeVar("_Given")


@dataclass(frozen=True, eq=False)
class TextCall:
    """A call, and which of its outputs embeds texts.

    Attributes:
        call: The call, which takes texts.
        key: The name of the output.
        dimension: Width of the output.
        gives_tokens: Whether another output has a vector for each token.
        content: What the strings are: texts, or encoded images.
    """

    call: Call
    key: str
    dimension: int
    gives_tokens: bool
    content: Content

    def __call__(self, texts: tf.Tensor, training: bool) -> tf.Tensor:
        """Embeds strings [batch] as floats of the module's own type [batch, dim]."""
        return self.call.on_texts(texts, training)[self.key]


def adapted(saved: Any, name: str) -> TextCall:
    """Finds how a SavedModel embeds texts.

    Args:
        saved: The result of `tf.saved_model.load`.
        name: Its name in messages.

    Raises:
        ChoiceNeeded: It takes the output of a preprocessor, or gives only vectors of tokens.
        InputError: It is no text module, or fails on texts.
    """
    call = best_call(saved, name)
    if not call.takes_texts:
        raise ChoiceNeeded(needs_preprocessor(call, name))
    # What was composed here says so, which saves an attempt.
    kinds = [IMAGE] if hasattr(saved, "images") else [TEXT, IMAGE]
    outputs, content = trial(call.on_texts, f"module {name}", kinds)
    key, tokens = vector_key(outputs), token_key(outputs)
    if key is not None:
        return TextCall(call, key, int(outputs[key].shape[1]), tokens is not None, content)
    given = outputs.get("", outputs)
    if tokens is None:
        raise no_vectors(given, name)
    raise ChoiceNeeded(
        f"module {name} does not give a vector for each text but one for each token: got {describe(given)}. In "
        "space.modules it can be used with module.pooling=mean, max or first."
    )


def needs_preprocessor(call: Call, name: str) -> str:
    """The error about a module that needs a preprocessor, if only one that decodes images."""
    if call.takes_images:
        return (
            f"module {name} takes images, {describe(call.inputs)}, as they are: name it in space.modules, which puts a "
            "step before it that decodes them."
        )
    keys = set(call.inputs) if isinstance(call.inputs, Mapping) else set()
    usual = f"; for these inputs {BERT_PREPROCESSOR} is the usual one" if keys == BERT_INPUTS else ""
    return (
        f"module {name} takes no texts but {describe(call.inputs)}, which a preprocessor makes of them: set "
        f"module.preprocessor=… to its handle or folder{usual}."
    )


def trial(
    function: Callable[[tf.Tensor], _Given], name: str, kinds: Sequence[Content] = (TEXT, IMAGE)
) -> tuple[_Given, Content]:
    """Tries a module on two texts, or else on two images.

    Args:
        function: The module, or a part of it, on strings [batch].
        name: Its name in messages.
        kinds: What the strings may be.

    Returns:
        The result, and what the strings are that it takes.

    Raises:
        InputError: It fails on all.
    """
    first: InputError | None = None
    for kind in kinds:
        try:
            return function(tf.constant(TRIAL if kind is TEXT else trial_images())), kind
        except Exception as error:  # a module may raise whatever the operations inside it do
            if first is None:
                first = InputError(f"{name} fails on {kind.name}s: {reason(error)}")
                first.__cause__ = error
    assert first is not None
    raise first


def variables_of(saved: Any, call: Call) -> tuple[tuple[tf.Variable, ...], tuple[tf.Variable, ...]]:
    """The variables of a SavedModel: those that fine-tuning changes, and the others.

    An object lists its trainable variables. A module with signatures alone has no such list: there the variables that
    the signature reads count as trainable if they were created so.
    """
    listed = getattr(saved, "trainable_variables", None)
    if listed is None and call.is_signature:
        listed = [variable for variable in call.variables if variable.trainable]
    trainable = distinct(listed or ())
    known = {id(variable) for variable in trainable}
    others = distinct([*(getattr(saved, "variables", None) or ()), *call.variables])
    return trainable, tuple(variable for variable in others if id(variable) not in known)
