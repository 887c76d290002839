"""The optimizers of the search space: one description, three implementations."""
