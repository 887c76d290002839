"""Tries a module on sentences: `python -m search.modules check`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from search.backbones.catalog import ModulePlaces, licence_of
from search.backbones.hub.examine import examine
from search.backbones.hub.layer_groups import read_groups
from search.backbones.hub.load import published
from search.backbones.hub.saved_model import reach
from search.backbones.learned.sources import use_as_embedding
from search.backbones.resolve import resolve_modules
from search.config import ModuleConfig, configuration_folder
from search.errors import InputError
from search.reporting.tables import with_article

_SHOWN_VARIABLES = 8


def check(name: str, settings: ModuleConfig, modules: Path) -> None:
    """Prints the facts about a module, and its similarities of a few sentences.

    Args:
        name: Its name in `space.modules`.
        settings: The settings of modules.
        modules: Folder that modules are kept in.

    Raises:
        InputError: The module cannot be searched.
    """
    places = ModulePlaces(settings, modules, [configuration_folder()])
    folder = resolve_modules([name], places)[name]
    module = published(folder, name)
    kind = module.content.name
    found, encoder = examine(module), read_groups(folder)
    parameters, trained = (
        sum(int(variable.shape.num_elements() or 0) for variable in variables)
        for variables in (module.variables, module.trainable_variables)
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    rows = [
        ("module", name),
        ("is", f"a SavedModel in {folder}"),
        ("licence", licence_of(name, places.entries([name])) or "not known: the catalog does not state it"),
        ("fingerprint", module.fingerprint[:12]),
        ("takes", f"{kind}s, strings [batch]{', training=' if module.takes_training else ''}"),
        ("gives", f"float32 [batch, {module.dimension}]"),
        *([] if encoder is None else encoder.told()),
        ("reaches", reach(folder) or f"nothing but its {kind}s"),
        ("parameters", f"{parameters:,}, {trained:,} of them trainable"),
    ]
    for variable in module.trainable_variables[:_SHOWN_VARIABLES]:
        rows.append(("", f"{variable.name.removesuffix(':0')} {variable.dtype.name} {variable.shape.as_list()}"))
    if len(module.trainable_variables) > _SHOWN_VARIABLES:
        rows.append(("", f"and {len(module.trainable_variables) - _SHOWN_VARIABLES} more"))
    for (first, second), cosine in found.cosines.items():
        rows.append(("cosine", f"{cosine:5.2f}  {first} | {second}"))
    rows += [
        *([("empty text", _told_of_nothing(found.empty))] if module.content.has_words else []),
        ("time", f"{found.seconds * 1000:.3g} ms {with_article(kind)}"),
        ("frozen", f"no: {found.frozen}" if found.frozen else "can be searched, space.trainable=[false]"),
        ("fine-tuned", f"no: {found.fine_tuned}" if found.fine_tuned else "can be searched, space.trainable=[true]"),
    ]
    if found.sparse:
        rows.append(("", f"a step touches single rows of {found.sparse} of its variables"))
    if module.content.has_words:
        rows.append(("encoders", use_as_embedding(name, places)))
    for label, value in rows:
        table.add_row(label, escape(value))
    Console().print(table, highlight=False)
    if found.frozen and found.fine_tuned:
        raise InputError(f"module {name} cannot be searched: {found.frozen}.")


def _told_of_nothing(vector: NDArray[np.float32] | None) -> str:
    if vector is None:
        return "nothing that can be used, but a search leaves empty texts out"
    norm = float((vector**2).sum()) ** 0.5
    return "zeros" if not vector.any() else f"a vector of length {norm:.3g}"
