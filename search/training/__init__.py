"""Training of one configuration: Keras's own way and the fast ones, with cross-validation and LP-FT over them."""
