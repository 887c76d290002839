"""Fine-tuning of a module under a head, at the cost of the weights that the texts can touch."""

from search.training.sparse_fine_tuning.module_inputs import InputsBeside, LayerInputs, ModuleInputs, TextInputs
from search.training.sparse_fine_tuning.sparse_training import SparseRowTraining
from search.training.sparse_fine_tuning.touched_rows import Touched, find_touched, find_touched_of_layers

__all__ = [
    "InputsBeside",
    "LayerInputs",
    "ModuleInputs",
    "SparseRowTraining",
    "TextInputs",
    "Touched",
    "find_touched",
    "find_touched_of_layers",
]
