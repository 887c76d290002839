"""Finds the best text classifier that transfer learning can give on a person's own data."""

__version__ = "0.1.0"
