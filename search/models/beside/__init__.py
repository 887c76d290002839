"""Columns of numbers, categories and dates beside the text: scikit-learn's preprocessing, and the same as a layer."""
