"""A fast check of all quotes of a CSV with NumPy; only where one is out of place a slower check follows."""

from __future__ import annotations

import numpy as np

_QUOTE = ord('"')
_MARK = b"\xef\xbb\xbf"


class Quotes:
    """Checks the quotes of a CSV, in UTF-8, while it is read.

    A quote is in place where it opens a field, closes one, or is one of a pair within one.

    Args:
        separator: The separator of fields.

    Attributes:
        found: Whether there is a quote at all.
        in_place: Whether all are in place. If not, one may be a letter in a field that is not quoted, or there may be
            text behind a closing quote.
    """

    def __init__(self, separator: str) -> None:
        self.found = False
        self.in_place = True
        self._beside = np.zeros(256, dtype=bool)  # bytes that a field may begin behind, or end before
        self._beside[list(f'{separator}\r\n"'.encode())] = True
        self._begun = False
        self._last = ord("\n")
        self._inside = False
        self._closed = False  # the last byte was a closing quote, and what follows is not known yet

    def see(self, piece: bytes) -> None:
        """Checks the next bytes."""
        if not self._begun:
            piece = piece.removeprefix(_MARK)
        if not piece or not self.in_place:
            return
        self._begun = True
        codes = np.frombuffer(piece, dtype=np.uint8)
        if self._closed and not self._beside[codes[0]]:
            self.in_place = False
        self._closed = False
        at = np.flatnonzero(codes == _QUOTE)
        if len(at):
            self.found = True
            before = self._beside[np.concatenate(([self._last], codes))[at]]
            behind = self._beside[np.concatenate((codes[1:], [_QUOTE]))[at]]
            opening = (np.arange(len(at)) % 2 == 0) != self._inside
            self.in_place &= bool(np.where(opening, before, behind).all())
            self._inside ^= bool(len(at) % 2)
            self._closed = bool(at[-1] == len(piece) - 1 and not opening[-1])
        self._last = int(codes[-1])
