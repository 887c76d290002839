"""The last layer of a head: probabilities of classes, one of which holds, or of labels, any of which may hold."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.floating]


class Output(Protocol):
    """From logits to losses and probabilities, in place."""

    def learn(self, logits: Floats, labels: NDArray[np.integer], sample_weight: Floats) -> Floats:
        """Replaces logits, float [outputs, batch], by the gradient of the batch's mean loss in them.

        Returns:
            The loss of each row times its weight, float [batch].
        """

    def probabilities(self, logits: Floats) -> Floats:
        """Replaces logits, float [n, outputs], by probabilities."""


class Softmax:
    """Classes of which a row has one; the loss is the cross-entropy in nats."""

    def learn(self, logits: Floats, labels: NDArray[np.integer], sample_weight: Floats) -> Floats:
        """See `Output.learn`; labels are class indices [batch]."""
        logits -= logits.max(axis=0)
        columns = np.arange(len(labels))
        losses: Floats = -logits[labels, columns]
        np.exp(logits, out=logits)
        total = logits.sum(axis=0)
        losses += np.log(total)
        losses *= sample_weight
        logits /= total
        logits[labels, columns] -= 1
        logits *= sample_weight / len(labels)
        return losses

    def probabilities(self, logits: Floats) -> Floats:
        """See `Output.probabilities`; those of a row add up to 1."""
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits


class Sigmoid:
    """Labels that a row has or not, each for itself; the loss is the mean of their cross-entropies in nats."""

    def learn(self, logits: Floats, labels: NDArray[np.integer], sample_weight: Floats) -> Floats:
        """See `Output.learn`; labels are 0 or 1 [batch, outputs]."""
        there = labels.T
        # log(1 + exp(z)) - y z, without overflow.
        losses: Floats = (np.logaddexp(0, logits) - there * logits).mean(axis=0)
        losses *= sample_weight
        expit(logits, out=logits)
        logits -= there
        logits *= sample_weight / (len(labels) * len(logits))
        return losses

    def probabilities(self, logits: Floats) -> Floats:
        """See `Output.probabilities`."""
        return np.asarray(expit(logits, out=logits))
