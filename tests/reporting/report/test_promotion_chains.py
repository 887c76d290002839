import numpy as np
import pandas as pd
import pytest

from search.reporting.report.promotion_chains import brackets, configurations, incumbent, roots


def trials(*rows):
    columns = ["trial_id", "parent", "status", "score", "epochs", "best_epoch", "bracket", "round"]
    return pd.DataFrame(rows, columns=columns)


TRIALS = trials(
    ("0", None, "COMPLETED", 0.5, 1, 1, 1, 0),
    ("1", None, "COMPLETED", 0.4, 1, 1, 1, 0),
    ("2", None, "FAILED", np.nan, 0, np.nan, 1, 0),
    ("3", "0", "COMPLETED", 0.7, 3, 2, 1, 1),
    ("4", None, "COMPLETED", 0.6, 3, 3, 0, 0),
)


def test_a_promoted_trial_belongs_to_the_one_it_began_with():
    assert roots(TRIALS) == {"0": "0", "1": "1", "2": "2", "3": "0", "4": "4"}


def test_a_configuration_counts_once_with_its_furthest_trial():
    assert configurations(TRIALS)["trial_id"].tolist() == ["1", "3", "4"]


def test_the_incumbent_pays_for_each_epoch_once():
    found = incumbent(TRIALS, higher_is_better=True)
    # 1 + 1 + 0 epochs, then the promoted trial's second epoch is the third in all; it ends at 4, the last at 7.
    assert found.epochs.tolist() == [1, 3] and found.score.tolist() == [0.5, 0.7] and found.trial == ["0", "3"]
    assert found.total == 7


def test_lower_may_be_better():
    assert incumbent(TRIALS, higher_is_better=False).score.tolist() == [0.5, 0.4]


def test_brackets_know_their_rounds_and_who_went_on():
    first, last = brackets(TRIALS)
    assert (first.name, first.epochs) == (1, [1, 3]) and (last.name, last.epochs) == (0, [3])
    assert first.trials["promoted"].tolist() == [True, False, False, False]


@pytest.mark.parametrize("column", ["bracket", "round"])
def test_random_search_has_none(column):
    assert brackets(TRIALS.assign(bracket=np.nan, round=np.nan)) == []
    assert not configurations(TRIALS.assign(**{column: np.nan})).empty
