"""Fine-tuning of modules that are embedding bags: a text's vector is a weighted sum of the vectors of its words.

So are GloVe, NNLM and Swivel as modules. The weights of the sums follow from the texts alone, so the module itself need
not be run: its training is products with a sparse matrix, and that of the head above it.
"""

from search.training.embedding_bag.bag_table import Table
from search.training.embedding_bag.bag_training import EmbeddingBagTraining
from search.training.embedding_bag.bags import Bags

__all__ = ["Bags", "EmbeddingBagTraining", "Table"]
