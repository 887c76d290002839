"""Tables for a terminal: what gives way where there is little room."""

import pytest
from rich.console import Console

from search.reporting.comparison.text_columns import Cell, Column, screen_table, text_column

SCORES = [f"0.{i}25" for i in range(3)]
COLUMNS = [
    text_column("run", ["a_run_of_a_long_name", "another_run", "third"]),
    Column("score", [Cell(score) for score in SCORES]),
    Column("average precision", [Cell(score, f"{score} to 0.999") for score in SCORES]),
    text_column("configuration", ["layers=1, dropout=0.25, learning_rate=0.00123", "layers=2", ""]),
]


def printed(width):
    console = Console(width=width, no_color=True, force_terminal=False)
    with console.capture() as captured:
        console.print(screen_table(COLUMNS, width))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [58, 70, 80, 120, 200])
def test_numbers_stay_whole_and_words_give_way(width):
    lines = printed(width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    for score in SCORES:
        assert words.count(score) == 3
    letters = "".join("".join(lines).split())
    assert all(letter in letters for letter in ("layers=2", "dropout", "third"))


def test_with_room_to_spare_nothing_is_broken():
    lines = printed(200)
    assert sum("layers=1, dropout=0.25, learning_rate=0.00123" in line for line in lines) == 1
    assert sum("a_run_of_a_long_name" in line for line in lines) == 1


def test_names_are_broken_before_words():
    columns = [
        text_column("run", ["a_run_of_a_long_name/2026-01-31"]),
        Column("verdict", [Cell("not distinguishable")], is_text=True, breaks=True),
    ]
    console = Console(width=28, no_color=True, force_terminal=False)
    with console.capture() as captured:
        console.print(screen_table(columns, 28))
    words = captured.get().split()
    assert "distinguishable" in words
    assert "a_run_of_a_long_name/2026-01-31" not in words
