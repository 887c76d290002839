"""Fine-tuning of a module under a head, at the cost of the weights that the texts can touch."""

from search.training.sparse_fine_tuning.sparse_rows import Touched, find_touched
from search.training.sparse_fine_tuning.sparse_training import SparseRowTraining

__all__ = ["SparseRowTraining", "Touched", "find_touched"]
