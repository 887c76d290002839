"""Token-level modules, which give a vector for each token."""
