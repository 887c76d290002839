"""The backbones of a space, made from their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.backbones.base import Backbone, SavedModule
from search.backbones.catalog import Entry, ModulePlaces, licence_of
from search.backbones.hub.layer_groups import read_groups
from search.backbones.hub.layered_module import LayeredModule
from search.backbones.hub.load import published
from search.backbones.hub.module import HubModule
from search.backbones.joined import JoinedModules
from search.backbones.joined_names import check_distinct, parts
from search.backbones.learned.embeddings import TokenEmbedding, TokenTable
from search.backbones.learned.learned_encoder import LearnedEncoder
from search.backbones.learned.sources import resolve_embeddings
from search.backbones.learned.vocabulary import Tokens
from search.backbones.resolve import resolve_modules
from search.backbones.words_alone import WordsAlone
from spaces import ENCODERS, LEARNED, TFIDF, TextClassifierSpace


def resolve_backbones(
    space: TextClassifierSpace, texts: NDArray[np.object_], places: ModulePlaces
) -> dict[str, Backbone]:
    """Finds, downloads or builds the backbones of a space.

    Args:
        space: The space, which names them.
        texts: Texts of the training split, strings [n]; vocabularies are learned from them alone.
        places: Where modules are looked for and kept.

    Returns:
        A backbone for each value of `module`.

    Raises:
        InputError: A module cannot be found, reached, written or used.
    """
    names = space.module_names()
    entries = places.entries(names)
    joined = {name: parts(name, entries) for name in names}
    folders = resolve_modules([*dict.fromkeys(chain.from_iterable(joined.values()))], places)
    modules = {name: _saved_module(name, folder, entries) for name, folder in folders.items()}
    embeddings = resolve_embeddings(space, texts, places)
    return made(map(str, space["module"].options or ()), modules, embeddings, texts, joined)


def plain_backbones(names: Sequence[str], places: ModulePlaces) -> dict[str, Backbone]:
    """Finds or builds modules that are compared with those of a space; each gives a backbone, by its name.

    Raises:
        InputError: A module cannot be found, written or used.
    """
    entries, folders = places.entries(names), resolve_modules(names, places)
    return {name: published_backbone(_saved_module(name, folder, entries)) for name, folder in folders.items()}


def _saved_module(name: str, folder: Path, entries: Mapping[str, Entry]) -> SavedModule:
    module, licence = published(folder, name), licence_of(name, entries)
    return SavedModule(name, folder, dimension=module.dimension, licence=licence, content=module.content)


def made(
    names: Iterable[str],
    modules: Mapping[str, SavedModule],
    embeddings: Mapping[str, TokenEmbedding],
    texts: NDArray[np.object_],
    joined: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Backbone]:
    """Makes backbones from modules that have been found.

    Args:
        names: The values of `module`.
        modules: The published modules, by their names.
        embeddings: Pretrained token embeddings, by the values of `embedding`.
        texts: As for `resolve_backbones`.
        joined: The modules that a value of `module` stands for; None: each for the one of its name.

    Raises:
        InputError: A module is joined to itself.
    """
    tokens, under = Tokens(texts), {LEARNED: TokenTable(None), **embeddings}

    def backbone(name: str) -> Backbone:
        if name in ENCODERS:
            return LearnedEncoder(name, tokens, under)
        if name == TFIDF:
            return WordsAlone(name)
        several = [modules[part] for part in (joined or {}).get(name, (name,))]
        if len(several) == 1:
            return published_backbone(several[0])
        check_distinct(name, [module.load().fingerprint for module in several])
        return JoinedModules(name, several)

    return {name: backbone(name) for name in names}


def published_backbone(module: SavedModule) -> HubModule:
    """The backbone that a SavedModel is: by its layers, if it says which those are."""
    encoder = read_groups(module.folder)
    return HubModule(module) if encoder is None else LayeredModule(module, encoder)
