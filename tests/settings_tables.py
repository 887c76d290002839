"""Writes what is made from the declarations of the settings: `python tests/settings_tables.py`.

`conf/space/default.yaml` and `docs/settings.md` are made from `spaces.settings.SETTINGS` and from the fields of
`search.config` (their defaults, their domains and the strings below them); a test compares them.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING as ABSENT
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from omegaconf import MISSING, OmegaConf

from search.config import Config
from spaces import AUTO, SETTINGS, Choice, Float, Int
from spaces.setting import Setting

ROOT = Path(__file__).parents[1]
SPACE_YAML = ROOT / "conf" / "space" / "default.yaml"
PAGE = ROOT / "docs" / "settings.md"
GROUPS = ROOT / "conf" / "config.yaml"

_SPACE_HEAD = """\
# What the search may try; written from spaces/settings.py by python tests/settings_tables.py
# A list is a choice, {min, max} a range ({…, log: true} on a log scale, {…, step: 0.1} in steps), a single value is
# pinned. Every line is an override: space.units=[64,128] space.learning_rate.max=1e-3
"""
_PAGE_HEAD = """\
# All settings

Every key can be set on the command line, `python -m search tuner.max_epochs=27`, or in a YAML file. `null` leaves a
setting unset. (Written from the declarations by `python tests/settings_tables.py`.)
"""
_LIMITS = {"least": "from", "above": "above", "most": "to"}
_TYPES = {
    "bool": "true, false",
    "str": "text",
    "int": "whole numbers",
    "int | float": "numbers",
    "int | str": "auto, whole numbers",
}
_SPACE_INTRO = """
## space

A list is a choice, `{min, max}` a range, a single value is pinned: see [what is searched](search.md).
"""


def space_yaml() -> str:
    """The text of conf/space/default.yaml."""
    lines = [_SPACE_HEAD]
    above = None
    for name, setting in SETTINGS.items():
        if setting.help != above:
            lines += [f"# {line}" for line in textwrap.wrap(_help(setting), 116, break_on_hyphens=False)]
        lines.append(f"{name}: {_range(setting.default)}")
        above = setting.help
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """The text of docs/settings.md."""
    parts = [_PAGE_HEAD, _SPACE_INTRO, _table(["setting", "default", "values", "meaning"], _space_rows())]
    groups: dict[str, list[list[str]]] = {}
    for key, row in _config_rows(Config):
        groups.setdefault(key.rpartition(".")[0], []).append(row)
    for group, rows in sorted(groups.items()):
        parts += [f"\n## {group or 'the run'}\n", _table(["setting", "default", "values", "meaning"], rows)]
    return "\n".join(parts)


def described(schema: type) -> dict[str, str]:
    """Name of each field of a dataclass to the string that stands below it."""
    (body,) = [node.body for node in ast.parse(textwrap.dedent(inspect.getsource(schema))).body]  # type: ignore[attr-defined]
    found = {}
    for field, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            string = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            found[field.target.id] = " ".join(after.value.value.split()) if string else ""
    return found


def config_fields(schema: type, prefix: str = "") -> Iterator[tuple[str, Field[Any], str]]:
    """Key, field and description of every setting below a dataclass, but for the space's."""
    words, hints = described(schema), get_type_hints(schema)
    for field in fields(schema):
        key = f"{prefix}{field.name}"
        if is_dataclass(hints[field.name]):
            yield from config_fields(hints[field.name], f"{key}.")
        elif key != "space":
            yield key, field, words[field.name]


def yaml_defaults() -> dict[str, Any]:
    """The values that conf/config.yaml sets, key by key."""

    def flat(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in node.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    content = OmegaConf.to_container(OmegaConf.load(GROUPS))
    assert isinstance(content, dict)
    return dict(flat({name: value for name, value in content.items() if name not in ("defaults", "hydra")}, ""))


def _config_rows(schema: type) -> Iterator[tuple[str, list[str]]]:
    in_yaml = yaml_defaults()
    for key, field, words in config_fields(schema):
        default = in_yaml.get(key, None if field.default is ABSENT else field.default)
        shown = "" if default == MISSING else f"`{_plain(default)}`"
        yield key, [f"`{key}`", shown, _domain(field), words]


def _domain(field: Field[Any]) -> str:
    told = field.metadata
    if "names" in told:
        return ", ".join(told["names"])
    if told.get("plain"):
        return "text, lists"
    limits = [f"{word} {told[name]:,}" for name, word in _LIMITS.items() if told.get(name) is not None]
    return " ".join(limits) or _TYPES.get(str(field.type).removesuffix(" | None"), "")


def _space_rows() -> list[list[str]]:
    rows = []
    for name, setting in SETTINGS.items():
        rows.append([f"`space.{name}`", f"`{_range(setting.default)}`", setting.domain.expected, _help(setting)])
    return rows


def _help(setting: Setting) -> str:
    if setting.where is None:
        return setting.help
    return f"{setting.help.rstrip('.…')}. Exists only where {setting.where.words}."


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _range(default: Any) -> str:
    """A range as the YAML file writes it."""
    if isinstance(default, Choice):
        return f"[{', '.join(_plain(value) for value in default.values)}]"
    if isinstance(default, Int | Float):
        log = ", log: true" if default.log else ""
        step = f", step: {default.step}" if default.step not in (None, 1) else ""
        return f"{{min: {default.min}, max: {default.max}{step}{log}}}"
    if isinstance(default, tuple):
        return f"[{', '.join(default)}]"
    return AUTO if default == AUTO else _plain(default)


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    SPACE_YAML.write_text(space_yaml(), encoding="utf-8")
    PAGE.write_text(settings_page(), encoding="utf-8")
