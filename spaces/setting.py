"""The declaration of a setting of the space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spaces.domains import Domain


@dataclass(frozen=True)
class Where:
    """The condition on which a hyperparameter exists: another one has certain values."""

    parent: str
    holds: Callable[[Any], bool]
    words: str
    """Ends the sentence 'Exists only where …'."""


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        default: Its range, written as `spaces.parameter_from` reads one; None: it is not set.
        domain: The values that the range may hold.
        help: Says what it does, in words for people who use the search.
        where: On which condition hyperparameters of its range exist; None: always.
    """

    default: Any
    domain: Domain
    help: str
    where: Where | None = None
