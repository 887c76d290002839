"""A saved classifier on new texts: predictions, their files, conversion to other formats."""

FORMATS = ("onnx", "tflite", "optuna")
"""Formats that a finished run can be written in."""
