"""Where trials run: one kind of executor a file, and the loop that keeps one busy."""
