"""Callbacks that follow a run: the person's own, and those that report to experiment trackers."""
