"""Small modules as fixtures."""

from small_modules import encoder_module, save, word_vectors, words_module

__all__ = ["encoder_module", "save", "word_vectors", "words_module"]
