"""Checked calls of a module or a model: a row of finite numbers for each text, or an error that names the text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.contract import reason
from search.errors import InputError
from search.utils.batched import SCORING_BATCH, tensors

Call = Callable[[tf.Tensor], Any]
"""Maps strings [n] to numbers [n, …]."""

Rows = Sequence[str] | Sequence[bytes] | Sequence[str | bytes] | NDArray[Any]
"""Texts, or a structured array of texts and what stands beside them."""

_SHOWN_CHARACTERS = 60
_NOT_FINITE = "it gives NaN or infinite numbers"
_OTHER_ROWS = "it does not give a row for each text"


def guarded(vectors: tf.Tensor, texts: tf.Tensor, dimension: int) -> tf.Tensor:
    """Makes a call fail, in whatever graph it is, unless it gives a row of finite numbers for each text.

    NaN must not get beyond the module: `relu` makes 0 of it, and no later check would see anything.

    Args:
        vectors: The output of a module, float32.
        texts: Strings [batch].
        dimension: Width of the module's vectors.

    Returns:
        The vectors, float32 [batch, dimension].
    """
    vectors = tf.ensure_shape(vectors, [None, dimension])
    if tf.executing_eagerly():  # every operation costs by itself, but the numbers of rows are known
        if vectors.shape[0] != texts.shape[0]:
            raise tf.errors.InvalidArgumentError(None, None, _OTHER_ROWS)
        return tf.debugging.check_numerics(vectors, _NOT_FINITE)
    # Not an assertion, which is run wherever it stands: TensorFlow shall leave the module out where nothing but the row
    # numbers in its gradient is asked for. Not a reshape, which its optimizer drops where it takes the two for equal.
    as_many = tf.where(tf.shape(vectors)[0] == tf.shape(texts)[0], 0.0, math.nan)
    with tf.control_dependencies([tf.debugging.check_numerics(as_many, _OTHER_ROWS)]):
        return tf.debugging.check_numerics(vectors, _NOT_FINITE)


def answers(call: Call, texts: Rows, who: str) -> NDArray[Any]:
    """Calls a module or a model on texts and checks the result.

    Args:
        call: Maps strings [n] to numbers [n, …].
        texts: The rows of one batch: texts, or a structured array with texts as its first field.
        who: The module or model, as named in messages.

    Returns:
        A row of finite numbers for each text.

    Raises:
        InputError: It returns something else, or fails; the text is named.
        tf.errors.ResourceExhaustedError: The batch is too large for the memory.
    """
    try:
        return _checked(call, texts)
    except _Unusable as error:
        culprits, why = _narrowed(call, texts, error)
        row = _text_of(culprits[0])
        one = f"the {'text' if isinstance(row, str) or _is_utf8(row) else 'image'} {shown(row)}"
        named = one if len(culprits) == 1 else f"{len(culprits)} texts together"
        raise InputError(f"{who} cannot be used on {named}: {why}; leave such texts out.") from error


def answers_in_batches(call: Call, texts: NDArray[np.object_], who: str) -> NDArray[Any]:
    """Calls a module or a model on any number of texts, at least one; see `answers`."""
    starts = range(0, len(texts), SCORING_BATCH)
    parts = (texts[start : start + SCORING_BATCH] for start in starts)
    return np.concatenate([answers(call, part if part.dtype.names else part.tolist(), who) for part in parts])


def _text_of(row: Any) -> Any:
    return row[0] if isinstance(row, np.void) else row


@contextmanager
def faults_of_modules(modules: Mapping[str, Call], *splits: NDArray[np.object_] | tf.Tensor) -> Iterator[None]:
    """Tells whether training failed because a module was unusable from the start, or because it diverged.

    Args:
        modules: The modules as published, by their names in messages.
        *splits: Texts of the splits, strings [n].

    Raises:
        InputError: A module as published cannot be used on one of the texts.
        ArithmeticError: All can be used: the weights diverged.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        for texts in splits:
            for name, module in modules.items():
                answers_in_batches(module, np.asarray(texts), f"module {name}")
        if _NOT_FINITE not in str(error):
            raise
        raise ArithmeticError("the model diverged: its module gives NaN or infinite numbers") from error


def shown(text: str | bytes) -> str:
    """A text for messages, cut where it is long; an image by its size and the beginning of its checksum."""
    if isinstance(text, bytes):
        if not _is_utf8(text):
            return f"of {len(text):,} bytes with the SHA-256 {hashlib.sha256(text).hexdigest()[:12]}…"
        text = text.decode()
    return repr(text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…")


def _is_utf8(content: bytes) -> bool:
    """Whether bytes are a text; images begin with what no text in UTF-8 has."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Unusable(Exception):
    """A fault in the result for a batch of texts."""


def _checked(call: Call, texts: Rows) -> NDArray[Any]:
    try:
        values = np.asarray(call(tensors(texts)))
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        known = next((fault for fault in (_NOT_FINITE, _OTHER_ROWS) if fault in str(error)), None)
        raise _Unusable(known or f"it fails ({reason(error)})") from error
    if len(values) != len(texts):
        raise _Unusable(_OTHER_ROWS)
    if not np.isfinite(values).all():
        raise _Unusable(_NOT_FINITE)
    return values


def _narrowed(call: Call, texts: Rows, error: _Unusable) -> tuple[Rows, str]:
    """The texts at fault, usually one, else the fewest that fail together; and the fault."""
    while len(texts) > 1:
        for part in (texts[: len(texts) // 2], texts[len(texts) // 2 :]):
            try:
                _checked(call, part)
            except _Unusable as found:
                texts, error = part, found
                break
        else:
            break
    return texts, str(error)
