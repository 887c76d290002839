"""The command `python -m search.cache`; the code is in `search.commands.cache`."""

from __future__ import annotations

import sys

from search.commands.cache import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
