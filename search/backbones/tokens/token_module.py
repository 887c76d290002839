"""Token-level modules in TF Hub's text API: the vectors of all tokens of a text in one row.

So the rest of the package, from the cache of features to the exported model, uses them like any other module;
`TokenVectors` is the layer that takes the row apart again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.builders.saving import save_module
from search.backbones.hub.adapt import trial
from search.backbones.hub.compose import Composed, Outputs, composed_name
from search.backbones.hub.contract import describe, mask_key, token_key
from search.backbones.hub.identity import seal_once
from search.backbones.hub.parts import Parts, Preprocessor, load_parts
from search.backbones.hub.saved_model import check_module
from search.backbones.tokens.token_names import NOTE
from search.errors import InputError
from search.utils.files import whole_folder, write_json

# Texts of a call that counts tokens.
_BATCH = 256


class NoTokens(InputError):
    """A module that gives no vectors of tokens."""


@dataclass(frozen=True)
class TokenModule:
    """A module that gives, for each text, the vectors of its first tokens in a row and then how many there are.

    Attributes:
        folder: Its SavedModel: strings [batch] to float32 [batch, length * width + 1], zeros where there is no token. A
            text without any counts as one token of zeros.
        name: The name of the module that it was made from.
        length: The most tokens of a text.
        width: Width of a token's vector.
    """

    folder: Path
    name: str
    length: int
    width: int

    @classmethod
    def read(cls, folder: Path) -> TokenModule:
        """Reads the facts about a module from `token_module`."""
        return cls(folder, **json.loads((folder / NOTE).read_text(encoding="utf-8")))


@dataclass(frozen=True, eq=False)
class TokenOutputs:
    """The outputs of a module that hold the vectors of tokens.

    Attributes:
        parts: The module and its preprocessor, in memory.
        key: The name of the output.
        mask: The name of the output, of the module or else the preprocessor, that marks the tokens; None: none does.
        width: Width of a vector.
    """

    parts: Parts
    key: str
    mask: str | None
    width: int

    def ragged(self, outputs: Outputs, made: Outputs) -> tf.RaggedTensor:
        """The vectors of tokens without padding, float32 [batch, (tokens), width].

        Args:
            outputs: The outputs of the module.
            made: The outputs of the preprocessor.
        """
        vectors = tf.cast(outputs[self.key], tf.float32)
        if isinstance(vectors, tf.RaggedTensor):
            return vectors
        vectors = tf.ensure_shape(vectors, [None, None, self.width])
        # Padding that nothing marks can still be told by its zeros.
        there = tf.reduce_any(vectors != 0, axis=2) if self.mask is None else {**made, **outputs}[self.mask]
        return tf.ragged.boolean_mask(vectors, tf.ensure_shape(tf.cast(there, tf.bool), [None, None]))

    def row(self, outputs: Outputs, made: Outputs, length: int) -> tf.Tensor:
        """The output of a `TokenModule` of `length` tokens."""
        ragged = self.ragged(outputs, made)
        vectors = ragged.to_tensor(shape=[None, length, self.width])
        count = tf.clip_by_value(tf.cast(ragged.row_lengths(), tf.float32), 1.0, float(length))
        return tf.concat([tf.reshape(vectors, [-1, length * self.width]), count[:, tf.newaxis]], axis=1)

    def counts(self, texts: NDArray[np.object_]) -> NDArray[np.int64]:
        """The numbers of tokens of texts, int64 [n]."""
        # Compiled, TensorFlow leaves out what the counts do not depend on: as a rule all but the tokenizer.
        count = tf.function(
            lambda batch: self.ragged(*self.parts(batch)).row_lengths(), [tf.TensorSpec([None], tf.string)]
        )
        starts = range(0, len(texts), _BATCH)
        return np.concatenate([count(tf.constant(texts[i : i + _BATCH].tolist())).numpy() for i in starts])


def token_module(
    folder: Path,
    name: str,
    preprocessor: Preprocessor | None,
    length: int | Callable[[TokenOutputs], int],
    modules: Path,
) -> TokenModule:
    """Makes a token-level module from a module, composing it on first use.

    Args:
        folder: A SavedModel.
        name: Its name in messages.
        preprocessor: Turns texts into the module's inputs, if it takes no texts; None: there is none.
        length: The most tokens of a text, or a function that finds it.
        modules: Folder that composed modules are kept in, each under a name that follows from its parts.

    Raises:
        NoTokens: The module gives no vectors of tokens.
        InputError: The parts do not fit together, or one cannot be used.
        OSError: `modules` must not be written, or has no room.
    """
    vectors = None
    if not isinstance(length, int):
        vectors = token_outputs(folder, name, preprocessor)
        length = length(vectors)
    target = modules / f"tokens-{composed_name(folder, preprocessor, f'tokens {length}')}"
    if not target.is_dir():
        vectors = vectors or token_outputs(folder, name, preprocessor)
        composed = Composed(vectors.parts, lambda outputs, made: vectors.row(outputs, made, length))
        note = asdict(TokenModule(target, name, length, vectors.width))
        del note["folder"]
        with whole_folder(target) as beside:
            write_json(beside / NOTE, note)
            save_module(composed, beside)
    else:
        seal_once(target)
        check_module(target, name)
    return TokenModule.read(target)


def token_outputs(folder: Path, name: str, preprocessor: Preprocessor | None) -> TokenOutputs:
    """Finds the outputs of a module that hold the vectors of tokens.

    Args:
        folder: A SavedModel.
        name: Its name in messages.
        preprocessor: See `token_module`.

    Raises:
        NoTokens: It gives none.
        InputError: It cannot be used, or nothing distinguishes tokens from padding.
    """
    parts = load_parts(folder, name, preprocessor)
    (outputs, made), _ = trial(parts, f"module {name}", [parts.content])
    key = token_key(outputs)
    if key is None:
        raise NoTokens(
            f"module {name} gives no vector for each token of a text, float32 [?, tokens, dim], but "
            f"{describe(outputs.get('', outputs))}."
        )
    vectors = TokenOutputs(parts, key, mask_key({**made, **outputs}, outputs[key]), int(outputs[key].shape[-1]))
    if vectors.mask is None and not _tells_padding(vectors):
        raise InputError(
            f"module {name} gives a vector for each token, {describe(outputs.get('', outputs))}, and neither a mask "
            "(input_mask) that says which tokens there are nor zeros for the others: encoders need one of them."
        )
    return vectors


def _tells_padding(vectors: TokenOutputs) -> bool:
    """Whether a short text in a batch with a longer one has fewer tokens than that, the same as by itself."""
    texts = tf.constant(["short", "one that has many more words than the other"])
    together, alone = (vectors.ragged(*vectors.parts(part)) for part in (texts, texts[:1]))
    short, long = together.row_lengths().numpy()
    return bool(short < long and short == len(alone[0]) and np.allclose(together[0], alone[0], atol=1e-4))
