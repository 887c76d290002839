"""The text cleaning of BERT's tokenizer, character by character, as the `tokenizers` library does it.

Its rules are those of Unicode 8, so characters that Unicode classified later have no class there: they stay as they
are, where Python would take them for accents, for marks of direction or for punctuation.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

CODE_POINTS = 0x110000
AS_IT_IS, DROPPED = 0, 1
"""The first places among the replacements of `bert_table`: the character itself, and nothing."""
_BLOCK = 256
# Syllables, which are made of letters by rule.
_HANGUL = (0xAC00, 0xD7A3)
# Accents and marks of direction that are kept, and punctuation that separates nothing, since they are too young.
_YOUNG_MARKS = """
    7FD 890-891 898-89F 8CA-8E2 9FE AFA-AFF B55 C04 C3C D00 D3B-D3C D81 EBA 180F 1885-1886 1ABF-1ACE 1DF6-1DFB A82C
    A8C5 A8FF A9BD 10D24-10D27 10EAB-10EAC 10EFD-10EFF 10F46-10F50 10F82-10F85 11070 11073-11074 110C2 110CD 111C9
    111CF 1123E 11241 1133B 11438-1143F 11442-11444 11446 1145E 1182F-11837 11839-1183A 1193B-1193C 1193E 11943
    119D4-119D7 119DA-119DB 119E0 11A01-11A0A 11A33-11A38 11A3B-11A3E 11A47 11A51-11A56 11A59-11A5B 11A8A-11A96
    11A98-11A99 11C30-11C36 11C38-11C3D 11C3F 11C92-11CA7 11CAA-11CB0 11CB2-11CB3 11CB5-11CB6 11D31-11D36 11D3A
    11D3C-11D3D 11D3F-11D45 11D47 11D90-11D91 11D95 11D97 11EF3-11EF4 11F00-11F01 11F36-11F3A 11F40 11F42 13430-13440
    13447-13455 16F4F 16FE4 1CF00-1CF2D 1CF30-1CF46 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024 1E026-1E02A 1E08F
    1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E944-1E94A
"""
_YOUNG_PUNCTUATION = """
    61D 9FD A76 C77 C84 1B7D-1B7E 2E43-2E4F 2E52-2E5D 10EAD 10F55-10F59 10F86-10F89 1144B-1144F 1145A-1145B 1145D
    11660-1166C 116B9 1183B 11944-11946 119E2 11A3F-11A46 11A9A-11A9C 11A9E-11AA2 11B00-11B09 11C41-11C45 11C70-11C71
    11EF7-11EF8 11F43-11F4F 11FFF 12FF1-12FF2 16E97-16E9A 16FE2 1E95E-1E95F
"""
# They were marks of punctuation, and are not any more.
_OLD_PUNCTUATION = "166D 111C9"
# The library begins the last but two 256 characters late.
_CHINESE = "4E00-9FFF 3400-4DBF 20000-2A6DF 2A700-2B73F 2B740-2B81F 2B920-2CEAF F900-FAFF 2F800-2FA1F"


WHITE_SPACE = r"\t\n\x{0B}\f\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
"""Unicode's white space, as characters in the square brackets of an expression."""
LETTER, NUMBER, SPACE, OTHER = range(4)
r"""Classes of characters: \p{L}, \p{N}, \s and all others."""
# Letters and numbers that are younger than those of Python.
_NEW_LETTERS = """
    1C89-1C8A A7CB-A7CD A7DA-A7DC 105C0-105F3 10D4A-10D65 10D6F-10D85 10EC2-10EC4 1123F-11240 11380-11389 1138B 1138E
    11390-113B5 113B7 113D1 113D3 11BC0-11BE0 11F02 11F04-11F10 11F12-11F33 1342F 13441-13446 13460-143FA 16100-1611D
    16D40-16D6C 18CFF 1B132 1B155 1DF25-1DF2A 1E030-1E06D 1E4D0-1E4EB 1E5D0-1E5ED 1E5F0 2B739 2EBF0-2EE5D 31350-323AF
"""
_NEW_NUMBERS = """
    10D40-10D49 116D0-116E3 11BF0-11BF9 11F50-11F59 16130-16139 16D70-16D79 1CCF0-1CCF9 1D2C0-1D2D3 1E4F0-1E4F9
    1E5F1-1E5FA
"""


@dataclass(frozen=True, eq=False)
class CharacterTable:
    """A number for each character.

    Attributes:
        blocks: Rows of 256 numbers, int32 [blocks, 256].
        block_of: Which row holds the numbers of characters 256 i to 256 i + 255, int32 [4352].
    """

    blocks: NDArray[np.int32]
    block_of: NDArray[np.int32]

    @classmethod
    def of(cls, numbers: Iterable[int]) -> CharacterTable:
        """Makes the table of the numbers of all characters, in order."""
        return cls._in_blocks(np.fromiter(numbers, np.int32, CODE_POINTS))

    @classmethod
    def with_entries(cls, entries: Mapping[int, int]) -> CharacterTable:
        """Makes the table of the numbers of some characters; all others have 0."""
        numbers = np.zeros(CODE_POINTS, np.int32)
        numbers[list(entries)] = list(entries.values())
        return cls._in_blocks(numbers)

    @classmethod
    def _in_blocks(cls, entries: NDArray[np.int32]) -> CharacterTable:
        blocks, block_of = np.unique(entries.reshape(-1, _BLOCK), axis=0, return_inverse=True)
        return cls(blocks, block_of.reshape(-1).astype(np.int32))

    def of_codes(self, codes: tf.Tensor) -> tf.Tensor:
        """Looks up the numbers of characters, int32 [characters]."""
        row = tf.gather(self.block_of, codes // _BLOCK)
        return tf.gather(self.blocks.reshape(-1), row * _BLOCK + codes % _BLOCK)


def class_table(marks: Sequence[int], mark: int) -> CharacterTable:
    """Makes the table of the classes of characters; `marks` have the class `mark`."""
    special = dict.fromkeys(marks, mark)
    special |= dict.fromkeys(ranges(_NEW_LETTERS), LETTER) | dict.fromkeys(ranges(_NEW_NUMBERS), NUMBER)
    return CharacterTable.of(special.get(code, _class(chr(code))) for code in range(CODE_POINTS))


def _class(character: str) -> int:
    if character.isspace() and character not in "\x1c\x1d\x1e\x1f":
        return SPACE
    return {"L": LETTER, "N": NUMBER}.get(unicodedata.category(character)[0], OTHER)


@cache
def bert_table(
    lowercase: bool, strip_accents: bool, chinese: bool, marks: tuple[str, ...]
) -> tuple[CharacterTable, tuple[str, ...]]:
    """Says by what BertNormalizer and BertPreTokenizer replace each character, before they cut at spaces.

    Args:
        lowercase: Whether capitals become small.
        strip_accents: Whether accents leave.
        chinese: Whether each Chinese character is a word.
        marks: Characters that stand for special tokens, each a word of its own.

    Returns:
        For each character the place of its replacement, and the replacements; `AS_IT_IS` and `DROPPED` lead the latter.
    """
    rules = _Rules(lowercase, strip_accents, chinese, frozenset(marks))
    places: dict[str | None, int] = {None: AS_IT_IS, "": DROPPED}
    table = CharacterTable.of(
        places.setdefault(rules.replacement(chr(code)), len(places)) for code in range(CODE_POINTS)
    )
    return table, tuple(text or "" for text in places)


class _Rules:
    def __init__(self, lowercase: bool, strip_accents: bool, chinese: bool, marks: frozenset[str]) -> None:
        self._lowercase, self._strip_accents, self._marks = lowercase, strip_accents, marks
        self._young_marks = frozenset(ranges(_YOUNG_MARKS))
        self._no_punctuation = frozenset(ranges(_YOUNG_PUNCTUATION))
        self._punctuation = frozenset((*ranges(_OLD_PUNCTUATION), *map(ord, string.punctuation)))
        self._chinese = frozenset(ranges(_CHINESE)) if chinese else frozenset()

    def replacement(self, character: str) -> str | None:
        """By what a character is replaced; None: it stays."""
        if character in self._marks:
            return f" {character} "
        code, category = ord(character), unicodedata.category(character)
        if category == "Cn" or (category == "Lo" and not self._is_changed(code, character)):
            return f" {character} " if code in self._chinese else None
        if character in "\t\n\r":
            return " "
        if character in "\0\ufffd" or category == "Cs" or (category in ("Cc", "Cf", "Co") and not self._is_young(code)):
            return ""
        if character.isspace():
            return " "
        changed = character
        if self._strip_accents and code != 0x11938:  # its two parts are younger than the rules
            parts = unicodedata.normalize("NFD", character)
            changed = "".join(part for part in parts if not self._is_accent(part))
        if self._lowercase:
            changed = "".join(part.lower() for part in changed)
        changed = "".join(f" {part} " if self._is_punctuation(part) else part for part in changed)
        if code in self._chinese:
            changed = f" {changed} "
        return None if changed == character else changed

    def _is_changed(self, code: int, character: str) -> bool:
        """Whether a letter without case is made of others; nearly all characters that there are have nothing else."""
        return unicodedata.decomposition(character) != "" or _HANGUL[0] <= code <= _HANGUL[1]

    def _is_young(self, code: int) -> bool:
        return code in self._young_marks

    def _is_accent(self, character: str) -> bool:
        # U+1734 was an accent when the rules were made.
        return character == "\u1734" or (unicodedata.category(character) == "Mn" and not self._is_young(ord(character)))

    def _is_punctuation(self, character: str) -> bool:
        code = ord(character)
        if code in self._punctuation:
            return True
        return unicodedata.category(character).startswith("P") and code not in self._no_punctuation


def ranges(written: str) -> Iterator[int]:
    """Gives the code points written as '7FD 890-891'."""
    for part in written.split():
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)
