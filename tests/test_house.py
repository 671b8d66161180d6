"""The house rules: modules and functions stay small, names stay plain, what is installed is used and pinned."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).parent.parent
HOUSE = ("bot", "channels", "handoff", "intents", "knowledge")
MODULES = sorted(path for folder in HOUSE for path in (HOME / folder).rglob("*.py"))
EVERYTHING = MODULES + sorted(path for folder in ("tests", "benchmarks") for path in (HOME / folder).rglob("*.py"))
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))

FIRST = "bot/migrations/versions/0001_the_first_tables.py"
PEOPLE = "bot/migrations/versions/0002_people.py"
LONG_MODULES = {FIRST: "a migration repeats all the tables it makes"}  # path -> why it may have more than 300 lines
LONG_FUNCTIONS = {
    f"{one}:upgrade": "one step, all or nothing" for one in (FIRST, PEOPLE)
}  # path:name -> why it may have more than 40 lines
NOT_IMPORTED = {  # distribution -> why it is a dependency all the same
    "httptools": "uvicorn reads requests with it",
    "python-multipart": "Starlette reads forms with it",
    "tzdata": "zoneinfo's data where the system has none",
    "uvloop": "uvicorn runs on it",
}


def name(path: Path) -> str:
    return path.relative_to(HOME).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring."""
    first = function.body[0]
    said = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) and first.end_lineno else 0
    return (function.end_lineno or 0) - function.lineno + 1 - said


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_modules_are_short() -> None:
    long = {name(path) for path in MODULES if len(path.read_text("utf-8").splitlines()) > 300}
    assert long == LONG_MODULES.keys()


def test_functions_are_short() -> None:
    long = {f"{name(path)}:{f.name}" for path in EVERYTHING for f in functions(path) if length(f) > 40}
    assert long == LONG_FUNCTIONS.keys()


def test_a_module_says_what_it_is_for() -> None:
    assert [name(path) for path in EVERYTHING if path.stat().st_size and not ast.get_docstring(tree(path))] == []


@pytest.mark.parametrize("folder", ["bot", "bot/flows", "handoff"])
def test_a_large_folder_says_what_is_where(folder: str) -> None:
    told = set(re.findall(r"\w+", (HOME / folder / "__init__.py").read_text("utf-8")))
    inside = {path.stem for path in (HOME / folder).iterdir() if not path.name.startswith("__")}
    assert inside - told == set()


def test_nothing_is_left_to_do() -> None:
    left = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [name(p) for p in EVERYTHING if p != Path(__file__) and left.search(p.read_text("utf-8"))] == []


def test_nobody_waits_in_a_way_that_forgets_to_stop() -> None:
    """On Python 3.11 ``wait_for`` loses a cancellation that comes with what it waits for; a timeout does not."""
    assert not [name(path) for path in MODULES if "asyncio.wait_for(" in path.read_text("utf-8")]


def test_names_are_plain() -> None:
    grand = re.compile(r"(Manager|Service|Handler|Helper|Utils?|(?<!Knowledge)Base|Impl)$")  # a knowledge base is one
    named = [(path, node.name) for path in MODULES for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert [f"{name(path)}: {called}" for path, called in named if grand.search(called)] == []
    assert [name(path) for path in MODULES if path.stem in ("utils", "helpers", "common", "misc")] == []


def requirements() -> list[Requirement]:
    written = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["test"]]
    return [Requirement(line) for line in written + PROJECT["project"]["optional-dependencies"]["semantic"]]


def pins() -> dict[str, str]:
    lines = (HOME / "constraints.txt").read_text("utf-8").splitlines()
    exact = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(package): version for package, version in exact}


def test_what_is_required_is_pinned() -> None:
    pinned = pins()
    loose = [str(r) for r in requirements() if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert loose == []


def test_what_is_installed_is_used() -> None:
    by_module = packages_distributions()
    imported = {
        canonicalize_name(distribution)
        for path in MODULES
        for module in imports(path)
        for distribution in by_module.get(module, ())
    }
    required = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    assert required - imported == NOT_IMPORTED.keys()


def imports(path: Path) -> set[str]:
    """Top-level names of the modules a file imports."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_everything_beside_the_modules_is_packed() -> None:
    packed = {pattern.removeprefix("*") for pattern in PROJECT["tool"]["setuptools"]["package-data"]["*"]}
    beside = {p for folder in HOUSE for p in (HOME / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert [name(p) for p in sorted(beside) if p.suffix not in packed | {".py"}] == []


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{PROJECT['project']['version']}]" in (HOME / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("path", [path for path in MODULES if "versions" not in path.parts], ids=name)
def test_a_function_that_is_public_says_what_it_does(path: Path) -> None:
    public = [
        node for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)] == []
