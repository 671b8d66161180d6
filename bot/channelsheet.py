"""Which settings a channel takes: the keyword parameters of its class, read without importing a platform's library."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from bot.strictyaml import Node, Problem, YamlError, check, suggest

FOLDER: Final = Path(__file__).parent.parent / "channels"
GIVEN: Final = frozenset({"name", "secret", "company", "public_url"})  # parameters the house fills in itself
_TYPES: Final[dict[str, Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "Sequence[str]": tuple[str, ...],
    "tuple[str, ...]": tuple[str, ...],
}


def fit(node: Node) -> tuple[dict[str, dict[str, Any]], dict[str, str], list[Problem]]:
    """The channels of config.yaml that are on, why the others are off, and what is wrong with any of them."""
    on: dict[str, dict[str, Any]] = {}
    off: dict[str, str] = {}
    problems: list[Problem] = []
    channels = node.data.get("channels") if isinstance(node.data, dict) else None
    for name, given in channels.items() if isinstance(channels, dict) else ():
        if not isinstance(given, dict):  # config.py says so
            continue
        at = ("channels", name)
        kind = given.get("type") or name
        if kind not in kinds():
            what = f"channels.{name}.type: unknown {kind!r} {suggest(kind, kinds())}"
            problems.append(node.problem(what, *at, "type"))
            continue
        try:
            settings = check(sheet(kind), node, at)
        except YamlError as error:
            problems += [Problem(p.file, p.line, f"channels.{name}: {p.what}") for p in error.problems]
            continue
        if empty := [key for key, field in sheet(kind).model_fields.items() if field.is_required() and not given[key]]:
            off[name] = f"{', '.join(empty)} empty"
        else:
            on[name] = settings.model_dump(exclude_unset=True) | {"type": kind}
    return on, off, problems


@cache
def kinds() -> frozenset[str]:
    """The types of channels there are: the files or packages in channels/ that hold a class of their name."""
    files = {file.stem: file for file in FOLDER.glob("*.py")} | {f.parent.name: f for f in FOLDER.glob("*/__init__.py")}
    return frozenset(kind for kind, file in files.items() if _channel(kind, file))


@cache
def sheet(kind: str) -> type[BaseModel]:
    """The settings of a type of channel; the required ones have no default in its constructor."""
    alone = FOLDER / f"{kind}.py"
    channel = _channel(kind, alone if alone.exists() else FOLDER / kind / "__init__.py")
    init = next(f for f in channel.body if isinstance(f, ast.FunctionDef) and f.name == "__init__") if channel else None
    fields: dict[str, Any] = {"type": (str, kind)}
    for arg, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True) if init else ():
        if arg.arg not in GIVEN and arg.annotation:
            value_type = _TYPES.get(ast.unparse(arg.annotation), Any)
            fields[arg.arg] = (value_type, ... if default is None else Field(None))
    return create_model(f"{kind} channel", __config__=ConfigDict(extra="forbid"), **fields)


def _channel(kind: str, file: Path) -> ast.ClassDef | None:
    classes = [node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    return next((node for node in classes if node.name == kind.capitalize()), None)
