"""From hyperparameters to a compiled Keras model, and the saved classifier."""
