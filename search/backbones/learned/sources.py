"""The modules under learned encoders: word vectors to start an embedding from, and token-level modules."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from search.backbones.base import SavedModule
from search.backbones.catalog import ModulePlaces, licence_of
from search.backbones.hub.load import forget, published
from search.backbones.learned.embeddings import ModuleTokens, TokenEmbedding, TokenTable
from search.backbones.learned.initial_table import WordVectors
from search.backbones.learned.vocabulary import usual_length
from search.backbones.resolve import preprocessor_of, resolve, writable
from search.backbones.tokens.token_module import NoTokens, TokenOutputs, token_module, token_outputs
from search.backbones.tokens.token_names import title_of_tokens
from search.errors import InputError
from spaces import AUTO, TextClassifierSpace

log = logging.getLogger(__name__)

# The features of the other splits together are seldom more than those of the training split.
_SPLITS = 2
# Of the training texts, so many at most are cut into tokens to find the length of `auto`: a module may take long.
_COUNTED = 4096


def resolve_embeddings(
    space: TextClassifierSpace, texts: NDArray[np.object_], places: ModulePlaces
) -> dict[str, TokenEmbedding]:
    """Finds, downloads or builds the modules that the embeddings of a space start from.

    Args:
        space: The space, which names them and the lengths of texts.
        texts: Texts of the training split, from which the length of `auto` follows.
        places: Where modules are looked for and kept.

    Returns:
        An embedding for each name of a module.

    Raises:
        InputError: A module cannot be found, reached, written or used, or is neither of word vectors nor token-level.
    """
    names = space.embedding_names()
    entries = places.entries(names)
    found: dict[str, TokenEmbedding] = {}
    for name in names:
        folder, licence = resolve(name, entries, places), licence_of(name, entries)
        if WordVectors.of(folder, name) is not None:
            width = published(folder, name).dimension
            found[name] = TokenTable(SavedModule(name, folder, dimension=width, licence=licence))
            continue
        if name not in space.module_names():
            forget(folder)
        limits = space["sequence_length"].limits
        preprocessor = preprocessor_of(name, entries, places)
        try:
            with writable(places.folder):
                length = max(map(int, limits)) if AUTO not in limits else lambda outputs: _usual_length(outputs, texts)
                made = token_module(folder, name, preprocessor, length, places.folder)
        except NoTokens as error:
            raise InputError(
                f"space.embedding=[{name}]: expected a module of word vectors, such as glove-50 or one that python -m "
                f"search.modules export made, or one that gives a vector for each token of a text: {error}"
            ) from error
        log.info("%s: the first %s tokens of a text, %s wide", name, made.length, made.width)
        room = _SPLITS * len(texts), made.length * made.width + 1
        found[name] = ModuleTokens(made, SavedModule(title_of_tokens(name), made.folder, room, made.width, licence))
    return found


def use_as_embedding(name: str, places: ModulePlaces) -> str:
    """Describes how a module can be used under learned encoders, or why it cannot.

    Args:
        name: The module.
        places: Where modules are looked for and kept.

    Raises:
        InputError: The module cannot be found, reached or written.
    """
    entries = places.entries([name])
    folder = resolve(name, entries, places)
    if WordVectors.of(folder, name) is not None:
        return "its vectors of words can be used, space.embedding=[…]"
    try:
        outputs = token_outputs(folder, name, preprocessor_of(name, entries, places))
    except InputError as error:
        return f"no: {error}"
    return f"a vector of {outputs.width} for each token can be used, space.embedding=[…]"


def _usual_length(outputs: TokenOutputs, texts: NDArray[np.object_]) -> int:
    """The length of `auto`, by texts from all over the training split."""
    return usual_length(outputs.counts(texts[:: -(-len(texts) // _COUNTED)]))
