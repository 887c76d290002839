"""Pictures as rows of a data set: read, made upright RGB, compared and told apart."""
