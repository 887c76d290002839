"""Every kind of backbone keeps what the contract in `search.backbones.base` promises."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from contract import KINDS

TRAINED = [name for name, kind in KINDS.items() if kind.trained]
WITH_VECTORS = [name for name, kind in KINDS.items() if kind.has_vectors]


class Case:
    """A backbone, and models of it."""

    def __init__(self, kind, folder, place):
        self.backbone = kind.make(folder, place)
        self.kind, self.learns = kind, kind.learns
        self.values, self.trained = kind.values(folder), kind.trained_values(folder)
        self.others, self.rows = kind.others, tf.constant(kind.others.tolist())

    def model(self, values, backbone=None):
        """The backbone alone, with the weights that one seed gives."""
        keras.utils.set_random_seed(3)
        texts = keras.Input((), dtype="string")
        return keras.Model(texts, (backbone or self.backbone).symbolic(texts, values))

    def prepared(self, values):
        """The model above inputs that are made once, with the same weights, and these inputs of the texts."""
        keras.utils.set_random_seed(3)
        prepared = self.backbone.prepared(values)
        model = keras.Model(*prepared.begin())
        if prepared.of_texts:
            return model(prepared.of_texts(self.others)).numpy()
        return model(self.vectors_of(self.backbone.constant(values))).numpy()

    def vectors_of(self, modules):
        """The vectors of the rows through modules, side by side."""
        return np.concatenate([module.load()(self.rows).numpy() for module in modules], axis=1)


@pytest.fixture(scope="module")
def case(request, tmp_path_factory, word_module):
    kind = KINDS[request.param]
    top = tmp_path_factory.mktemp("backbone")
    return Case(kind, top / "module" if kind.shape else word_module, top / "modules")


every_kind = pytest.mark.parametrize("case", KINDS, indirect=True)
with_vectors = pytest.mark.parametrize("case", WITH_VECTORS, indirect=True)
with_published_weights = pytest.mark.parametrize("case", TRAINED, indirect=True)


@with_vectors
def test_it_gives_a_vector_for_each_text_whatever_else_is_in_the_batch(case):
    model = case.model(case.values)
    together = model(case.rows).numpy()
    assert together.dtype == np.float32 and together.shape == (len(case.others), model.output.shape[-1])
    assert np.isfinite(together).all()
    alone = np.concatenate([model(case.rows[i : i + 1]).numpy() for i in range(len(case.others))])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    np.testing.assert_array_equal(model(case.rows).numpy(), together)


@with_vectors
def test_what_is_computed_once_is_what_the_model_gives(case):
    inside = case.model(case.values)(case.rows).numpy()
    if modules := case.backbone.frozen_features(case.values):
        assert modules == case.backbone.constant(case.values)
        np.testing.assert_allclose(case.vectors_of(modules), inside, atol=1e-6)
    elif case.backbone.prepared(case.values) is not None:
        np.testing.assert_allclose(case.prepared(case.values), inside, atol=1e-6)
    else:  # nothing is: a kind that is neither learned nor published
        assert case.backbone.published(case.values) is None and not case.learns


@with_vectors
def test_what_it_learns_before_training_is_of_the_training_texts_alone(case):
    before = case.model(case.values)(case.rows).numpy()
    other = case.backbone.learning_from(np.array(["zebra", "quagga"], object))
    words = tf.constant(case.kind.varied)
    assert np.ptp(case.model(case.values)(words).numpy(), axis=0).max() > 1e-6
    assert (np.ptp(case.model(case.values, other)(words).numpy(), axis=0).max() < 1e-6) == case.learns
    np.testing.assert_array_equal(case.model(case.values)(case.rows).numpy(), before)
    again = case.model(case.values, other.learning_from(case.kind.train.copy()))
    np.testing.assert_array_equal(again(case.rows).numpy(), before)


@with_published_weights
def test_training_starts_from_the_published_weights(case):
    frozen, trained = case.model(case.values), case.model(case.trained)
    np.testing.assert_allclose(trained(case.rows).numpy(), frozen(case.rows).numpy(), atol=1e-6)
    (variables,) = case.backbone.groups(trained, case.trained)
    assert variables and case.backbone.rate(case.trained)
    assert case.backbone.groups(frozen, case.values) == [] and case.backbone.constant(case.trained) == ()
    for variable in variables:
        variable.assign(variable + 1)
    np.testing.assert_allclose(case.model(case.trained)(case.rows).numpy(), frozen(case.rows).numpy(), atol=1e-6)


@with_vectors
def test_a_saved_model_gives_the_same(case, tmp_path):
    model = case.model(case.trained)
    given = model(case.rows).numpy()
    model.save(tmp_path / "model.keras")
    model.export(tmp_path / "model", verbose=False)
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(case.rows).numpy(), given, atol=1e-6)
    exported = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(exported.serve(case.rows).numpy(), given, atol=1e-6)


@every_kind
def test_its_facts_are_those_of_the_configuration(case):
    backbone, published = case.backbone, case.backbone.published(case.values)
    pretrained = None if published is None else published.name
    described, tensor = backbone.describe(case.values), backbone.symbolic(keras.Input((), dtype="string"), case.values)
    assert described.dimension == (None if tensor is None else tensor.shape[-1])
    assert (described.parameters or 0) > 0 if published is not None else described.parameters is None
    facts = described.backbone, described.pretrained, described.frozen
    assert facts == (case.values["module"], pretrained, published is not None)
    can_be_trained = case.kind.trained is not None
    assert backbone.describe(case.trained).frozen is (published is not None and not can_be_trained)
    assert backbone.untrainable() == ([] if can_be_trained or published is None else [backbone.name])
    assert published is None or {*published.modules} <= {*backbone.modules}
    assert (tensor is not None) == backbone.has_vectors == case.kind.has_vectors
    assert {*backbone.latency_settings} <= {*case.values}
