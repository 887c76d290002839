"""Several runs side by side: a table of them, a paired test where they saw the same test rows, a multirun's summary."""
