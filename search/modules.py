"""The command `python -m search.modules`; the code is in `search.commands.modules`."""

from __future__ import annotations

import sys

from search.commands.modules import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
