"""A saved classifier on new texts: predictions, their files, conversion to other formats."""
