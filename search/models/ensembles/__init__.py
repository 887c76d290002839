"""Several classifiers as one: the best trials of a search and the baselines on word counts, combined and compared."""
