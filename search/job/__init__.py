"""The main job: prepare, search, refit, evaluate, combine, write."""
