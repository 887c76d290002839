"""The command `python -m search.evaluate`; the code is in `search.commands.evaluate`."""

from __future__ import annotations

import sys

from search.commands.evaluate import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
