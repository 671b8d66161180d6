"""What is documented exists, and what exists is documented: commands, settings, variables, make targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer.main
from pydantic import BaseModel

from bot.__main__ import app
from bot.config import Limits, Server, Settings, load
from bot.strictyaml import load as read
from handoff.hours import Hours

HOME = Path(__file__).parent.parent
PAGES = {
    page: page.read_text("utf-8")
    for page in [*(HOME / "docs").glob("*.md"), *(HOME / name for name in ("README.md", "CONTRIBUTING.md"))]
    if page.exists()
}
TEXT = "\n".join(PAGES.values())
VARIABLE = re.compile(r"\$\{([A-Z_]+)")


def commands() -> dict[str, set[str]]:
    """Every command that does something, with its options."""
    found = {}
    waiting = [("aftercare", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        inner = getattr(command, "commands", {})
        waiting += [(f"{name} {word}", part) for word, part in inner.items()]
        if not inner:
            found[name] = {option for p in command.params for option in p.opts if option.startswith("--")}
    return found


def lines(command: str) -> str:
    """The documentation's lines about a command."""
    return "\n".join(line for line in TEXT.splitlines() if re.search(rf"`{command}\b", line))


def test_every_command_and_option_is_documented() -> None:
    missing = [name for name in commands() if not lines(name)]
    assert missing == []
    said = {name: set(re.findall(r"--[a-z-]+", lines(name))) for name in commands()}
    silent = {name: options - said[name] - {"--config", "--help"} for name, options in commands().items()}
    assert {name: options for name, options in silent.items() if options} == {}


def test_every_documented_command_exists() -> None:
    known = commands()
    written = re.findall(r"(?:`|^|bin/|&& )(aftercare(?: [a-z]+)+)", TEXT, re.MULTILINE)
    assert [line for line in written if not any(f"{line} ".startswith(f"{name} ") for name in known)] == []


def test_every_documented_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (HOME / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^|&& )make ([a-z]+)", TEXT, re.MULTILINE)) <= targets
    assert {"run", "test", "lint", "soak", "bench"} <= targets


def settings(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Every setting there is, as a dotted path."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.model_fields:
            yield from settings(kind, f"{place}{name}.")
        else:
            yield f"{place}{name}"


def test_every_setting_stands_in_config_yaml_with_a_word_about_it() -> None:
    node = read(HOME / "config.yaml")
    known = set(settings(Settings))
    written = {".".join(map(str, place)) for place in node.lines}
    assert known - written == set()
    text = (HOME / "config.yaml").read_text("utf-8").splitlines()
    obvious = {"server.port", "company.name", "company.phone", "company.hours", "limits.file_types"}
    lines = {place: node.line(*place.split(".")) - 1 for place in known - obvious}
    assert [
        place for place, line in lines.items() if "#" not in text[line] and not text[line - 1].startswith("#")
    ] == []


def test_config_yaml_shows_the_defaults() -> None:
    shown = load(HOME / "config.yaml")
    assert shown.limits == Limits()
    assert shown.standards == Settings().standards
    assert shown.handoff.model_copy(update={"hours": Hours()}) == Settings().handoff  # the hours are the company's own
    assert shown.server.model_copy(update={"secret_key": ""}) == Server()


def test_every_documented_setting_exists() -> None:
    known = {*settings(Settings), *(f"channels.web.{name}" for name in ("type", "origins"))}
    sections = "|".join(Settings.model_fields)
    assert set(re.findall(rf"`((?:{sections})(?:\.[a-z_]+)+)[`:]", TEXT)) <= known


def test_every_environment_variable_is_documented() -> None:
    used = set(
        VARIABLE.findall(
            "\n".join(
                line for line in (HOME / "config.yaml").read_text("utf-8").splitlines() if not line.startswith("#")
            )
        )
    )
    assert used == set(re.findall(r"^\| `([A-Z_]+)`", TEXT, re.MULTILINE))
