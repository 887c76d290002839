"""Opens TensorBoard for `python -m search.board` with curves drawn, however large the search was.

Nothing here imports TensorFlow: a program that shows files starts at once.
"""
