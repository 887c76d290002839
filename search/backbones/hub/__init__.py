"""Modules of TensorFlow Hub and other SavedModels: loading, calling, composing, checking."""
