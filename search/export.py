"""The command `python -m search.export`; the code is in `search.commands.export`."""

from __future__ import annotations

import sys

from search.commands.export import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
