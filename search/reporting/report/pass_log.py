"""Records the cost of passes of texts through modules, for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imports TensorFlow
    from search.features.cache import PassObserver


@dataclass(frozen=True)
class Pass:
    """One pass of a split's texts through a frozen module.

    Attributes:
        module: Its name.
        texts: Distinct texts asked for.
        computed: Texts that were not in the cache.
        seconds: How long it took.
    """

    module: str
    texts: int
    computed: int
    seconds: float


class PassLog:
    """An observer of passes that records them and passes everything on to another observer.

    Args:
        shown: The other observer.
    """

    def __init__(self, shown: PassObserver) -> None:
        self.passes: list[Pass] = []
        self._shown = shown

    def of_another(self, shown: PassObserver) -> PassLog:
        """A log of the passes in another process, which are recorded among these.

        Args:
            shown: What they are passed on to.
        """
        log = PassLog(shown)
        log.passes = self.passes
        return log

    def on_pass_begin(self, module: str, texts: int, cached: int) -> None:
        """Notes the module."""
        self._begun = module, texts
        self._shown.on_pass_begin(module, texts, cached)

    def on_pass_progress(self, done: int) -> None:
        """Passes it on."""
        self._shown.on_pass_progress(done)

    def on_pass_end(self, computed: int, seconds: float) -> None:
        """Writes the pass down."""
        self.passes.append(Pass(*self._begun, computed, seconds))
        self._shown.on_pass_end(computed, seconds)
