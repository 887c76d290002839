"""Tiny encoders with random weights in Hugging Face's layout, and their forward pass in NumPy."""

import json
import math

import numpy as np

HIDDEN, HEADS, INNER, LAYERS, POSITIONS = 8, 2, 12, 2, 40
ARCHITECTURES = ("bert", "distilbert", "roberta", "xlm-roberta", "albert", "mpnet", "electra")
BUCKETS = 8
PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "a",
    "film",
    "the",
    "was",
    "good",
    "##s",
    "!",
    "world",
    "o",
    "##o",
]
_erf = np.vectorize(math.erf)


def write_safetensors(path, tensors):
    header, place, data = {}, 0, b""
    for name, values in tensors.items():
        piece = np.ascontiguousarray(values, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [place, place + len(piece)]}
        place, data = place + len(piece), data + piece
    written = json.dumps(header).encode()
    path.write_bytes(len(written).to_bytes(8, "little") + written + data)


def write_encoder(folder, architecture="bert", pieces=PIECES, prefix="", seed=0, dropout=0.1):
    """Writes the folder; gives its weights by their names in BERT."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": architecture,
        "vocab_size": len(pieces),
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2 if architecture in ("bert", "albert", "electra") else 1,
        "layer_norm_eps": 1e-6,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
    }
    if architecture == "distilbert":
        config |= {"n_layers": LAYERS, "n_heads": HEADS, "dim": HIDDEN, "hidden_dim": INNER, "dropout": dropout}
        config |= {"activation": "gelu"}
    else:
        config |= {"num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "hidden_size": HIDDEN}
        config |= {"intermediate_size": INNER, "hidden_act": "gelu"}
    if architecture in ("albert", "electra"):
        config |= {"embedding_size": 6}
    if architecture == "albert":
        config |= {"num_hidden_groups": 1, "inner_group_num": 1}
    if architecture == "mpnet":
        config |= {"relative_attention_num_buckets": BUCKETS}
    (folder / "config.json").write_text(json.dumps(config))
    weights = _weights(config, np.random.default_rng(seed))
    names = _NAMES[architecture]
    tensors = {}
    for name, values in weights.items():
        renamed = names(name)
        if renamed is not None:
            tensors[prefix + renamed] = values
    write_safetensors(folder / "model.safetensors", tensors)
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces))
    return config, weights


def write_sentence_transformer(folder, pooling="mean", normalized=True, dense=None):
    modules = [{"type": "sentence_transformers.models.Transformer", "path": ""}]
    modules.append({"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"})
    (folder / "1_Pooling").mkdir()
    modes = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}
    content = {f"pooling_mode_{mode}": key == pooling for key, mode in modes.items()}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(content))
    if dense is not None:
        modules.append({"type": "sentence_transformers.models.Dense", "path": "2_Dense"})
        (folder / "2_Dense").mkdir()
        settings = {"activation_function": "torch.nn.modules.activation.Tanh"}
        (folder / "2_Dense" / "config.json").write_text(json.dumps(settings))
        write_safetensors(folder / "2_Dense" / "model.safetensors", {"linear.weight": dense})
    if normalized:
        modules.append({"type": "sentence_transformers.models.Normalize", "path": "3_Normalize"})
    (folder / "modules.json").write_text(json.dumps(modules))


def forward(config, weights, ids):
    """The output of the last layer for the ids of one text, float64 [tokens, hidden]."""
    architecture, count = config["model_type"], len(ids)
    first = 2 if architecture in ("roberta", "xlm-roberta", "mpnet") else 0
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][first : first + count]
    if architecture not in ("distilbert", "mpnet"):
        x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = _norm(x, "embeddings.LayerNorm", weights, config)
    if "embedding_size" in config:
        x = _linear(x, "mapping", weights)
    for layer in range(LAYERS):
        at = f"layer.{0 if architecture == 'albert' else layer}"
        query, key, value = (
            _linear(x, f"{at}.{part}", weights).reshape(count, HEADS, -1) for part in ("query", "key", "value")
        )
        scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(HIDDEN // HEADS)
        if architecture == "mpnet":
            scores = scores + _by_distance(weights["distances.weight"], count)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = np.einsum("hqk,khd->qhd", scores / scores.sum(-1, keepdims=True), value).reshape(count, -1)
        x = _norm(x + _linear(seen, f"{at}.output", weights), f"{at}.norm_1", weights, config)
        inner = _linear(x, f"{at}.inner", weights)
        inner = inner * (1 + _erf(inner / np.sqrt(2))) / 2
        x = _norm(x + _linear(inner, f"{at}.outer", weights), f"{at}.norm_2", weights, config)
    return x


def _by_distance(bias, count):
    """MPNet: the numbers of a bucket, one for each distance up to 2, then by its logarithm up to 128."""
    added = np.zeros((HEADS, count, count))
    for one in range(count):
        for other in range(count):
            apart = abs(one - other)
            bucket = apart if apart < 2 else min(3, 2 + int(math.log(apart / 2) / math.log(64) * 2))
            added[:, one, other] = bias[bucket + (4 if other > one else 0)]
    return added


def _weights(config, random):
    width = config.get("embedding_size", HIDDEN)
    shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (POSITIONS, width),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    if width != HIDDEN:
        shapes |= {"mapping.weight": (HIDDEN, width), "mapping.bias": (HIDDEN,)}
    if "relative_attention_num_buckets" in config:
        shapes |= {"distances.weight": (BUCKETS, HEADS)}
    for layer in range(1 if config["model_type"] == "albert" else LAYERS):
        for part, (out, into) in {
            **dict.fromkeys(("query", "key", "value", "output"), (HIDDEN, HIDDEN)),
            "inner": (INNER, HIDDEN),
            "outer": (HIDDEN, INNER),
        }.items():
            shapes |= {f"layer.{layer}.{part}.weight": (out, into), f"layer.{layer}.{part}.bias": (out,)}
        for norm in ("norm_1", "norm_2"):
            shapes |= {f"layer.{layer}.{norm}.{part}": (HIDDEN,) for part in ("weight", "bias")}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def _norm(x, name, weights, config):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _linear(x, name, weights):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _renaming(layer, mapping=None, no_types=False):
    def rename(name):
        if name.startswith("layer."):
            _, place, part, kind = name.split(".")
            return layer["at"].format(place) + layer[part] + "." + kind
        if name.startswith("mapping"):
            return mapping + name.removeprefix("mapping")
        if name.startswith("distances"):
            return "encoder.relative_attention_bias" + name.removeprefix("distances")
        return None if no_types and "token_type" in name else name

    return rename


_BERT_LAYER = {
    "at": "encoder.layer.{}.",
    **{part: f"attention.self.{part}" for part in ("query", "key", "value")},
    "output": "attention.output.dense",
    "norm_1": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "norm_2": "output.LayerNorm",
}
_BERT = _renaming(_BERT_LAYER, mapping="embeddings_project")
_MPNET = _renaming(
    _BERT_LAYER
    | {part: f"attention.attn.{part[0]}" for part in ("query", "key", "value", "output")}
    | {"norm_1": "attention.LayerNorm"},
    no_types=True,
)
_DISTILBERT = _renaming(
    {
        "at": "transformer.layer.{}.",
        **{part: f"attention.{part[0]}_lin" for part in ("query", "key", "value")},
        "output": "attention.out_lin",
        "norm_1": "sa_layer_norm",
        "inner": "ffn.lin1",
        "outer": "ffn.lin2",
        "norm_2": "output_layer_norm",
    },
    no_types=True,
)
_ALBERT = _renaming(
    {
        "at": "encoder.albert_layer_groups.{}.albert_layers.0.",
        **{part: f"attention.{part}" for part in ("query", "key", "value")},
        "output": "attention.dense",
        "norm_1": "attention.LayerNorm",
        "inner": "ffn",
        "outer": "ffn_output",
        "norm_2": "full_layer_layer_norm",
    },
    mapping="encoder.embedding_hidden_mapping_in",
)
_NAMES = dict.fromkeys(ARCHITECTURES, _BERT) | {"distilbert": _DISTILBERT, "albert": _ALBERT, "mpnet": _MPNET}
