"""The command `python -m search.explain`; the code is in `search.commands.explain`."""

from __future__ import annotations

import sys

from search.commands.explain import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
