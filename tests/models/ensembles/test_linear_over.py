"""The baseline on a frozen module, as part of an ensemble, says what it said when it was measured."""

import numpy as np
import pytest
import tensorflow as tf
from reviews import make_reviews

from search.backbones.base import SavedModule
from search.backbones.hub.joined_layer import frozen_parts
from search.backbones.hub.module import HubModule
from search.evaluation.frozen_regression import FrozenRegression
from search.features.splits import embedded
from search.models.ensembles.linear_over import linear_over


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 3]])
def test_probabilities_are_the_baselines(word_module, labels):
    texts = np.array(make_reviews(60, seed=0)[0], dtype=object)
    features = embedded([SavedModule("words", word_module)], texts)
    fitted = FrozenRegression().fit(features, np.resize(labels, 60))
    model = linear_over(HubModule(SavedModule("words", word_module)), fitted, 4)
    found = model(tf.constant(texts.tolist())).numpy()
    np.testing.assert_allclose(found[:, labels], fitted.predict_proba(features), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    (frozen,) = frozen_parts(model)
    assert frozen.folder == word_module  # so it shares the module with the trials over it
