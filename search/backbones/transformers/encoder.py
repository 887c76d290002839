"""An encoder of the BERT family as a SavedModel in TF Hub's text API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from search.backbones.hub.layer_groups import Encoder, Group
from search.backbones.transformers.folders import import_packages
from search.backbones.transformers.layout import Layout
from search.backbones.transformers.port import read_backbone
from search.backbones.transformers.slices import in_slices
from search.backbones.transformers.stages import Stage, Stages
from search.backbones.transformers.tokenizer_files import TokenizerFiles, read_tokenizer
from search.backbones.transformers.tokens import Tokens


class TransformerEncoder(tf.train.Checkpoint):
    """The vectors of a text's tokens in their context, made one.

    Besides the call on texts, a SavedModel of it has its stages, so that some layers can be trained above others whose
    output is kept: `cut` (texts to numbers of tokens), `begin`, `layer_0`, `layer_1` and so on, and `finish`.

    Args:
        layout: How the folder says that the encoder is used.
        files: Its tokenizer.
        stages: Its network.
    """

    def __init__(self, layout: Layout, files: TokenizerFiles, stages: Stages) -> None:
        super().__init__()
        groups = [*reversed(stages.dense), *reversed(stages.layers), stages.embeddings]
        self.trainable_variables = [variable for group in groups for _, variable in group.variables]
        self.variables = [*self.trainable_variables, *stages.state]
        described = _described(layout, files, groups)
        self._described: Callable[[], Encoder] = lambda: described  # as it is, an attribute would be saved
        tokens = Tokens(files, layout.max_tokens)
        self.tokenizer = tokens.resource
        ids = tf.TensorSpec([None, None], tf.int32, name="ids")
        hidden = tf.TensorSpec([None, None, stages.width], tf.float32, name="hidden")
        lengths = tf.TensorSpec([None], tf.int32, name="lengths")

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
        def cut(texts: tf.Tensor) -> tf.RaggedTensor:
            if layout.lowercase:
                texts = tf.strings.lower(texts, "utf-8")
            if layout.prompt:
                texts = tf.strings.join([layout.prompt, texts])
            return tokens.ids(texts)

        def embed(ids: tf.RaggedTensor, training: bool) -> tf.Tensor:
            lengths = tf.cast(ids.row_lengths(), tf.int32)
            values = begin(tokens.padded(ids), lengths, training)
            for layer in layers:
                values = layer(values, lengths, training)
            return finish(values, lengths)

        def whole(texts: tf.Tensor, training: bool) -> tf.Tensor:
            rows = cut(texts)
            # Gradients go through one slice alone: a loop costs them twice the time.
            return embed(rows, True) if training else in_slices(rows, stages.dimension, lambda some: embed(some, False))

        begin = _traced(stages.begin, ids, lengths)
        layers = [_traced(partial(stages.layer, number), hidden, lengths) for number in range(len(stages.layers))]
        finish = tf.function(stages.finish, input_signature=[hidden, lengths])
        self._embed, self.dimension = whole, stages.dimension
        self.cut, self.begin, self.finish = cut, begin, finish
        for number, layer in enumerate(layers):
            setattr(self, f"layer_{number}", layer)

    @property
    def described(self) -> Encoder:
        """The facts about the encoder that `search_layers.json` keeps."""
        return self._described()

    @tf.function
    def __call__(self, texts: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Embeds texts.

        Args:
            texts: Strings [batch].
            training: Whether dropout is on.

        Returns:
            Embeddings, float32 [batch, dim].
        """
        return self._embed(texts, training)


def _traced(stage: Callable[..., tf.Tensor], *signature: tf.TensorSpec) -> Any:
    """A stage as a function that is saved both with and without dropout."""
    function: Any = tf.function(lambda values, lengths, training: stage(values, lengths, training))
    for training in (False, True):
        function.get_concrete_function(*signature, training)
    return function


def read_encoder(layout: Layout) -> TransformerEncoder:
    """Reads an encoder from its folder.

    Args:
        layout: What its files say.

    Raises:
        InputError: A package is not installed, or a file is not what it should be.
    """
    import_packages(layout)
    files = read_tokenizer(layout)
    return TransformerEncoder(layout, files, Stages(layout, read_backbone(layout)))


def _described(layout: Layout, files: TokenizerFiles, stages: Sequence[Stage]) -> Encoder:
    groups, place = [], 0
    for stage in stages:
        places = tuple(range(place, place + len(stage.variables)))
        groups.append(Group(stage.name, places, tuple(path for path, _ in stage.variables)))
        place += len(stage.variables)
    return Encoder(
        layout.architecture,
        files.kind,
        len(files.vocabulary),
        layout.max_tokens,
        layout.pooling,
        layout.normalized,
        layout.prompt,
        files.padding,
        tuple(groups),
    )
