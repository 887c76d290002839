"""The activations of hidden layers with their slopes, as in `keras.activations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

Floats = NDArray[np.floating]

Activation = Callable[[Floats, Floats], None]
"""Replaces the sums in its first argument by what the layer gives, and writes the derivative into its second."""


def relu(z: Floats, slope: Floats) -> None:
    """The sum where it is positive, else 0."""
    np.greater(z, 0, out=slope)
    np.maximum(z, 0, out=z)


def elu(z: Floats, slope: Floats) -> None:
    """The sum where it is positive, else its exponential less 1."""
    np.minimum(z, 0, out=slope)
    np.expm1(slope, out=slope)
    np.maximum(z, slope, out=z)
    slope += 1
    np.minimum(slope, 1, out=slope)


def tanh(z: Floats, slope: Floats) -> None:
    """The hyperbolic tangent."""
    np.tanh(z, out=z)
    np.multiply(z, z, out=slope)
    np.subtract(1, slope, out=slope)


def silu(z: Floats, slope: Floats) -> None:
    """The sum times its logistic function; also known as swish."""
    expit(z, out=slope)
    sigma = slope.copy()
    z *= sigma  # the output; the derivative is sigma + output * (1 - sigma)
    np.subtract(1, sigma, out=slope)
    slope *= z
    slope += sigma


def gelu(z: Floats, slope: Floats) -> None:
    """The sum times the normal distribution function itself, not its approximation by a hyperbolic tangent."""
    np.multiply(z, np.sqrt(0.5, dtype=z.dtype), out=slope)
    erf(slope, out=slope)
    slope += 1
    slope *= z.dtype.type(0.5)
    below = slope.copy()
    np.multiply(z, z, out=slope)
    slope *= z.dtype.type(-0.5)
    np.exp(slope, out=slope)
    slope *= z.dtype.type(1 / np.sqrt(2 * np.pi))
    slope *= z
    slope += below
    z *= below


ACTIVATIONS: Mapping[str, Activation] = {"relu": relu, "gelu": gelu, "silu": silu, "tanh": tanh, "elu": elu}
