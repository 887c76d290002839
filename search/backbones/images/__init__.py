"""Encoders of images: published weights -> SavedModels in TF Hub's image API, and what makes images of bytes."""
