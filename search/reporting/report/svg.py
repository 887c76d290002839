"""Pictures as SVG: scales, axes and marks. Colours are classes of the page's style, so that one picture fits both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

# Of the font at 11 px, on average.
_LETTER = 6.3


def number(value: float | None, digits: int = 3) -> str:
    """A number for people: so many significant digits, thousands with commas; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = math.floor(math.log10(abs(value)))
    if size >= digits - 1:
        return f"{value:,.0f}"
    return f"{value:.{digits - 1}e}" if size < -4 else f"{value:.{min(digits - 1 - size, 6)}f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Scale:
    """Numbers to pixels.

    Attributes:
        low: The number at `start`.
        high: The number at `end`.
        start: Pixels.
        end: Pixels.
        log: Whether equal ratios take equal room.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a number; one outside stands at the edge."""
        low, high, at = (
            (math.log(x) for x in (self.low, self.high, max(value, 1e-300)))
            if self.log
            else (
                self.low,
                self.high,
                value,
            )
        )
        share = 0.5 if high == low else min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers within the scale."""
        if self.high == self.low:
            return [self.low]
        return self._log_ticks(about) if self.log else self._linear_ticks(about)

    def _linear_ticks(self, about: int) -> list[float]:
        raw = (self.high - self.low) / max(1, about)
        power = 10 ** math.floor(math.log10(raw))
        step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 12) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _log_ticks(self, about: int) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for leading in ((1,), (1, 3), (1, 2, 5)):
            found = [m * 10.0**p for p in powers for m in leading]
            found = [tick for tick in found if self.low * 0.999 <= tick <= self.high * 1.001]
            if len(found) >= 2:
                return found[:: max(1, len(found) // (about + 1))]
        return [self.low, self.high]


def padded(values: Iterable[float], share: float = 0.06) -> tuple[float, float]:
    """The ends of an axis that holds the values with some room around them."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    room = (high - low) * share or abs(high) * 0.05 or 0.5
    return low - room, high + room


class Drawing:
    """A picture of a fixed size in its own pixels, which the page scales.

    Args:
        width: Pixels.
        height: Pixels.
        label: A description for those who do not see it.
    """

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width, self.height = width, height
        self._label = label
        self._role = "img"
        self._parts: list[str] = []

    def line(
        self,
        points: Sequence[tuple[float, float]],
        style: str,
        tip: str = "",
        *,
        steps: bool = False,
        stations: Sequence[float | None] = (),
    ) -> None:
        """A line through points.

        Args:
            points: The points.
            style: Classes.
            tip: What is told about it.
            steps: Keep a value until the next point, as stairs do.
            stations: Where it meets each of the axes that have a `brush`, along the axis; None: it passes by.
        """
        at = " ".join("-" if one is None else f"{one:.1f}" for one in stations)
        (x, y), *rest = points
        path = f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}" for x, y in rest)
        told = _tip(tip) + (f' data-at="{at}"' if at else "")
        self._parts.append(f'<path class="l {style}" d="{path}"{told}/>')

    def brush(self, x: float, y: float, width: float, height: float, axis: str) -> None:
        """The room around an axis, on which the page's script lets people select a range of values."""
        self._role = "group"
        self._parts.append(
            f'<rect class="brush" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4"'
            f' data-axis="{escape(axis)}"/>'
        )

    def rule(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """A straight line."""
        self._parts.append(f'<path class="l {style}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')

    def area(self, points: Sequence[tuple[float, float]], style: str, tip: str = "") -> None:
        """A filled outline."""
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path class="{style}" d="M{path}Z"{_tip(tip)}/>')

    def dot(self, x: float, y: float, radius: float, style: str, tip: str = "") -> None:
        """A disc."""
        self._parts.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"{_tip(tip)}/>')

    def cross(self, x: float, y: float, radius: float, style: str, tip: str = "") -> None:
        """A cross."""
        r = radius
        path = f"M{x - r:.1f} {y - r:.1f}l{2 * r:g} {2 * r:g}m0 {-2 * r:g}l{-2 * r:g} {2 * r:g}"
        self._parts.append(f'<path class="l {style}" d="{path}"{_tip(tip)}/>')

    def bar(self, x: float, y: float, width: float, height: float, style: str, tip: str = "", fill: float = 1) -> None:
        """A rectangle; `fill` below 1 lets the background through."""
        faint = f' fill-opacity="{fill:.2f}"' if fill < 1 else ""
        self._parts.append(
            f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{max(0, height):.1f}"'
            f"{faint}{_tip(tip)}/>"
        )

    def text(self, x: float, y: float, text: str, style: str = "", anchor: str = "start", room: float = 0) -> None:
        """A line of text; one longer than `room` pixels is cut."""
        if room and len(text) * _LETTER > room:
            text = text[: max(1, int(room / _LETTER) - 1)] + "…"
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        style = f' class="{style}"' if style else ""
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{placed}{style}>{escape(text)}</text>')

    def axes(
        self, x: Scale, y: Scale, x_label: str, y_label: str, x_ticks: Sequence[float] = (), about: int = 5
    ) -> None:
        """A grid with numbers and the names of both axes; `y.start` is the bottom."""
        self.levels(x, y, about)
        self.rule(x.start, y.start, x.end, y.start, "axis")
        for tick in x_ticks or x.ticks(about):
            self.rule(x(tick), y.start, x(tick), y.start + 4, "axis")
            self.text(x(tick), y.start + 17, number(tick), anchor="middle")
        self.names(x, y, x_label, y_label)

    def levels(self, x: Scale, y: Scale, about: int = 5) -> None:
        """The lines of a grid across, each with its number."""
        for tick in y.ticks(about):
            self.rule(x.start, y(tick), x.end, y(tick), "grid")
            self.text(x.start - 6, y(tick) + 4, number(tick), anchor="end")

    def names(self, x: Scale, y: Scale, x_label: str, y_label: str) -> None:
        """The names of both axes."""
        self.text((x.start + x.end) / 2, y.start + 33, x_label, "name", "middle")
        self.text(max(4, x.start - 40), y.end - 9, y_label, "name")

    def svg(self) -> Markup:
        """The picture."""
        return Markup(
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="{self._role}" aria-label="{escape(self._label)}">'
            + "".join(self._parts)
            + "</svg>"
        )


def _tip(tip: str) -> str:
    return f' data-tip="{escape(tip)}"' if tip else ""
