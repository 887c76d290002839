"""The command `python -m search.board`; the code is in `search.commands.board`."""

from __future__ import annotations

import sys

from search.commands.board import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
