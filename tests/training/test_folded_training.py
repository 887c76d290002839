"""The models of all folds side by side: means, out-of-fold probabilities, one state."""

import numpy as np
import pytest

from search.evaluation.metric_list import Target
from search.training.folded_training import FoldedTraining, pack, unpack
from search.training.scores import Metrics, split_metrics


class Counting:
    """A training whose weight is the sum of the numbers of its epochs, told with what it gives for two rows."""

    parameters = 7

    def __init__(self, step, head=False):
        self.head_epochs = None
        self.step, self.weight, self.ran = step, np.zeros(1), []
        self.head, self.head_trained = head, False

    def weights(self):
        return [self.weight.copy()]

    def state(self):
        return [self.weight.copy(), *[np.array(len(self.ran))] * self.step]

    def set_state(self, state):
        assert len(state) == 1 + self.step
        self.weight[:] = state[0]

    def run(self, epochs, on_epoch_end):
        if self.head and not self.head_trained:
            self.head_trained, self.head_epochs = True, 2 * self.step
            self._tell(0, on_epoch_end)
        for epoch in epochs:
            self.weight += self.step
            self._tell(epoch + 1, on_epoch_end)

    def _tell(self, epoch, on_epoch_end):
        self.ran.append(epoch)
        second = np.array([0.1, 0.1 + 0.1 * self.step])
        metrics = split_metrics("val_", np.array([0, 1]), np.stack([1 - second, second], axis=1), Target(2))
        on_epoch_end(epoch, Metrics({**metrics, "loss": float(self.weight[0])}, metrics.scored))


def folded(head=False):
    trainings = [Counting(1, head), Counting(2, head), Counting(3, head)]
    return FoldedTraining(trainings, [np.array([0, 3]), np.array([1, 5]), np.array([2, 4])]), trainings


def test_an_epoch_is_told_once_with_the_means_over_the_folds():
    training, _ = folded()
    told = []
    training.run(range(2), lambda epoch, metrics: told.append((epoch, metrics)) or False)
    assert [epoch for epoch, _ in told] == [1, 2]
    assert [metrics["loss"] for _, metrics in told] == [2, 4]
    for _, metrics in told:
        assert metrics["val_log_loss"] == pytest.approx(np.mean([one["val_log_loss"] for one in metrics.folds]))
        assert len(metrics.folds) == 3


def test_each_rows_probabilities_are_those_of_the_fold_that_held_it_out():
    training, _ = folded()
    told = []
    training.run(range(1), lambda epoch, metrics: told.append(metrics) or False)
    scored = told[0].scored
    assert scored.labels.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(scored.probabilities[:, 1], [0.1, 0.1, 0.1, 0.2, 0.4, 0.3])


def test_heads_that_are_trained_first_are_told_together_before_any_module_moves():
    training, _ = folded(head=True)
    assert training.head_epochs is None
    told = []
    training.run(range(2), lambda epoch, metrics: told.append((epoch, training.weights()[1:])) or False)
    assert [epoch for epoch, _ in told] == [0, 1, 2]
    assert np.concatenate(told[0][1]).tolist() == [0, 0, 0]
    # One number to refit with: the mean of 2, 4 and 6.
    assert training.head_epochs == 4


def test_all_folds_stop_where_training_is_to_stop():
    training, trainings = folded()
    training.run(range(9), lambda epoch, metrics: epoch == 2)
    assert [one.ran for one in trainings] == [[1, 2]] * 3


def test_a_state_goes_to_the_folds_it_came_from():
    training, _ = folded()
    training.run(range(3), lambda *_: False)
    other, trainings = folded()
    other.set_state(training.state())
    assert [one.weight[0] for one in trainings] == [3, 6, 9]
    assert other.parameters == 7


def test_a_state_of_another_number_of_folds_is_refused():
    training, _ = folded()
    with pytest.raises(ValueError, match="2 folds"):
        training.set_state(pack([[np.zeros(1)], [np.zeros(2)]]))
    with pytest.raises(ValueError, match="lengths"):
        training.set_state([np.zeros(3), np.zeros(2)])


def test_lists_of_arrays_come_back_as_they_went_in():
    parts = [[np.arange(3), np.zeros((2, 2))], [], [np.ones(1)]]
    back = unpack(pack(parts))
    assert [[array.tolist() for array in part] for part in back] == [[one.tolist() for one in part] for part in parts]
