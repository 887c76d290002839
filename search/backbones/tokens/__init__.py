"""Modules that give a vector for each token."""
