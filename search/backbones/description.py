"""The facts about a backbone; without TensorFlow, for records and reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """The facts about the backbone of one configuration, for records and reports.

    Attributes:
        backbone: Its name, a value of the hyperparameter `module`.
        pretrained: The module whose published weights it starts from; None: it is trained from scratch.
        frozen: Whether these weights stay as they were published.
        dimension: Width of the vector of a text; None: not known, or there is none.
        licence: Licence of the published weights, as the catalog states it; None: not known, or there are none.
        parameters: Numbers in the published modules; None: not known, or there are none.
    """

    backbone: str
    pretrained: str | None
    frozen: bool
    dimension: int | None = None
    licence: str | None = None
    parameters: int | None = None
