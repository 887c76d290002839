"""Encoders of the BERT family: from a folder in Hugging Face's layout to a SavedModel that takes texts."""
