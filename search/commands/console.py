"""The console script `search`: one name for all commands, `search run …`, `search predict …`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from search.commands.cli import BAD_INPUT, discard_output, said
from search.commands.completion import ASKED, SHELLS, answer
from search.commands.completion import script as script_of
from search.errors import nearest

# Name to module and to what `search --help` says. A command is imported only when it is asked for.
COMMANDS = {
    "run": ("search.commands.search", "search, refit, test and report: the same as python -m search"),
    "predict": ("search.commands.predict", "label new texts with a finished run"),
    "evaluate": ("search.commands.evaluate", "test a finished run on other labelled texts"),
    "serve": ("search.commands.serve", "serve a finished run over HTTP"),
    "explain": ("search.commands.explain", "say which words drive a finished run's predictions"),
    "report": ("search.commands.report", "write a run's report again"),
    "leaderboard": ("search.commands.leaderboard", "compare runs side by side"),
    "board": ("search.commands.board", "open TensorBoard on runs"),
    "export": ("search.commands.export", "convert a run's model to another format"),
    "modules": ("search.commands.modules", "list, check and make embedding modules"),
    "cache": ("search.commands.cache", "list or empty the cache of features"),
}


def main(arguments: Sequence[str]) -> int:
    """Runs the command that the first argument names.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code of the command; 2 where there is none of that name.
    """
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        print(_usage())
        return 0
    if name == "--version":
        from search import __version__

        print(f"search {__version__}")
        return 0
    if name == ASKED:
        return answer(rest, COMMANDS)
    if name == "completion":
        if rest not in [[one] for one in SHELLS]:
            return said(f"search completion: expected the name of the shell, one of {', '.join(SHELLS)}", BAD_INPUT)
        print(script_of(rest[0]))
        return 0
    if name == "help":
        name, *rest = [*rest, "--help"] if rest else ["run", "--help"]
    if name not in COMMANDS:
        hint = f"search run {name} …" if "=" in name else nearest(name, COMMANDS)
        return said(f"There is no command '{name}'. {'Did you mean: ' if '=' in name else ''}{hint}", BAD_INPUT)
    command = import_module(COMMANDS[name][0])
    return int(command.main(rest))


def script() -> int:
    """Runs the console script on the arguments of this process."""
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads the output, such as head, has enough
        discard_output()
        return 0


def _usage() -> str:
    listed = "\n".join(f"  {name:<12} {what}" for name, (_, what) in COMMANDS.items())
    return (
        f"Usage: search COMMAND …\n\n{listed}\n\nsearch COMMAND --help says more; search --version is this package's.\n"
        'Tab completion: eval "$(search completion bash)" in ~/.bashrc; zsh and fish likewise.'
    )
