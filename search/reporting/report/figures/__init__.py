"""The pictures of the report. Each gives SVG; a wide one comes in the widths of a laptop and of a phone."""

from __future__ import annotations

WIDTHS = (1000, 360)
SMALL = 380
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 26, 42
