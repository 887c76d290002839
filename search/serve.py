"""The command `python -m search.serve`; the code is in `search.commands.serve`."""

from __future__ import annotations

import sys

from search.commands.serve import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
