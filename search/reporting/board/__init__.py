"""How `python -m search.board` opens TensorBoard: with something drawn, however large the search was.

Nothing here imports TensorFlow: a program that shows files starts at once.
"""
