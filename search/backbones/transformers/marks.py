"""Characters that join others, as the `tokenizers` library has them: each of its tables is of another Unicode."""

from __future__ import annotations

import unicodedata
from functools import cache

from search.backbones.transformers.characters import CODE_POINTS, ranges

# Beside marks: what joins the character before it.
_ALSO_JOINING = """
    897 CF3 E33 EB3 ECE 1ACF-1ADD 1AE0-1AEB 200C-200D FF9E-FF9F 10D69-10D6D 10EFA-10EFF 11241 113B8-113C0 113C2 113C5
    113C7-113CA 113CC-113D0 113D2 113E1-113E2 11B60-11B67 11F00-11F01 11F03 11F34-11F3A 11F3E-11F42 11F5A 13440
    13447-13455 1611E-1612F 1E08F 1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5 1F3FB-1F3FF E0020-E007F
"""
_NOT_JOINING = """
    102B-102C 1038 1062-1064 1067-106D 1083 1087-108C 108F 109A-109C 1A61 1A63-1A64 AA7B AA7D 11720-11721
"""
_LEADING = "600-605 6DD 70F 890-891 8E2 D4E"
# What nothing joins, beside controls, formats and separators.
_ALSO_CONTROL = "2065 FFF0-FFF8"
# Marks that were none when the table of those that leave was made.
_YOUNG_ACCENTS = """
    7FD 897-89F 8CA-8D3 9FE AFA-AFF B55 C04 C3C CF3 D00 D3B-D3C D81 EBA ECE 1715 180F 1ABF-1ADD 1AE0-1AEB 1CF7 1DF6-1DFA
    A82C A8FF 10D24-10D27 10D69-10D6D 10EAB-10EAC 10EFA-10EFF 10F46-10F50 10F82-10F85 11070 11073-11074 110C2
    11145-11146 111C9 111CE-111CF 11241 1133B 113B8-113E2 1145E 1182C-1183A 11930-11935 11937-11938 1193B-1193E 11940
    11942-11943 119D1-119D7 119DA-119E0 119E4 11A01-11A0A 11A33-11A39 11A3B-11A3E 11A47 11A51-11A5B 11A8A-11A99
    11B60-11B67
    11D31-11D36 11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D8A-11D8E 11D90-11D91 11D93-11D97 11EF3-11EF6 11F00-11F5A
    13440-13455 1611E-1612F 16F4F 16F7F-16F87 16FE4 16FF0-16FF1 1CF00-1CF2D 1CF30-1CF46 1E08F 1E130-1E136 1E2AE
    1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1E6E3-1E6F5
"""
# What was not made of others then.
_UNDECOMPOSED = "32FF A7F2-A7F4 AB69 10781-107BA 11938 1F16C 1FBF0-1FBF9"
_MARKS = frozenset(("Mn", "Mc", "Me"))
_CONTROLS = frozenset(("Cc", "Cf", "Zl", "Zp"))


@cache
def joining_characters() -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
    """Characters that join the one before them, those that none joins, and those that join the one behind them."""
    categories = {code: unicodedata.category(chr(code)) for code in (*range(0x30000), *range(0xE0000, 0xE1000))}
    joining = {code for code, one in categories.items() if one in _MARKS and code < CODE_POINTS}
    joining = (joining | {*ranges(_ALSO_JOINING)}) - {*ranges(_NOT_JOINING)}
    leading = frozenset(ranges(_LEADING))
    control = {code for code, one in categories.items() if one in _CONTROLS} | {*ranges(_ALSO_CONTROL)}
    return frozenset(joining), frozenset(control - leading - joining), leading


@cache
def young_accents() -> frozenset[int]:
    """Marks that stay where accents leave."""
    return frozenset(ranges(_YOUNG_ACCENTS))


@cache
def undecomposed() -> frozenset[int]:
    """Characters that stay as they are where others are written as what they are made of."""
    return frozenset(ranges(_UNDECOMPOSED))
