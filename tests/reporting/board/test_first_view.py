"""However large a search was, no more runs are listed than TensorBoard draws by itself."""

import pytest

from search.reporting.board.first_view import MOST, first_view, room
from search.reporting.board.ranking import read_ranking, write_ranking


def search(folder, configurations, best_first=reversed):
    """TensorBoard's runs of a search: "." and one a configuration, the best, and the refit."""
    names = [f"{number:04}" for number in range(configurations)]
    folder.mkdir(parents=True)
    write_ranking(folder, list(best_first(names)))
    return [".", *names, "best", "refit"]


@pytest.mark.parametrize("configurations", [1, 17, 37])
def test_a_search_that_fits_is_listed_whole(tmp_path, configurations):
    names = search(tmp_path / "run", configurations)
    assert first_view({"": tmp_path / "run"}, names) == names


@pytest.mark.parametrize("configurations", [38, 50, 300])
def test_of_a_large_search_the_best_configurations_are_listed(tmp_path, configurations):
    names = search(tmp_path / "run", configurations)
    drawn = first_view({"": tmp_path / "run"}, names)
    assert len(drawn) == MOST
    assert drawn == [".", *names[1:-2][-room(1) :], "best", "refit"]


def test_several_searches_share_the_room(tmp_path):
    folders = {f"quora/{number}": tmp_path / str(number) for number in range(3)}
    names = [
        prefix if name == "." else f"{prefix}/{name}"
        for prefix, folder in folders.items()
        for name in search(folder, 30)
    ]
    drawn = first_view(folders, names)
    assert len(drawn) == MOST
    for prefix in folders:
        ours = [name for name in drawn if name.split("/")[:2] == prefix.split("/")]
        assert {prefix, f"{prefix}/best", f"{prefix}/refit", f"{prefix}/0029", f"{prefix}/0020"} <= set(ours)
        assert 13 <= len(ours) <= 14


def test_of_very_many_searches_the_refits_are_listed(tmp_path):
    folders = {str(number): tmp_path / str(number) for number in range(60)}
    names = [f"{prefix}/{name}" for prefix, folder in folders.items() for name in search(folder, 2) if name != "."]
    assert first_view(folders, names) == [f"{number}/refit" for number in range(MOST)]


def test_a_search_without_a_ranking_is_listed_in_order(tmp_path):
    """Earlier versions wrote none."""
    names = [".", *(f"{number:04}/train" for number in range(60)), "best", "refit/train"]
    assert first_view({"": tmp_path}, names) == [*names[:39], "best"]


def test_a_damaged_ranking_is_none(tmp_path):
    write_ranking(tmp_path, ["0001", "0000"])
    assert read_ranking(tmp_path) == ["0001", "0000"]
    for content in ('{"configurations": [', "[]", "{}", "null"):
        (tmp_path / "ranking.json").write_text(content)
        assert read_ranking(tmp_path) == []
