"""A Keras model of images cut into sections, one behind the other, of which the last ones can be trained."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)
# What the names of a block's layers begin with, such as block2a_expand_conv, conv2_block1_1_conv, stack0_block1_add,
# convnext_tiny_stage_0_block_1_gelu and expanded_conv_3_project.
_BLOCK = re.compile(r"(?:.*?block_?\d+[a-z]?|expanded_conv(?:_\d+)?)(?=_|$)")


@dataclass(frozen=True)
class Section:
    """A part of a network that takes one tensor and gives one.

    Attributes:
        name: Its block's name, or that of the first of its layers that learns.
        model: Its layers, as a model.
    """

    name: str
    model: Any


def sections(network: Any) -> list[Section]:
    """Cuts a model wherever all that it computes passes through one tensor.

    So a residual block is in one section, and so are branches up to where they join. What normalizes belongs to the
    section before it, as what has no weights does; layers of one block, by their names, are one section.

    Args:
        network: A functional model of one input and one output.

    Returns:
        The sections from input to output, each with weights that learn; the first embeds the image.
    """
    found: list[list[_Part]] = [[]]
    for part in _parts(network):
        if _begins(part, found[-1]):
            found.append([])
        found[-1].append(part)
    cut, tensor = [], network.inputs[0]
    for some in found:
        cut.append(Section(_name(some), keras.Model(tensor, some[-1].output)))
        tensor = some[-1].output
    return cut


@dataclass(frozen=True)
class _Part:
    """Operations between two tensors through which everything passes."""

    operations: Sequence[Any]
    output: Any

    @property
    def block(self) -> str | None:
        """Name of the block that they are of, if they are named for one."""
        return next((name[0] for one in self.operations if (name := _BLOCK.match(one.name))), None)

    @property
    def learns(self) -> str | None:
        """Name of the first of them that learns more than to normalize; None: there is none."""
        return next((one.name for one in self.operations if _has_weights(one)), None)


def _has_weights(operation: Any) -> bool:
    return bool(getattr(operation, "trainable_weights", None)) and not isinstance(operation, _NORMALIZATIONS)


def _parts(network: Any) -> list[_Part]:
    by_depth = network._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    place = {id(tensor): number for number, node in enumerate(nodes) for tensor in node.output_tensors}
    last_use = [0] * len(nodes)
    for number, node in enumerate(nodes):
        for tensor in node.input_tensors:
            last_use[place[id(tensor)]] = number
    parts, so_far, reach = [], [], 0
    for number, node in enumerate(nodes):
        if not node.is_input:
            so_far.append(node.operation)
        # What is made before this place is used up here.
        if so_far and reach <= number:
            parts.append(_Part(so_far, node.output_tensors[0]))
            so_far = []
        reach = max(reach, last_use[number])
    return parts


def _begins(part: _Part, before: Iterable[_Part]) -> bool:
    """Whether a section begins with a part, behind the parts of the section before it."""
    if not any(one.learns for one in before):
        return False
    blocks = [one.block for one in before if one.block is not None]
    return part.block not in blocks if part.block is not None else part.learns is not None


def _name(parts: Sequence[_Part]) -> str:
    return next((one.block or one.learns or "" for one in parts if one.learns), "network")
