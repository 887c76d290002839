"""The command line: `python -m search`."""

from __future__ import annotations

import sys

from search.commands.search import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
