"""The features of frozen backbones: computed once for each distinct text, kept on disk."""
