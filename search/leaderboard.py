"""The command `python -m search.leaderboard`; the code is in `search.commands.leaderboard`."""

from __future__ import annotations

import sys

from search.commands.leaderboard import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
