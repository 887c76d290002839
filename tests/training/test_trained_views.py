"""A configuration with altered copies of images is trained on them beside the images, whatever trains it."""

import numpy as np
from made_pictures import encoded, picture

from search.datasets.table import Examples, first_rows, object_array
from search.datasets.views import with_views
from search.training.fast_trainers import EmbeddingBagTrainer, HeadTrainer, LayerTrainer, SparseRowTrainer
from search.training.shared import SharedResources
from search.training.trainers import KERAS, PreparedInputsTrainer

IMAGES = Examples(object_array([encoded(picture(seed)) for seed in range(4)]), np.arange(4), first_rows(4))


def test_the_rows_of_a_configuration_are_made_once():
    shared = SharedResources()
    alone = shared.with_views(IMAGES, {"module": "some"})
    some = shared.with_views(IMAGES, {"views": 2, "augment": "flip+crop"})
    assert alone is shared.with_views(IMAGES, {"views": 0}) is IMAGES
    assert some is shared.with_views(IMAGES, {"views": 2, "augment": "flip+crop", "units_1": 8})
    assert some.texts.tolist() == with_views(IMAGES, 2, "flip+crop").texts.tolist()
    assert some is not shared.with_views(IMAGES, {"views": 2, "augment": "flip"})


def test_every_way_of_training_takes_them():
    ways = (HeadTrainer, EmbeddingBagTrainer, SparseRowTrainer, LayerTrainer, PreparedInputsTrainer, KERAS)
    assert all({"views", "augment"} <= way.handles for way in ways)
