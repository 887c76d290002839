"""A saved classifier behind HTTP, in the words of TensorFlow Serving's REST API."""
