"""The commands, one file each: `python -m search`, `python -m search.predict` and the others."""
