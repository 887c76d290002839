"""The inputs of a run: checksums of its data and modules, so that it never goes on with others unnoticed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from search.config import configuration_folder
from search.config.dataset import DatasetConfig
from search.datasets.check import check_config
from search.datasets.fetch import data_files
from search.errors import InputError
from search.utils.checksums import Checksum
from search.utils.files import write_json
from search.utils.special_files import special


@dataclass(frozen=True)
class DataFile:
    """A file or folder of labelled texts.

    Attributes:
        path: Its path, absolute.
        checksum: The checksum of its content.
    """

    path: str
    checksum: Checksum


@dataclass(frozen=True)
class Inputs:
    """The inputs of a run, as its inputs.json keeps them.

    Attributes:
        data: Each setting that names data, such as dataset.path, to its file or folder.
        modules: Name of each module to its identity, from `search.backbones.hub.identity.content`.
        catalogs: Folders of the person's own whose `module/*.yaml` name modules.
        places: Modules that the user named by a path, by these names, to where the paths led, absolute.
    """

    data: Mapping[str, DataFile]
    modules: Mapping[str, str] = field(default_factory=dict)
    catalogs: Sequence[str] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_data(cls, config: DatasetConfig, data: Path) -> Self:
        """Computes the checksums of all files of a data set.

        Args:
            config: The settings of the data set.
            data: The folder of downloaded files.

        Raises:
            InputError: One is not there or cannot be read, or the configuration cannot be used.
        """
        check_config(config)
        found = {}
        for key, path in data_files(config, data).items():
            if (kind := special(path)) is not None:
                raise InputError(
                    f"{key}={path} is {kind}: expected a file or a folder, which can be read more than once."
                )
            try:
                found[key] = DataFile(str(path.absolute()), Checksum.of(path))
            except OSError as error:
                raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        return cls(found)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Reads inputs.json; None where there is none, in a run that an earlier version began.

        Raises:
            InputError: The file is damaged.
        """
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            data = {
                str(key): DataFile(str(one["path"]), Checksum(str(one["sha256"]), int(one["bytes"]), int(one["files"])))
                for key, one in content["data"].items()
            }
            modules = {str(name): str(one) for name, one in content["modules"].items()}
            # Earlier versions wrote the places into the configuration.
            places = {str(name): str(place) for name, place in content.get("places", {}).items()}
            return cls(data, modules, [str(folder) for folder in content["catalogs"]], places)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is damaged ({error}): restore it from a copy, or start a new run.") from error

    def write(self, path: Path) -> None:
        """Writes them as JSON."""
        data = {key: {"path": one.path, **asdict(one.checksum)} for key, one in self.data.items()}
        content: dict[str, Any] = {"data": data, "modules": dict(self.modules), "catalogs": list(self.catalogs)}
        content["places"] = dict(self.places)
        write_json(path, content)

    def check_data(self, now: Inputs) -> None:
        """Compares the data of a run that is to go on with what is there now, wherever it lies.

        Raises:
            InputError: It is not the same.
        """
        for key in sorted({*self.data, *now.data}):
            then, found = self.data.get(key), now.data.get(key)
            if then is None or found is None:
                here = "was begun without it" if then is None else f"was begun with {then.path}"
                raise InputError(
                    f"{key}: the run {here}, and can be resumed only with the same data; or start a new run."
                )
            if then.checksum != found.checksum:
                raise InputError(
                    f"{key}={found.path} is not the data that the run was begun with: {found.checksum} in place of "
                    f"{then.checksum}. Restore it or give its path, {key}=…; or start a new run."
                )

    def with_modules(self, folders: Mapping[str, Path], catalogs: Sequence[Path], places: Mapping[str, str]) -> Self:
        """The inputs with the modules of the run added.

        Args:
            folders: Name of each module to its SavedModel.
            catalogs: Folders whose `module/*.yaml` name modules.
            places: Paths of modules as the user typed them; see `Inputs.places`.
        """
        from search.backbones.hub.identity import content  # brings TensorFlow

        own = [str(folder.absolute()) for folder in catalogs if folder.absolute() != configuration_folder()]
        modules = {name: content(folder) for name, folder in folders.items()}
        return replace(self, modules=modules, catalogs=own, places=places)

    def with_catalogs(self, catalogs: Sequence[Path]) -> list[Path]:
        """The catalogs that a run was begun with, before those that are given now."""
        return [*dict.fromkeys([*map(Path, self.catalogs), *catalogs])]

    def check_modules(self, now: Inputs) -> None:
        """Compares the modules of a run that is to go on with those that are there now.

        Raises:
            InputError: One is not the same.
        """
        for name, found in now.modules.items():
            if self.modules.get(name, found) != found:
                raise InputError(
                    f"module {name} is not the one that the run was begun with: its weights, words or operations "
                    "differ. Restore it, or start a new run."
                )
