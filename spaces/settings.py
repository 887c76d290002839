"""The settings of the space of text classifiers, each declared once: domain, default, condition and help.

`python tests/settings_tables.py` writes `conf/space/default.yaml` and the table in `docs/settings.md` from here.
"""

from __future__ import annotations

import re

from spaces.domains import (
    AUTO,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    TRUTH,
    Domain,
    named,
    one_of,
    real,
    whole,
    whole_or_auto,
)
from spaces.parameters import Choice, Float, Int
from spaces.setting import Setting, Where

ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "elu")
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd", "adagrad")
CLASS_WEIGHTS = ("none", "balanced")
ALTERATIONS = ("flip", "flip+crop", "flip+crop+colour")
ENCODERS = ("mean", "lstm", "gru", "bilstm", "bigru", "conv1d")
"""Values of `module` that name no module but an encoder learned from the training texts, over a vector per token."""
LEARNED = "learned"
TFIDF = "tfidf"
"""The value of `module` for words and nothing else, and the value of `wide` that puts words beside a head."""
UNPUBLISHED = (*ENCODERS, TFIDF)
"""Values of `module` that name no published module: what stands under a head, if anything, comes from the texts."""
WIDE = ("none", TFIDF)
JOINED, APART = "joined", "apart"
"""Values of `texts`: the columns of texts as one text, and each by itself."""
ALL = "all"
"""The value of `unfreeze` with which every layer of a module is trained, its embeddings too."""
SCHEDULES = ("constant", "linear")
LAYER_WIDTHS = ("units_1", "units_2", "units_3", "units_4")
"""Settings that set the width of one hidden layer apart from `units`; null: they do not."""

_TRAINED = Where("trainable", bool, "trainable is true")
_DEEP = Where("module", lambda module: module != TFIDF, f"the module is not {TFIDF}")
_ENCODER = Where("module", lambda module: module in ENCODERS, f"the module is one of {', '.join(ENCODERS)}")
_HIDDEN = Where("layers", lambda layers: layers > 0, "there is a hidden layer")
_LAYERED = Where(
    "trainable",
    bool,
    "trainable is true and the module's layers are known, as those of minilm and efficientnet-lite0 are",
)
_WIDTH = Setting(None, whole(1), "Of one layer, where it is another: space.units_1=256 space.units_2=64")

SETTINGS: dict[str, Setting] = {
    "modules": Setting(
        Choice(["glove-50", "use-multilingual"]),
        named("names, handles or folders"),
        "Names of the catalog, TF Hub handles, .tar.gz files or folders: space.modules=[glove-50,/models/my_module]."
        " Joined by +, they stand side by side and stay as published: space.modules=[use-multilingual+minilm]."
        f" {', '.join(ENCODERS)} are encoders learned from the training texts: space.modules=[glove-50,lstm]. {TFIDF} "
        "is logistic regression on words and word pairs, without a head: space.modules=[glove-50,tfidf]",
    ),
    "trainable": Setting(
        Choice([False, True]),
        TRUTH,
        "false: the module stays as published; true: it is fine-tuned along with the head. space.trainable=[false]",
        Where("module", lambda module: module not in UNPUBLISHED, "there is one published module"),
    ),
    "frozen": Setting(
        ("use-multilingual", "use", "use-large"),
        named("names of modules"),
        "Modules that stay as published where trainable leaves the choice: fine-tuning a sentence encoder takes "
        "minutes an epoch, a search on its features seconds. space.frozen=[] fine-tunes any.",
    ),
    "texts": Setting(
        Choice([JOINED, APART]),
        one_of((JOINED, APART)),
        "Of several columns of texts (dataset.text=[title,body]): joined: one text, a line for each; apart: each is "
        "embedded by itself, as published, and their vectors stand side by side. space.texts=[joined]",
        Where("trainable", lambda trainable: not trainable, "there are several such columns and trainable is false"),
    ),
    "vocabulary_size": Setting(
        Choice([10_000]),
        whole(3),
        "Tokens that an encoder knows, the most frequent of the training split; that of padding and that of all "
        "other words count.",
        _ENCODER,
    ),
    "sequence_length": Setting(
        AUTO,
        whole_or_auto(1),
        "Tokens of a text that an encoder sees, the first ones. auto: what 95 in 100 training texts have at most, "
        "and no more than 256.",
        _ENCODER,
    ),
    "ngrams": Setting(
        Choice([1]),
        whole(1),
        "2: pairs of neighbouring words are tokens too, behind the words of the text; 3: triples as well.",
        _ENCODER,
    ),
    "embedding": Setting(
        Choice([LEARNED]),
        named(f"{LEARNED}, or names of modules with vectors of words or tokens"),
        "The vectors of tokens. learned: from nothing; a module of word vectors: from its table, which trainable and"
        " frozen let learn along, at learning_rate, or not: space.embedding=[learned,glove-50]. A module that gives "
        "a vector for each token, as BERT does: those, of the tokens that it makes of a text itself; where it learns"
        " along, it does so at the rate of the range of fine_tuning_rate: space.embedding=[/models/bert]",
        _ENCODER,
    ),
    "embedding_size": Setting(
        Choice([128]),
        whole(1),
        "Width of the vectors of tokens.",
        Where("embedding", lambda embedding: embedding == LEARNED, "embedding is learned"),
    ),
    "encoder_units": Setting(
        Choice([64]),
        whole(1),
        "Units of the recurrent layer (in each direction), or filters of conv1d, five tokens wide.",
        Where(
            "module",
            lambda module: module in ENCODERS and module != "mean",
            f"the module is one of {', '.join(ENCODERS[1:])}",
        ),
    ),
    "layers": Setting(
        Int(1, 2),
        whole(0),
        "Hidden layers between module and output; 0 is a linear classifier. space.layers=2 pins it.",
        _DEEP,
    ),
    "units": Setting(
        Choice([64, 128, 256, 512]),
        whole(1),
        "Width of each hidden layer, chosen anew for each: units_1, units_2 and so on",
        _HIDDEN,
    ),
    **dict.fromkeys(LAYER_WIDTHS, _WIDTH),
    "activation": Setting(
        Choice(["relu"]), one_of(ACTIVATIONS), "The activation function after each hidden layer.", _HIDDEN
    ),
    "dropout": Setting(
        Float(0.0, 0.5), SHARE, "Share of each hidden layer's outputs that is dropped in training.", _HIDDEN
    ),
    "wide": Setting(
        Choice(WIDE),
        one_of(WIDE),
        "tfidf: logistic regression on words and word pairs (TF-IDF) beside the head, fitted before it, so that the"
        " head learns what words alone do not say: space.wide=[none,tfidf]",
        _DEEP,
    ),
    "wide_l2": Setting(
        Float(0.25, 16, step=4, log=True),
        POSITIVE,
        "L2 of that logistic regression: half of it times the squares of its weights is added to the sum of the rows' "
        "losses, so it is 1 / C of scikit-learn. Each value is fitted once for all trials.",
        Where("wide", lambda wide: wide == TFIDF, f"wide or the module is {TFIDF}"),
    ),
    "learning_rate": Setting(
        Float(3e-4, 1e-2, log=True), POSITIVE, "The learning rate of the head, and of the output layer.", _DEEP
    ),
    "fine_tuning_rate": Setting(
        Float(3e-4, 1e-2, log=True),
        POSITIVE,
        "The learning rate of the module's own weights. Tables of word vectors want about the rate of the head; "
        "sentence encoders far less: space.fine_tuning_rate.min=1e-6 space.fine_tuning_rate.max=1e-4",
        _TRAINED,
    ),
    "head_first": Setting(
        Choice([False, True]),
        TRUTH,
        "true: the head is trained alone first, on the frozen module's features, to its best epoch; then the module "
        "with it. Epoch 0 of such a trial is the head alone.",
        _TRAINED,
    ),
    "warmup_steps": Setting(
        Choice([0]),
        whole(0),
        "Steps over which the rate of a trainable module grows to fine_tuning_rate; sentence encoders want about 100.",
        _TRAINED,
    ),
    "unfreeze": Setting(
        Choice([ALL]),
        Domain(
            f"whole numbers from 1, or {ALL}", lambda value: value == ALL or bool(re.fullmatch("[1-9][0-9]*", value))
        ),
        "Layers of the module that are trained, counted from the output; the others stay as published, and what they "
        "give is computed once: with 1 an epoch costs a small part of what it costs with all. space.unfreeze=[1,2,all]",
        _LAYERED,
    ),
    "layer_decay": Setting(
        Choice([1.0]),
        real("numbers above 0 up to 1", lambda value: 0 < value <= 1),
        "Each layer of the module learns at the rate of the layer above it times this (Howard and Ruder 2018).",
        _LAYERED,
    ),
    "schedule": Setting(
        Choice(["constant"]),
        one_of(SCHEDULES),
        "linear: all rates fall to zero, in equal steps, until the trial has been trained for tuner.max_epochs.",
        _LAYERED,
    ),
    "optimizer": Setting(Choice(["adam"]), one_of(OPTIMIZERS), "The optimizer of all weights.", _DEEP),
    "weight_decay": Setting(
        Choice([0.004]),
        NOT_NEGATIVE,
        "Draws all weights that learn but biases and those of normalization to zero, at each step by this share of "
        "their rate; of word vectors all, so that trials with it are slower.",
        Where("optimizer", lambda optimizer: optimizer == "adamw", "optimizer is adamw"),
    ),
    "clip_norm": Setting(
        Choice([0.0]),
        NOT_NEGATIVE,
        "Length to which the gradient of all weights together is shortened where it is longer; 0: never.",
        _DEEP,
    ),
    "batch_size": Setting(
        AUTO,
        Domain(f"whole numbers from 1, or {AUTO}", whole(1).holds),
        "Texts per training step. auto: two sizes that make about 50 to 200 steps of an epoch, from [32, 64] for few"
        " rows to [256, 512] for 30,000 and more.",
        _DEEP,
    ),
    "views": Setting(
        Choice([0]),
        whole(0),
        "Altered copies of each training image, as augment makes them, that are trained on beside it: "
        "space.views=[0,3]. They are always the same ones, and go through a frozen module once, as the image does: "
        "with 3 the pass over the training images and every epoch take four times as long. Of images alone.",
    ),
    "augment": Setting(
        Choice(ALTERATIONS[1:2]),
        one_of(ALTERATIONS),
        "How the copies differ: flip mirrors half of them, crop keeps 60 to 100 % of height and width, colour changes "
        "brightness, contrast and saturation by up to 30 %.",
        Where("views", lambda views: views > 0, "views is above 0"),
    ),
    "class_weight": Setting(
        Choice(["none", "balanced"]),
        one_of(CLASS_WEIGHTS),
        "balanced: an error on a rare class weighs more, by the inverse of the class's share.",
    ),
}
"""Name of each setting to its declaration, in the order of the configuration."""
