"""The best trial's confusion matrices and precision-recall curves say what its probabilities say."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from search.datasets import Examples
from search.evaluation import best_threshold
from search.reporting.results import ScoredRows
from search.reporting.tensorboard import ScoredEpochs, write_best
from search.reporting.tensorboard.epoch_counts import STEPS, EpochCounts, curve_classes, matrix_classes
from search.reporting.tensorboard.picture import matrix_picture
from search.training.scores import Metrics, Scored
from search.tuning.record import TrialRecord


def scored(rows, classes, seed=0, skill=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    odds = np.exp(rng.normal(size=(rows, classes)) + skill * np.eye(classes)[labels])
    return labels, odds / odds.sum(axis=1, keepdims=True)


def rows(labels, probabilities, classes=("no", "yes")):
    texts = np.array(["a text"] * len(labels), dtype=object)
    return ScoredRows(Examples(texts, labels, np.arange(len(labels))), classes, probabilities, None)


def metrics(labels, probabilities):
    return Metrics({"val_f1": 0.5}, Scored(labels, probabilities))


def series(folder, tag):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return {event.step: tf.make_ndarray(event.tensor_proto) for event in events.Tensors(tag)}


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 25), st.integers(2, 80), st.integers(0, 99))
def test_the_points_of_a_curve_are_those_of_scikit_learn(classes, rows, seed):
    labels, probabilities = scored(rows, classes, seed)
    counts = EpochCounts.of(labels, probabilities)
    shown = curve_classes(labels, classes)
    assert len(shown) == len(counts.scores) <= 10
    for position, one in enumerate(shown[:3]):
        hits, wrong, spared, missed, precision, recall = counts.curve(position)
        assert (hits + wrong + spared + missed == rows).all()
        for step in (0, 13, 50, STEPS):
            positive = probabilities[:, one] >= step / STEPS
            truth = labels == one
            assert precision[step] == pytest.approx(precision_score(truth, positive, zero_division=0))
            assert recall[step] == pytest.approx(recall_score(truth, positive, zero_division=0))


def test_certain_answers_are_counted_too():
    counts = EpochCounts.of(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert counts.decided()[0].tolist() == [[1, 0], [0, 1]]


def test_two_classes_are_told_apart_where_f1_is_highest():
    labels, probabilities = scored(5000, 2)
    matrix, threshold = EpochCounts.of(labels, probabilities).decided()
    expected = confusion_matrix(labels, probabilities[:, 1] >= threshold)
    assert matrix.tolist() == expected.tolist()
    exact = confusion_matrix(labels, probabilities[:, 1] >= best_threshold(labels, probabilities))

    def f1(one):
        return 2 * one[1, 1] / (2 * one[1, 1] + one[0, 1] + one[1, 0])

    assert f1(exact) - 0.01 < f1(matrix) <= f1(exact)


def test_rare_classes_share_a_row_of_the_matrix():
    labels, probabilities = scored(3000, 40)
    groups = matrix_classes(labels, 40)
    matrix, threshold = EpochCounts.of(labels, probabilities).decided()
    assert threshold is None
    assert matrix.shape == (20, 20)
    assert matrix.sum() == 3000
    frequent = set(np.argsort(-np.bincount(labels), kind="stable")[:19])
    assert {one for one in range(40) if groups[one] < 19} == frequent


@pytest.fixture(params=[("no", "yes"), ("bad", "dull/so", "good")])
def written(request, tmp_path):
    """A trial of two epochs, promoted and trained for two more, beside one that was worse."""
    classes = request.param
    splits = [scored(60, len(classes), epoch, skill=epoch / 2) for epoch in range(5)]
    labels = splits[0][0]
    records = {
        "0000": TrialRecord("0000", {}, epochs=2),
        "0001": TrialRecord("0001", {}, epochs=2),
        "0002": TrialRecord("0002", {}, parent="0000", initial_epoch=2, best_epoch=3, epochs=4),
    }
    observer = ScoredEpochs(tmp_path / "trials")
    for trial_id, epochs in (("0000", (1, 2)), ("0001", (1, 2)), ("0002", (3, 4))):
        for epoch in epochs:
            observer.on_epoch_end(records[trial_id], epoch, metrics(labels, splits[epoch][1]))
    # Killed in the middle of a word, and gone on with: an epoch is told twice.
    with (tmp_path / "trials" / "trial_0002" / "scored_epochs.jsonl").open("a") as file:
        file.write('{"epoch": 4, "sc\n')
    observer.on_epoch_end(records["0002"], 4, metrics(labels, splits[4][1]))
    folder = tmp_path / "best"
    for _ in range(2):  # the search was given more and ended again
        epochs = ScoredEpochs(tmp_path / "trials")
        write_best(folder, records["0002"], records, epochs, rows(labels, splits[3][1], classes), print)
    return folder, labels, splits, classes


def test_every_epoch_of_the_best_trial_has_its_curve(written):
    folder, labels, splits, classes = written
    for position, one in enumerate([1] if len(classes) == 2 else range(3)):
        curves = series(folder, f"precision_recall/{classes[one]}/pr_curves")
        assert list(curves) == [1, 2, 3, 4]
        for epoch, points in curves.items():
            expected = EpochCounts.of(labels, splits[epoch][1]).curve(position)
            np.testing.assert_allclose(points, expected, rtol=1e-6)


def test_every_epoch_of_the_best_trial_has_its_picture(written):
    pictures = series(written[0], "confusion_matrix")
    assert list(pictures) == [1, 2, 3, 4]
    for width, height, png in pictures.values():
        assert Image.open(io.BytesIO(png)).size == (int(width), int(height))
        assert len(png) < 20_000


def test_counts_of_other_trials_do_not_stay(written):
    left = {path.parent.name for path in written[0].parent.glob("trials/*/scored_epochs.jsonl")}
    assert left == {"trial_0000", "trial_0002"}


def test_the_best_epoch_is_there_where_no_epoch_was_counted(tmp_path):
    labels, probabilities = scored(30, 2)
    record = TrialRecord("0000", {}, best_epoch=5, epochs=6)
    observer = ScoredEpochs(tmp_path / "trials")
    observer.on_epoch_end(record, 5, {"val_f1": 0.5})
    write_best(tmp_path / "best", record, {"0000": record}, observer, rows(labels, probabilities), print)
    assert list(series(tmp_path / "best", "confusion_matrix")) == [5]


def test_what_cannot_be_drawn_does_not_end_the_run(tmp_path, caplog):
    record = TrialRecord("0000", {}, best_epoch=1, epochs=1)
    broken = np.full((3, 2), np.nan)
    with pytest.warns(RuntimeWarning):
        observer = ScoredEpochs(tmp_path / "trials")
        scored_rows = rows(np.array([0, 1, 1]), broken)
        write_best(tmp_path / "best", record, {"0000": record}, observer, scored_rows, print)
    assert "left out of TensorBoard" in caplog.text


def test_the_darkest_cell_is_the_largest_part_of_its_row():
    names = ["a", "\u0436", "a class with a very long name"]
    picture = matrix_picture("title", names, np.array([[9, 1, 0], [0, 5, 5], [0, 0, 0]]))
    image = np.asarray(Image.open(io.BytesIO(picture.png)).convert("L"), float)
    assert image.shape == (picture.height, picture.width)
    # The cells are the last three of 64 pixels in either direction, before the margin.
    corner = (picture.height - 3 * 64 - 12, picture.width - 3 * 64 - 12)
    cells = image[corner[0] : -12, corner[1] : -12].reshape(3, 64, 3, 64).transpose(0, 2, 1, 3)
    shades = np.median(cells.reshape(3, 3, -1), axis=2)
    assert shades[0, 0] < shades[1, 1] == shades[1, 2] < shades[0, 1] < shades[0, 2] == shades[2, 2]
