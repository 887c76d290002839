"""The command `python -m search.predict`; the code is in `search.commands.predict`."""

from __future__ import annotations

import sys

from search.commands.predict import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
