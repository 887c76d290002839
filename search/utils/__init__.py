"""Helpers that know nothing of classifiers: files, locks, devices, interrupts, time."""
