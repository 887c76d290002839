"""EfficientNet-Lite0 in NumPy, as PyTorch's code of it has it, with batch normalization as a step of its own."""

import numpy as np

STRIDED = {1, 3, 5, 11}


def convolved(images, kernel, stride, by_channel):
    """A convolution [batch, channels, h, w], padded so that every place, or every other one, has a result."""
    size, places = kernel.shape[-1], [-(-length // stride) for length in images.shape[2:]]
    around = [
        max((count - 1) * stride + size - length, 0) for count, length in zip(places, images.shape[2:], strict=True)
    ]
    pads = [(0, 0), (0, 0), *((pad // 2, pad - pad // 2) for pad in around)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(images, pads), (size, size), (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    if by_channel:
        return np.einsum("bchwij,cij->bchw", windows, kernel[:, 0])
    return np.einsum("bchwij,ocij->bohw", windows, kernel, optimize=True)


def normalized(values, weights, name):
    scale, offset, mean, variance = (
        weights[f"{name}.{part}"][:, np.newaxis, np.newaxis]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (values - mean) / np.sqrt(variance + 1e-3) * scale + offset


def network(images, weights):
    """The vectors and, where there are weights for them, the logits of images [batch, h, w, 3] from 0 to 255."""
    weights = {name: values.astype(np.float64) for name, values in weights.items()}

    def step(values, place, convolution, normalization, stride=1, bounded=True):
        kernel = weights[f"{place}{convolution}.weight"]
        values = convolved(values, kernel, stride, convolution == "_depthwise_conv")
        values = normalized(values, weights, place + normalization)
        return np.clip(values, 0, 6) if bounded else values

    values = (images.astype(np.float64).transpose(0, 3, 1, 2) - 127) / 128
    values = step(values, "", "_conv_stem", "_bn0", 2)
    for number in range(len({name.split(".")[1] for name in weights if name.startswith("_blocks")})):
        place, stride, before = f"_blocks.{number}.", 2 if number in STRIDED else 1, values
        if f"{place}_expand_conv.weight" in weights:
            values = step(values, place, "_expand_conv", "_bn0")
        values = step(values, place, "_depthwise_conv", "_bn1", stride)
        values = step(values, place, "_project_conv", "_bn2", bounded=False)
        values = values + before if values.shape == before.shape else values
    vectors = step(values, "", "_conv_head", "_bn1").mean((2, 3))
    return vectors, vectors @ weights["_fc.weight"].T + weights["_fc.bias"] if "_fc.weight" in weights else None


def made_weights(channels=4, blocks=3, wide=7, seed=0):
    """Random weights of a small network by the names of the published one."""
    random = np.random.default_rng(seed)
    weights = {}

    def add(place, convolution, normalization, *shape):
        weights[f"{place}{convolution}.weight"] = random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape)
        for part, (low, high) in {"weight": (0.5, 2), "running_var": (0.5, 2), "bias": (-1, 1)}.items():
            weights[f"{place}{normalization}.{part}"] = random.uniform(low, high, shape[0])
        weights[f"{place}{normalization}.running_mean"] = random.uniform(-0.2, 0.2, shape[0])

    add("", "_conv_stem", "_bn0", channels, 3, 3, 3)
    for number in range(blocks):
        inner = channels * (1 if number == 0 else 2)
        if number:
            add(f"_blocks.{number}.", "_expand_conv", "_bn0", inner, channels, 1, 1)
        size = 5 if number % 2 else 3
        add(f"_blocks.{number}.", "_depthwise_conv", "_bn1", inner, 1, size, size)
        add(f"_blocks.{number}.", "_project_conv", "_bn2", channels, inner, 1, 1)
    add("", "_conv_head", "_bn1", wide, channels, 1, 1)
    return {name: values.astype(np.float32) for name, values in weights.items()}
