"""Lists, tries and fetches modules, or makes one from vectors or an encoder: `python -m search.modules`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from search.backbones.builders.export_module import Export, export
from search.backbones.catalog import ModulePlaces, catalog, exported, markdown
from search.backbones.inventory import Listed, inventory
from search.commands.cli import INTERRUPTED, Parser, reported, said, whole_number
from search.config import Config, checked, configuration_folder, register
from search.errors import InputError, nearest
from search.utils.overrides import readable, typed
from search.utils.paths import read_path

EXPORT = ("format", "path", "name", "vocabulary", "overwrite", "licence", "language")
"""Keys of `export`, the first three of which must be given."""
_FORMATS = ("table", "markdown")


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m search.modules`.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0, 2 for bad input, 130 after Ctrl-C.
    """
    codes = [0]
    try:
        with reported(codes):
            given = parser().parse_args(arguments)
            {"list": _list, "check": _check, "fetch": _fetch, "export": _export}[given.command](given)
    except KeyboardInterrupt:
        codes.append(said("Interrupted.", INTERRUPTED))
    return max(codes)


def _list(given: argparse.Namespace) -> None:
    values, config = _settings(given.settings, ("format",), ("paths.modules",))
    chosen = values.get("format", "table")
    if chosen not in _FORMATS:
        raise InputError(f"format={chosen} is unknown. {nearest(chosen, _FORMATS)}")
    entries = catalog([configuration_folder()])
    if chosen == "markdown":
        print(markdown(entries.values()))
        return
    modules = _modules(config)
    own = {name: entry for name, entry in exported(modules).items() if name not in entries}
    _show(inventory([*entries.values(), *own.values()], modules), modules)


def _show(listed: Sequence[Listed], modules: Path) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("module", overflow="fold")
    for column in ("dim", "vocabulary", "parameters", "trainable", "size"):
        table.add_column(column, justify="right", no_wrap=True)
    for module in listed:
        numbers = (module.dimension, module.vocabulary, module.parameters, module.trainable)
        size = "not here yet" if module.size is None else decimal(module.size)
        table.add_row(escape(module.name), *("?" if number is None else f"{number:,}" for number in numbers), size)
    console = Console()
    console.print(table)
    for module in listed:
        if module.folder is not None:
            _say(console, f"{module.name} is at {module.folder}")
    _say(console, f"What is not known until a module is loaded shows as ?. All are kept in {modules}")


def _fetch(given: argparse.Namespace) -> None:
    _, config = _settings(given.settings, (), ("paths.modules", "device", *_keys_of_modules()))
    _start(config)
    from search.backbones.resolve import resolve_modules

    places = ModulePlaces(config.module, _modules(config), [configuration_folder()])
    folder = resolve_modules([given.handle], places)[given.handle]
    _say(Console(), f"{given.handle} is at {folder}")


def _check(given: argparse.Namespace) -> None:
    _, config = _settings(given.settings, (), ("paths.modules", "device", *_keys_of_modules()))
    _start(config)
    from search.commands.module_check import check

    check(given.handle, config.module, _modules(config))


def _export(given: argparse.Namespace) -> None:
    values, config = _settings(given.settings, EXPORT, ("paths.modules", "device"))
    for key in EXPORT[:3]:
        if not values.get(key):
            raise InputError(f"{key} must be given, for example format=glove path=glove.6B.100d.txt name=glove-100")
    vocabulary, overwrite = values.get("vocabulary"), values.get("overwrite", "false").lower()
    if overwrite not in ("true", "false"):
        raise InputError(f"overwrite={overwrite} is impossible: expected true or false.")
    wanted = Export(
        values["format"],
        read_path(values["path"], "path"),
        values["name"],
        None if vocabulary is None else whole_number(vocabulary, "vocabulary", 1),
        overwrite == "true",
        **{key: values[key] for key in ("licence", "language") if key in values},
    )
    modules, begun = _modules(config), time.monotonic()
    wanted.check(modules)
    _start(config)
    done = export(wanted, modules)
    console = Console()
    _say(
        console,
        f"{wanted.name}: {done.content}, {done.dimension} dimensions, in {done.folder}; "
        f"{time.monotonic() - begun:.0f} s",
    )
    for sentence in done.left_out:
        _say(console, sentence)
    _say(console, f"Search with it: {typed('search', f'space.modules=[{wanted.name}]')}")


def _settings(words: Sequence[str], own: Collection[str], passed_on: Collection[str]) -> tuple[dict[str, str], Config]:
    """Reads key=value arguments.

    Args:
        words: The arguments.
        own: Keys of the command itself.
        passed_on: Keys of a search's configuration that it takes as well.

    Returns:
        The values of its own keys, and the configuration.

    Raises:
        InputError: An argument has another key.
    """
    values, overrides = {}, []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"'{word}' cannot be read: expected key=value.")
        if key in own:
            values[key] = value
        elif key in passed_on:
            overrides.append(word)
        else:
            raise InputError(f"There is no setting '{key}'. {nearest(key, {*own, *passed_on})}")
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(configuration_folder().absolute())):
        return values, checked(compose("config", [readable(one) for one in overrides]))


def _keys_of_modules() -> list[str]:
    return [f"module.{key}" for key in vars(Config().module)]


def _modules(config: Config) -> Path:
    return Path(config.paths.modules)


def _start(config: Config) -> None:
    """Imports TensorFlow without its log messages."""
    from search.utils.device import configure

    configure(config.device, mixed_precision=False)


def _say(console: Console, sentence: str) -> None:
    console.print(escape(sentence), highlight=False, soft_wrap=True)


def parser() -> argparse.ArgumentParser:
    """A parser of the command and its key=value arguments, which are not checked here."""
    parser = Parser("python -m search.modules", description="Lists, tries and makes modules.")
    commands = parser.add_subparsers(dest="command", metavar="list | check | fetch | export", required=True)
    listing = commands.add_parser("list", help="the catalog and what is on disk", description="Lists modules.")
    check = commands.add_parser("check", help="try a module", description="Loads a module and tries it on sentences.")
    fetch = commands.add_parser(
        "fetch", help="bring a module here", description="Downloads, unpacks or builds a module."
    )
    for command in (check, fetch):
        command.add_argument(
            "handle", metavar="HANDLE", help="a name, a TF Hub handle, hf://…, keras://…, a .tar.gz or a folder"
        )
    making = commands.add_parser(
        "export", help="make a module", description="Makes a module of a file of word vectors or an encoder's folder."
    )
    for command, keys in (
        (listing, "format=table or markdown, paths.modules"),
        (check, "module.vocabulary and the other settings of module, paths.modules, device"),
        (fetch, "the same as of check"),
        (
            making,
            "format=glove, word2vec, word2vec-binary, fasttext or transformers, path, name; vocabulary (keep so many "
            "words), overwrite=true, licence, language, paths.modules, device",
        ),
    ):
        command.add_argument("settings", nargs="*", metavar="KEY=VALUE", help=keys)
    return parser
