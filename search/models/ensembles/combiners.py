"""Combiners of the probabilities of several classifiers, computed alike when measured and when served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Combiner = Callable[[tf.Tensor], tf.Tensor]
"""Maps probabilities of members, float64 [members, n, classes], to one, float64 [n, classes]."""

# A member that is sure beyond this says no more to the logistic regression above it.
_LEAST = 1e-6
# What a class that was not seen in fitting has in place of a bias: probability 0.
_NEVER = -1e4


def combined(combiner: Combiner, members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Applies a combiner to arrays: [members, n, classes] to [n, classes]."""
    probabilities: NDArray[np.float64] = combiner(tf.constant(members, tf.float64)).numpy()
    return probabilities


@dataclass(frozen=True)
class Weighted:
    """The weighted mean of the probabilities.

    Attributes:
        weights: The weight of each member; their sum is 1.
    """

    weights: NDArray[np.float64]

    def __call__(self, members: tf.Tensor) -> tf.Tensor:
        """See `Combiner`."""
        return tf.tensordot(tf.constant(self.weights, tf.float64), members, 1)


@dataclass(frozen=True)
class Votes:
    """The share of the members that decide for a class, their mean probability counting as one more vote.

    The mean never outweighs a whole vote. So the class with most votes is the most probable, and of two classes it has
    at least 0.5; where votes tie, the mean probability decides.

    Attributes:
        thresholds: The threshold of each member for the second of two classes; None: the most probable class.
    """

    thresholds: NDArray[np.float64] | None

    def __call__(self, members: tf.Tensor) -> tf.Tensor:
        """See `Combiner`."""
        if self.thresholds is None:
            decided = tf.argmax(members, axis=2)
        else:
            decided = tf.cast(members[:, :, 1] >= tf.constant(self.thresholds, tf.float64)[:, None], tf.int64)
        votes = tf.reduce_sum(tf.one_hot(decided, members.shape[2], dtype=tf.float64), axis=0)
        return (votes + tf.reduce_mean(members, axis=0)) / (members.shape[0] + 1)


@dataclass(frozen=True)
class Stacked:
    """A logistic regression on the logarithms of all members' probabilities.

    Attributes:
        weights: float64 [members · classes, classes], the classes of the first member first.
        bias: float64 [classes].
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def __call__(self, members: tf.Tensor) -> tf.Tensor:
        """See `Combiner`."""
        logarithms = tf.math.log(tf.maximum(members, _LEAST))
        features = tf.reshape(tf.transpose(logarithms, [1, 0, 2]), [-1, self.weights.shape[0]])
        return tf.nn.softmax(features @ tf.constant(self.weights, tf.float64) + tf.constant(self.bias, tf.float64))


def stacking_features(members: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features of `Stacked`: [members, n, classes] to [n, members · classes]."""
    logarithms = np.log(np.maximum(members, _LEAST))
    return logarithms.transpose(1, 0, 2).reshape(members.shape[1], -1)


def of_all_classes(
    coefficients: NDArray[np.float64], bias: NDArray[np.float64], present: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turns a scikit-learn linear model, which knows only the classes it saw, into weights and a bias for a softmax.

    Args:
        coefficients: float [present, features]; with two classes those of the second alone suffice.
        bias: float [present], or [1].
        present: The classes seen.
        classes: Number of classes.

    Returns:
        Weights [features, classes] and bias [classes]; the softmax gives a class that was not seen 0.
    """
    if len(coefficients) < len(present):
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        bias = np.array([0.0, *bias])
    weights, all_bias = np.zeros((coefficients.shape[1], classes)), np.full(classes, _NEVER)
    weights[:, present], all_bias[present] = coefficients.T, bias
    return weights, all_bias
