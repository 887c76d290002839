"""The command `python -m search.report`; the code is in `search.commands.report`."""

from __future__ import annotations

import sys

from search.commands.report import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
