"""Tiny encoders of images with random weights in Hugging Face's layout, and their forward pass in NumPy."""

import json
import math

import numpy as np
from made_encoders import write_safetensors

SIZE, PATCH, WIDTH, HEADS, INNER, LAYERS = 32, 8, 8, 2, 12, 2
MEAN, DEVIATION = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
EPSILON = 1e-5
ARCHITECTURES = ("vit", "deit", "dinov2", "dinov2_with_registers")
_SPECIAL = {"deit": ["distillation_token"], "dinov2_with_registers": ["register_tokens"]}
_erf = np.vectorize(math.erf)


def write_image_encoder(folder, architecture="vit", prefix="", seed=0, processor=None):
    """Writes the folder; gives its weights by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": architecture,
        "image_size": SIZE,
        "patch_size": PATCH,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "mlp_ratio": INNER / WIDTH,
        "num_register_tokens": 3 if architecture == "dinov2_with_registers" else 0,
        "hidden_act": "gelu",
        "layer_norm_eps": EPSILON,
        "hidden_dropout_prob": 0.1,
    }
    (folder / "config.json").write_text(json.dumps(config))
    told = {"image_mean": MEAN, "image_std": DEVIATION, "size": {"height": SIZE, "width": SIZE}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor or told))
    weights = _weights(architecture, np.random.default_rng(seed))
    write_safetensors(folder / "model.safetensors", {prefix + name: values for name, values in weights.items()})
    return weights


def forward(architecture, weights, images):
    """The vectors of images from 0 to 1, [n, SIZE, SIZE, 3]."""
    images = (images - MEAN) / DEVIATION
    rows = SIZE // PATCH
    cut = images.reshape(-1, rows, PATCH, rows, PATCH, 3).transpose(0, 1, 3, 5, 2, 4).reshape(len(images), rows**2, -1)
    at = "embeddings.patch_embeddings.projection."
    patches = cut @ weights[at + "weight"].reshape(WIDTH, -1).T + weights[at + "bias"]
    special = [weights["embeddings.cls_token"]]
    special += [weights[f"embeddings.{one}"] for one in _SPECIAL.get(architecture, [])]
    positions = weights["embeddings.position_embeddings"]
    if architecture == "dinov2_with_registers":
        special[0] = special[0] + positions[:, :1]  # registers have no positions
        patches = patches + positions[:, 1:]
        positions = 0
    tokens = np.concatenate([*(np.repeat(one, len(images), 0) for one in special), patches], axis=1) + positions
    for number in range(LAYERS):
        tokens = _layer(architecture, weights, f"encoder.layer.{number}.", tokens)
    return _normalized(tokens, weights, "layernorm")[:, 0]


def _layer(architecture, weights, at, tokens):
    is_dino = architecture.startswith("dinov2")
    norms = ("norm1", "norm2") if is_dino else ("layernorm_before", "layernorm_after")
    inner, outer = ("mlp.fc1", "mlp.fc2") if is_dino else ("intermediate.dense", "output.dense")
    scales = [weights[f"{at}layer_scale{number}.lambda1"] if is_dino else 1 for number in (1, 2)]
    tokens = tokens + scales[0] * _attended(_normalized(tokens, weights, at + norms[0]), weights, at)
    hidden = _product(_normalized(tokens, weights, at + norms[1]), weights, at + inner)
    hidden = hidden * (1 + _erf(hidden / 2**0.5)) / 2
    return tokens + scales[1] * _product(hidden, weights, at + outer)


def _attended(tokens, weights, at):
    def heads(name):
        given = _product(tokens, weights, f"{at}attention.attention.{name}")
        return given.reshape(*given.shape[:2], HEADS, -1).transpose(0, 2, 1, 3)

    query, key, value = (heads(name) for name in ("query", "key", "value"))
    scores = np.exp(query @ key.transpose(0, 1, 3, 2) / (WIDTH // HEADS) ** 0.5)
    given = (scores / scores.sum(-1, keepdims=True)) @ value
    return _product(given.transpose(0, 2, 1, 3).reshape(tokens.shape), weights, f"{at}attention.output.dense")


def _product(values, weights, name):
    return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _normalized(values, weights, name):
    centred = values - values.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _weights(architecture, rng):
    special = _SPECIAL.get(architecture, [])
    places = 1 + (SIZE // PATCH) ** 2 + (architecture == "deit")
    shapes = {
        "embeddings.cls_token": (1, 1, WIDTH),
        "embeddings.position_embeddings": (1, places, WIDTH),
        "embeddings.patch_embeddings.projection.weight": (WIDTH, 3, PATCH, PATCH),
        "embeddings.patch_embeddings.projection.bias": (WIDTH,),
        **{f"embeddings.{one}": (1, 3 if one == "register_tokens" else 1, WIDTH) for one in special},
    }
    for number in range(LAYERS):
        shapes |= {f"encoder.layer.{number}.{name}": shape for name, shape in _layer_shapes(architecture).items()}
    shapes |= {"layernorm.weight": (WIDTH,), "layernorm.bias": (WIDTH,)}
    return {name: rng.normal(size=shape).astype(np.float32) * 0.7 for name, shape in shapes.items()}


def _layer_shapes(architecture):
    dense = {f"attention.attention.{one}": (WIDTH, WIDTH) for one in ("query", "key", "value")}
    dense |= {"attention.output.dense": (WIDTH, WIDTH)}
    norms, scales = ["layernorm_before", "layernorm_after"], []
    if architecture.startswith("dinov2"):
        dense |= {"mlp.fc1": (INNER, WIDTH), "mlp.fc2": (WIDTH, INNER)}
        norms, scales = ["norm1", "norm2"], ["layer_scale1.lambda1", "layer_scale2.lambda1"]
    else:
        dense |= {"intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}
    shapes = {f"{name}.weight": shape for name, shape in dense.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in dense.items()}
    shapes |= {f"{name}.{one}": (WIDTH,) for name in norms for one in ("weight", "bias")}
    return {**shapes, **dict.fromkeys(scales, (WIDTH,))}
