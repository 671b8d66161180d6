"""Which settings a channel takes: the keyword parameters of its class, read without importing a platform's library."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from bot.strictyaml import Node, Problem, YamlError, check, suggest

FOLDER: Final = Path(__file__).parent.parent / "channels"
GIVEN: Final = frozenset({"name", "secret", "company", "public_url"})  # parameters the house fills in itself
ALONE: Final = frozenset({"web"})  # types whose addresses on the server are fixed: one channel of them, no more
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")  # it stands in addresses
_SITE = re.compile(r"(https?)://([a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?")
_STANDARD: Final = {"http": "80", "https": "443"}


def _origin(site: str) -> str:
    """A site as browsers name it: they leave the standard port out."""
    if not (found := _SITE.fullmatch(site.lower())) or int(found[3] or 1) not in range(1, 65536):
        raise ValueError(f"must be a site like https://www.example.com, without a path, not {site[:60]!r}")
    scheme, host, port = found.groups()
    return f"{scheme}://{host}:{port}" if port not in (None, _STANDARD[scheme]) else f"{scheme}://{host}"


def _api(url: str) -> str:
    if url and not (re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url) and reachable(url)):
        raise ValueError(f"must be an address like https://api.example.com, not {url[:60]!r}")
    return url


def reachable(url: str) -> bool:
    """Whether the address names a host, and a port that there can be."""
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False


def _place(form: str, said: str) -> Any:
    def right(id: str) -> str:
        if id and not re.fullmatch(form, id):
            raise ValueError(f"must be the id of {said}, not {id[:60]!r}")
        return id

    return Annotated[str, AfterValidator(right)]


_NAMED: Final[dict[str, Any]] = {  # settings that say by their name what they must be
    "aes_key": Annotated[str, Field(pattern="^([A-Za-z0-9]{43})?$")],
    "api_url": Annotated[str, AfterValidator(_api)],
    "slack.desk": _place("[CG][A-Z0-9]{5,20}", "a Slack channel, such as C0123456789"),
    "telegram.desk": _place("-[0-9]{5,18}", "a Telegram group, such as -1001234567890"),
    "origins": tuple[Annotated[str, AfterValidator(_origin)], ...],
}
_TYPES: Final[dict[str, Any]] = {
    "str": str,
    "int": Annotated[int, Field(ge=1)],
    "float": Annotated[float, Field(ge=0)],
    "bool": bool,
    "Sequence[str]": tuple[str, ...],
    "tuple[str, ...]": tuple[str, ...],
}


def fit(node: Node) -> tuple[dict[str, dict[str, Any]], dict[str, str], list[Problem]]:
    """The channels of config.yaml that are on, why the others are off, and what is wrong with any of them."""
    on: dict[str, dict[str, Any]] = {}
    off: dict[str, str] = {}
    problems: list[Problem] = []
    taken: dict[str, str] = {}  # type -> the channel that is alone of it
    channels = node.data.get("channels") if isinstance(node.data, dict) else None
    for name, given in channels.items() if isinstance(channels, dict) else ():
        if not isinstance(given, dict):  # config.py says so
            continue
        at = ("channels", name)
        kind = str(given.get("type") or name)
        if kind not in kinds():
            what = f"channels.{name}.type: unknown {kind!r} {suggest(kind, kinds())}"
            problems.append(node.problem(what, *at, "type"))
            continue
        if not _NAME.fullmatch(name):
            problems.append(node.problem(f"channels: {name[:60]!r} must be a name of letters, digits, - and _", *at))
        if kind in ALONE and (first := taken.setdefault(kind, name)) != name:
            line = node.line("channels", first)
            what = f"channels.{name}: {first} on line {line} is of type {kind} already, and there can be only one"
            problems.append(node.problem(what, *at))
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
            value_type = _NAMED.get(f"{kind}.{arg.arg}") or _NAMED.get(arg.arg) or _type(arg.annotation)
            fields[arg.arg] = (value_type, ... if default is None else Field(None))
    return create_model(f"{kind} channel", __config__=ConfigDict(extra="forbid"), **fields)


def _type(annotation: ast.expr) -> Any:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple() as allowed):
            return Literal[ast.literal_eval(allowed)]
    return _TYPES.get(ast.unparse(annotation), Any)


def _channel(kind: str, file: Path) -> ast.ClassDef | None:
    classes = [node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    return next((node for node in classes if node.name == kind.capitalize()), None)
