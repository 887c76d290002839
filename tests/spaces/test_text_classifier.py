import subprocess
import sys
from pathlib import Path

import keras_tuner
import pytest
from omegaconf import OmegaConf

from spaces import SETTINGS, Choice, Fixed, Float, Int, SpaceError, TextClassifierSpace, space_from, stands_apart

CONF = Path(__file__).parents[2] / "conf" / "space"


def declared(values, **ranges):
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return TextClassifierSpace(**ranges).declare(hp)


def test_the_yaml_file_and_the_class_describe_the_same_space(monkeypatch):
    monkeypatch.setattr("spaces.text_classifier.SETTINGS", SETTINGS)
    config = OmegaConf.to_container(OmegaConf.load(CONF / "default.yaml"))
    assert list(config) == list(SETTINGS)
    assert dict(space_from(config)) == dict(TextClassifierSpace())
    frozen = {"modules": ["a", "use"], "frozen": ["use"]}
    assert space_from({**config, **frozen}).conditions == TextClassifierSpace(**frozen).conditions


def test_each_hidden_layer_has_its_own_width():
    assert declared({"layers": 1, "units_1": 64})["units_1"] == 64
    assert "units_2" not in declared({"layers": 1})
    deep = declared({"layers": 2, "units_1": 64, "units_2": 128})
    assert (deep["units_1"], deep["units_2"]) == (64, 128)
    assert [name for name in TextClassifierSpace(layers=3) if name.startswith("units")] == [
        "units_1",
        "units_2",
        "units_3",
    ]


def test_a_linear_classifier_has_no_width_activation_or_dropout():
    linear = declared({"layers": 0}, layers=[0, 1])
    assert not {"units_1", "activation", "dropout"} & set(linear)
    assert declared({"layers": 1}, layers=[0, 1])["activation"] == "relu"
    assert not {"units_1", "activation", "dropout"} & set(TextClassifierSpace(layers=0))


def test_the_fine_tuning_rate_exists_only_where_the_module_is_trained():
    assert "fine_tuning_rate" not in declared({"trainable": False})
    assert declared({"trainable": True, "fine_tuning_rate": 2e-5})["fine_tuning_rate"] == 2e-5
    assert "fine_tuning_rate" not in TextClassifierSpace(trainable=[False])
    assert "fine_tuning_rate" in declared({}, trainable=True)


def test_how_to_fine_tune_is_asked_only_where_the_module_is_trained():
    frozen, trained = declared({"trainable": False}), declared({"trainable": True, "head_first": True})
    assert not {"head_first", "warmup_steps"} & set(frozen)
    assert (trained["head_first"], trained["warmup_steps"]) == (True, 0)


def test_columns_of_texts_stand_apart_only_where_there_are_several_and_the_module_stays_as_published():
    assert "texts" not in declared({})
    of_two = {"text_columns": 2, "modules": ["plain", "fixed", "lstm"], "untrainable": ["fixed"]}
    apart = declared({"module": "plain", "trainable": False, "texts": "apart"}, **of_two)
    assert apart["texts"] == "apart" and stands_apart(apart) and "frozen_texts" not in apart
    assert "texts" not in declared({"module": "plain", "trainable": True, "texts": "apart"}, **of_two)
    fixed = declared({"module": "fixed", "frozen_texts": "apart"}, **of_two)
    assert stands_apart(fixed) and "texts" not in fixed
    assert not {"texts", "frozen_texts"} & set(declared({"module": "lstm"}, **of_two))
    for columns, trainable in ((1, [False]), (2, [True])):
        with pytest.raises(SpaceError, match=r"space\.texts=\[apart\]"):
            TextClassifierSpace(text_columns=columns, texts="apart", trainable=trainable)


def test_a_module_for_images_of_another_size_is_frozen_with_it():
    both = {"modules": ["a", "a@160", "b@64"], "frozen": ["a"]}
    assert "trainable" in TextClassifierSpace(**both).conditions
    assert TextClassifierSpace(**both).conditions["trainable"].values == ("b@64",)


def test_a_module_with_nothing_to_train_is_searched_frozen():
    both = {"modules": ["plain", "fixed"], "untrainable": ["fixed"]}
    assert declared({"module": "plain", "trainable": True}, **both)["trainable"] is True
    frozen = declared({"module": "fixed", "trainable": True}, **both)
    assert frozen["trainable"] is False
    assert not {"fine_tuning_rate", "head_first"} & set(frozen)
    alone = TextClassifierSpace(modules="fixed", untrainable=["fixed"])
    assert not {"trainable", "fine_tuning_rate"} & set(alone)
    with pytest.raises(SpaceError, match=r"trainable=\[true\].*fixed"):
        TextClassifierSpace(modules="fixed", untrainable=["fixed"], trainable=True)


def test_a_frozen_module_is_fine_tuned_only_where_there_is_no_choice():
    modules = {"modules": ["plain", "encoder"], "frozen": ["encoder", "of another search"]}
    assert declared({"module": "encoder", "trainable": True}, **modules)["trainable"] is False
    assert declared({"module": "plain", "trainable": True}, **modules)["trainable"] is True
    assert declared({"module": "encoder"}, **modules, trainable=True)["trainable"] is True
    assert declared({"module": "encoder", "trainable": True}, **{**modules, "frozen": []})["trainable"] is True


OF_ENCODERS = {"vocabulary_size", "sequence_length", "ngrams", "embedding", "embedding_size", "encoder_units"}


def test_how_to_encode_is_asked_only_of_encoders():
    assert not {*OF_ENCODERS, "embedding_trainable"} & set(TextClassifierSpace(embedding=["learned", "glove-50"]))
    both = {"modules": ["glove-50", "lstm", "mean"], "embedding": ["learned", "glove-50"]}
    module = declared({"module": "glove-50", "trainable": True}, **both)
    assert module["head_first"] is False and not {*OF_ENCODERS, "embedding_trainable"} & set(module)
    learned = declared({"module": "lstm", "trainable": True, "embedding": "learned"}, **both)
    assert set(learned) >= OF_ENCODERS and learned["trainable"] is False
    assert not {"embedding_trainable", "head_first", "fine_tuning_rate"} & set(learned)
    assert "encoder_units" not in declared({"module": "mean"}, **both)
    assert not {"trainable", "fine_tuning_rate"} & set(TextClassifierSpace(modules=["lstm", "mean"]))


def test_trainable_and_frozen_say_whether_the_start_of_an_embedding_is_trained():
    glove = {"modules": "lstm", "embedding": ["learned", "glove-50"]}
    values = {"embedding": "glove-50", "embedding_trainable": True}
    started = declared(values, **glove)
    assert started["embedding_trainable"] is True and "embedding_size" not in started
    assert "embedding_trainable" not in declared(values, **glove, frozen=["glove-50"])
    assert declared({"embedding": "glove-50"}, **glove, trainable=True)["embedding_trainable"] is True
    assert "embedding_trainable" not in TextClassifierSpace(modules="lstm")


def test_the_modules_that_must_be_at_hand():
    assert TextClassifierSpace(embedding=["words"]).module_names() == ["glove-50", "use-multilingual"]
    space = TextClassifierSpace(modules=["lstm", "glove-50", "gru"], embedding=["learned", "words", "glove-50"])
    assert space.module_names() == ["glove-50"] and space.embedding_names() == ["words", "glove-50"]
    assert TextClassifierSpace(modules="lstm").module_names() == []
    assert TextClassifierSpace(modules="lstm").embedding_names() == TextClassifierSpace().embedding_names() == []


def test_a_token_level_module_cuts_texts_itself_and_is_fine_tuned_at_its_own_rate():
    space = TextClassifierSpace(
        modules=["lstm", "glove-50"], embedding=["learned", "words", "bert"], token_level=["bert"], frozen=()
    )
    settings = {"vocabulary_size", "ngrams", "embedding_size"}

    def declared(**values):
        hp = keras_tuner.HyperParameters()
        hp.values.update({"module": "lstm", **values})
        return space.declare(hp)

    over_tokens = declared(embedding="bert", embedding_trainable=True)
    assert not settings & set(over_tokens) and {"sequence_length", "encoder_units"} <= set(over_tokens)
    assert "embedding_fine_tuning_rate" in over_tokens
    assert "embedding_fine_tuning_rate" not in declared(embedding="bert", embedding_trainable=False)
    assert settings <= set(declared(embedding="learned"))
    assert settings - set(declared(embedding="words")) == {"embedding_size"}
    assert not {"embedding", *settings} & set(declared(module="glove-50"))
    alone = TextClassifierSpace(modules="lstm", embedding="bert", token_level=["bert"], untrainable=["bert"])
    assert not {*settings, "embedding_trainable", "embedding_fine_tuning_rate"} & set(alone)
    with pytest.raises(SpaceError, match=r"space\.trainable=\[true\]: bert"):
        TextClassifierSpace(modules="lstm", embedding="bert", trainable=True, untrainable=["bert"])


def test_size_of_a_space_with_encoders():
    pinned = {"dropout": 0, "learning_rate": 1e-3, "batch_size": 256, "class_weight": "none", "layers": 1, "units": 8}
    sizes = {"embedding": ["learned", "a", "b"], "embedding_size": [8, 16, 32], "frozen": ["b"]}
    space = TextClassifierSpace(modules=["lstm", "mean"], encoder_units=[4, 8], **sizes, **pinned)
    assert space.size() == (3 + 2 + 1) * (2 + 1)


def test_weight_decay_exists_only_for_adamw():
    assert "weight_decay" not in TextClassifierSpace()
    both = {"optimizer": ["adam", "adamw"], "weight_decay": [0.01]}
    assert "weight_decay" not in declared({"optimizer": "adam"}, **both)
    assert declared({"optimizer": "adamw"}, **both)["weight_decay"] == 0.01


def test_random_search_samples_booleans_as_booleans():
    hp = keras_tuner.HyperParameters()
    TextClassifierSpace().declare(hp)
    sampled = {
        parameter.random_sample(seed) for parameter in hp.space if parameter.name == "trainable" for seed in range(20)
    }
    assert sampled == {False, True} and all(isinstance(value, bool) for value in sampled)


def test_size_of_a_finite_space():
    pinned = {"dropout": 0, "learning_rate": 1e-3, "fine_tuning_rate": [1e-4, 1e-5], "batch_size": 256}
    space = TextClassifierSpace(units=[8, 16], class_weight="none", **pinned)
    assert space.size() == (2 + 4) * (1 + 2 * 2 + 1)  # of the second module there is the frozen one alone


@pytest.mark.parametrize(
    ("ranges", "name", "parameter"),
    [
        ({"units": [64, 128]}, "units_1", Choice((64, 128))),
        ({"trainable": [False]}, "trainable", Choice((False,))),
        ({"learning_rate": {"min": 1e-4, "max": 1, "log": True}}, "learning_rate", Float(1e-4, 1.0, log=True)),
        ({"layers": 2}, "layers", Fixed(2)),
        ({"dropout": [0, 0.2]}, "dropout", Choice((0.0, 0.2))),
        ({"modules": "glove-50"}, "module", Fixed("glove-50")),
        ({"units": {"min": 32, "max": 64, "step": 32}}, "units_1", Int(32, 64, 32)),
        ({"class_weight": None}, "class_weight", Fixed("none")),
        ({"class_weight": [None, "balanced"]}, "class_weight", Choice(("none", "balanced"))),
        ({"modules": "gru", "sequence_length": [10, 20]}, "sequence_length", Choice((10, 20))),
    ],
)
def test_every_range_is_an_override(ranges, name, parameter):
    assert space_from(ranges)[name] == parameter


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ({"units": [0]}, "space.units: .*0"),
        ({"units": 64.0}, "space.units: .*64.0"),
        ({"units": "many"}, "space.units: .*'many'"),
        ({"units": []}, "space.units: .*empty"),
        ({"layers": -1}, "space.layers: .*-1"),
        ({"layers": {"min": 0.0, "max": 2.0}}, "space.layers: .*0.0"),
        ({"layers": True}, "space.layers: .*True"),
        ({"dropout": 1}, "space.dropout: .*1"),
        ({"dropout": {"min": -0.1, "max": 0.5}}, "space.dropout: .*-0.1"),
        ({"learning_rate": [0.0]}, "space.learning_rate: .*0"),
        ({"learning_rate": {"min": 1e-2, "max": 1e-3}}, "space.learning_rate: .*0.01"),
        ({"fine_tuning_rate": True}, "space.fine_tuning_rate: .*True"),
        ({"batch_size": 0}, "space.batch_size: .*0"),
        ({"optimizer": "adamax"}, "space.optimizer: .*adamw.*'adamax'"),
        ({"activation": ["relu", "sofmax"]}, "space.activation: .*relu.*'sofmax'"),
        ({"class_weight": "equal"}, "space.class_weight: .*balanced.*'equal'"),
        ({"trainable": [0, 1]}, "space.trainable: .*0"),
        ({"frozen": [1]}, "space.frozen: .*1"),
        ({"head_first": 1}, "space.head_first: .*1"),
        ({"warmup_steps": 0.5}, "space.warmup_steps: .*0.5"),
        ({"weight_decay": -1.0}, "space.weight_decay: .*-1"),
        ({"clip_norm": "1"}, "space.clip_norm: .*'1'"),
        ({"vocabulary_size": [2]}, "space.vocabulary_size: .*2"),
        ({"sequence_length": "long"}, "space.sequence_length: .*auto.*'long'"),
        ({"sequence_length": 0}, "space.sequence_length: .*0"),
        ({"ngrams": 0}, "space.ngrams: .*0"),
        ({"embedding": [""]}, "space.embedding: .*''"),
        ({"embedding_size": 0.5}, "space.embedding_size: .*0.5"),
        ({"encoder_units": True}, "space.encoder_units: .*True"),
        ({"trainable": "no"}, "space.trainable: .*'no'"),
        ({"modules": ["  "]}, "space.modules: .*'  '"),
        ({"modules": None}, "space.modules: .*None"),
        ({"unit": [64]}, "space.unit .*'units'"),
        ({"_target_": "???"}, "space._target_: .*package.module.Class"),
        ({"_target_": "Wide"}, "space._target_: .*'Wide'"),
        ({"_target_": None}, "space._target_: .*None"),
        ({"_target_": "no_such_module_here.Wide"}, "space._target_: .*no_such_module_here"),
        ({"_target_": "spaces.TextClasifierSpace"}, "space._target_: .*'TextClassifierSpace'"),
        ({"_target_": "spaces.Space"}, "space._target_: .*TextClassifierSpace"),
        ({"_target_": "spaces.space_from"}, "space._target_: .*TextClassifierSpace"),
    ],
)
def test_a_range_that_cannot_be_is_refused_by_its_key_with_what_came(ranges, told):
    with pytest.raises(SpaceError, match=f"^{told}"):
        space_from(ranges)


def test_a_space_of_ones_own_is_a_class(tmp_path, monkeypatch):
    (tmp_path / "own_spaces.py").write_text(
        "from spaces import Float, TextClassifierSpace\n"
        "class Wide(TextClassifierSpace):\n"
        "    units = [512, 1024]\n"
        "    learning_rate = Float(1e-5, 1e-3, log=True)\n"
        "    def note(self): return 'methods are free'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    space = space_from({"_target_": "own_spaces.Wide", "layers": 1})
    assert type(space).__name__ == "Wide"
    assert space["units_1"] == Choice((512, 1024))
    assert space["learning_rate"] == Float(1e-5, 1e-3, log=True)
    assert space["layers"] == Fixed(1)


def test_the_persons_own_module_that_fails_is_named_with_its_error(tmp_path, monkeypatch):
    (tmp_path / "broken_spaces.py").write_text("from spaces import Int\nrange_of_layers = Int(3, 1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpaceError, match=r"space\._target_: importing broken_spaces .*min 3 and max 1"):
        space_from({"_target_": "broken_spaces.Wide"})


def test_a_misspelt_setting_of_a_class_is_refused():
    with pytest.raises(SpaceError, match="'units'"):
        type("Wide", (TextClassifierSpace,), {"unit": [512]})


def test_importing_spaces_loads_neither_tensorflow_nor_keras_tuner_nor_search():
    code = "import spaces, sys; print({'tensorflow', 'keras_tuner', 'search', 'numpy'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [(50, [32, 64]), (2_800, [32, 64]), (10_000, [64, 128]), (29_771, [256, 512]), (1_300_000, [256, 512])],
)
def test_automatic_batch_sizes_follow_the_rows(rows, sizes):
    space = space_from({}, rows=rows)
    assert list(space["batch_size"].options) == sizes
    assert list(space_from({"batch_size": [8]}, rows=rows)["batch_size"].options) == [8]


def test_a_layer_can_have_a_width_of_its_own():
    space = space_from({"layers": 2, "units": [8, 16], "units_1": 256})
    assert space["units_1"].options == (256,)
    assert space["units_2"].options == (8, 16)
    assert space_from({"layers": 2})["units_1"].options == (64, 128, 256, 512)


def test_a_width_of_a_layer_that_there_is_not_is_refused():
    with pytest.raises(SpaceError, match=r"space\.units_3: there is no such hidden layer"):
        space_from({"layers": 2, "units_3": 8})
