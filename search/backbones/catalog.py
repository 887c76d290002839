"""The catalog of modules with a short name: a YAML file each, packaged, in the user's own folder, or exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from search.backbones.joined_names import parts, sized
from search.config import ModuleConfig
from search.errors import InputError
from spaces import UNPUBLISHED

TEXTS, IMAGES = "texts", "images"
"""The kinds of rows that modules embed."""


@dataclass(frozen=True)
class Entry:
    """An entry of the catalog; it must give a handle or a source."""

    name: str = MISSING
    """Its name in `space.modules`, and the name of the file."""
    handle: str | None = None
    """A TF Hub handle, or the URL or path of a .tar.gz, or a folder."""
    source: str | None = None
    """The Python package that the module is built from."""
    dimension: int = MISSING
    licence: str = MISSING
    language: str = MISSING
    """ISO codes, with commas between them; anything else is shown as it is."""
    preprocessor: str | None = None
    """Handle or folder of the preprocessor that turns texts into the module's inputs; wins over module.preprocessor."""
    notes: str = ""
    version: str | None = None
    """The source's version, where its wheel alone is fetched; then `sha256` is given too."""
    sha256: str | None = None
    """Checksum of that wheel."""
    takes: str = TEXTS
    """What it embeds, texts or images."""
    image_size: int | None = None
    """Height and width that images are brought to; none: those that the module takes, or takes best."""
    least_image_size: int | None = None
    """Height and width below which it takes no images, where it takes them of any size."""


def catalog(folders: Sequence[Path]) -> dict[str, Entry]:
    """Reads the catalog.

    Args:
        folders: Configuration folders; each one's `module/*.yaml` is read. An entry takes the place of one of the same
            name in an earlier folder.

    Returns:
        The entries by name.

    Raises:
        InputError: A file is not such an entry.
    """
    entries = {}
    for folder in folders:
        for path in sorted((folder / "module").glob("*.yaml")):
            entry = _read(path)
            entries[entry.name] = entry
    return entries


def exported(modules: Path) -> dict[str, Entry]:
    """Reads the entries of the modules that `python -m search.modules export` wrote.

    Args:
        modules: Folder that modules are kept in; each `NAME/NAME.yaml` there is read.

    Returns:
        The entries by name, their handles being folders.

    Raises:
        InputError: A file is not such an entry.
    """
    entries = {}
    for path in sorted(modules.glob("*/*.yaml")):
        if path.stem == path.parent.name and not path.name.startswith("."):
            entry = _read(path)
            # The folder of modules can be moved: what is inside is found from where the file is.
            entries[entry.name] = replace(entry, handle=str(path.parent / (entry.handle or "")))
    return entries


@dataclass(frozen=True)
class ModulePlaces:
    """The places where modules are looked for and kept, and how they are made there.

    Attributes:
        settings: The settings of modules.
        folder: Folder that downloaded, built and exported modules are kept in.
        catalogs: Configuration folders whose `module/*.yaml` name modules.
        known: Paths as the user typed them, to where they led when a run was begun.
    """

    settings: ModuleConfig
    folder: Path
    catalogs: Sequence[Path] = ()
    known: Mapping[str, str] = field(default_factory=dict)

    def entries(self, names: Sequence[str]) -> dict[str, Entry]:
        """Reads all entries, of the catalog and exported ones.

        Args:
            names: The names that will be used, of modules or of several that are joined.

        Raises:
            InputError: A file is not such an entry, or one of the names means two modules, or joins what cannot be.
        """
        listed, own = catalog(self.catalogs), exported(self.folder)
        placed = {name: Entry(name, handle) for name, handle in self.known.items()}
        entries = {**own, **listed, **placed}
        for name in [part for one in names for part in parts(one, entries)]:
            if (of_size := sized(name)) and not Path(name).exists():
                # The same module, for images of another size.
                base, size = of_size
                known = placed.get(name) or entries.get(base) or Entry(base, base)
                if (least := known.least_image_size) is not None and size < least:
                    raise InputError(
                        f"module {name}: expected images from {least} x {least} on, such as {base}@{least}."
                    )
                entries[name] = replace(known, name=name, image_size=size)
                name = base
            if name in listed and name in own:
                path = self.folder / name
                raise InputError(
                    f"module {name} is two: one of the catalog and the exported one in {path}. Give that folder, "
                    f"space.modules=[{path}], or move it to another place to mean the catalog's."
                )
        return entries


def entry_of(name: str, entries: Mapping[str, Entry]) -> Entry | None:
    """The entry of a module, whose name may end in a size of images; None: it is in no catalog."""
    if name not in entries and (of_size := sized(name)) is not None and of_size[0] in entries:
        return replace(entries[of_size[0]], name=name, image_size=of_size[1])
    return entries.get(name)


def licence_of(name: str, entries: Mapping[str, Entry]) -> str | None:
    """The licence of a module, as the catalog states it; None where it does not."""
    entry = entry_of(name, entries)
    return None if entry is None or entry.licence == MISSING else entry.licence


def facts(name: str, entries: Mapping[str, Entry]) -> dict[str, Any]:
    """The facts about a module, or about several that are joined, as far as all of them are in the catalog.

    Returns:
        The attributes of `Entry`; of a module that is not in the catalog its name alone.
    """
    several = [found for part in parts(name, entries) if (found := entry_of(part, entries)) is not None]
    if len(several) < len(parts(name, entries)):
        return {"name": name}
    if len(several) == 1:
        return asdict(several[0])
    places = [one.handle or one.source for one in several]
    spoken = [[code.strip() for code in one.language.split(",")] for one in several]
    shared = [code for code in spoken[0] if all(code in codes for codes in spoken)]
    return {
        "name": name,
        "source": " and ".join(str(place) for place in places),
        "dimension": sum(one.dimension for one in several),
        "licence": " and ".join(dict.fromkeys(one.licence for one in several)),
        "language": ", ".join(shared),
        "notes": " ".join(one.notes for one in several),
    }


def markdown(entries: Iterable[Entry]) -> str:
    """Renders the catalog as the Markdown table of the README."""
    lines = ["| name | dimension | language | licence | what | needs |", "|---|---|---|---|---|---|"]
    for entry in entries:
        needs = _needs(entry)
        cells = (f"`{entry.name}`", str(entry.dimension), entry.language, entry.licence, entry.notes, needs)
        lines.append(f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def _needs(entry: Entry) -> str:
    if entry.source is None:
        return "a download"
    if entry.sha256 is None:
        return f"the package `{entry.source}`"
    return f"a download by pip{', `search[transformers]`' if entry.takes == TEXTS else ''}"


def _read(path: Path) -> Entry:
    return _read_once(path, path.stat().st_mtime_ns)


@cache
def _read_once(path: Path, _modified: int) -> Entry:
    """Reads an entry, which several steps of a run ask for: OmegaConf takes 10 ms for each."""
    try:
        entry = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Entry), OmegaConf.load(path)))
    except (OmegaConfBaseException, YAMLError, UnicodeDecodeError) as error:
        key = getattr(error, "full_key", None)
        reason = f"{key}: {str(error).splitlines()[0]}" if key else str(error).splitlines()[0]
        raise InputError(f"{path} is no entry of the module catalog: {reason}.") from error
    assert isinstance(entry, Entry)
    if entry.name != path.stem:
        raise InputError(f"{path} is called {entry.name} inside: the file must be named {entry.name}.yaml.")
    if entry.name in UNPUBLISHED:
        raise InputError(f"{path}: {entry.name} names what is learned from the training texts: choose another name.")
    if entry.takes not in (TEXTS, IMAGES):
        raise InputError(f"{path}: expected texts or images as what it takes, found {entry.takes!r:.40}.")
    if (entry.handle is None) == (entry.source is None):
        raise InputError(f"{path} must give either a handle or a source.")
    if (entry.version is None) != (entry.sha256 is None) or (entry.sha256 is not None and entry.source is None):
        raise InputError(f"{path} must give version and sha256 of its source together, or neither.")
    return entry
