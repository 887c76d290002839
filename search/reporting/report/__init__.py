"""The report of a run and its model card, made from the run's files.

`write_measurements` keeps, while the model is at hand, what no other file of the run holds; `write_report` does the
rest. Nothing is imported here: whoever only reads runs, as `run.read_run` does, needs no scikit-learn.
"""
