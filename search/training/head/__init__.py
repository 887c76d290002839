"""Training of the head alone, on features that a frozen module has computed once.

A head has a few thousand weights, so a Keras model of it spends its time on being built, traced and called, not on
arithmetic. Here a step is a handful of matrix products on flat arrays, in NumPy: nothing is traced, so that a trial
begins at once whatever its shape, and the numbers are those of `keras.Model.fit` (tests/training/head hold them to it).
"""

from search.training.head.head_network import Head
from search.training.head.head_training import HeadTraining
from search.training.head.outputs import Sigmoid

__all__ = ["Head", "HeadTraining", "Sigmoid"]
