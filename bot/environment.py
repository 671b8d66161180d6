"""What config.yaml takes from the environment: ``${NAME}`` and ``${NAME:-default}``."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

from bot.strictyaml import Node, Place, Problem

_VARIABLE = re.compile(r"\$\{(?:([A-Za-z_]\w*)(?::-([^{}]*))?\})?")  # ${NAME} or ${NAME:-default}; else a slip


def filled(node: Node) -> tuple[Node, list[Problem]]:
    """``${NAME}`` and ``${NAME:-default}`` replaced by the environment's values, and the names that have none."""
    problems: list[Problem] = []

    def value(match: re.Match[str], place: Place) -> str:
        name, default = match[1], match[2]
        if name is None:
            problems.append(node.problem("'${' must go on as ${NAME} or ${NAME:-default}", *place))
        elif default is None and name not in os.environ:
            what = f"the environment variable {name} is not set (${{{name}:-}} would allow that)"
            problems.append(node.problem(what, *place))
        return os.environ.get(name or "", "").strip() or default or ""  # a file's last line end is no part of a key

    def fill(data: Any, place: Place) -> Any:
        if isinstance(data, dict):
            return {key: fill(inner, (*place, key)) for key, inner in data.items()}
        if isinstance(data, list):
            return [fill(inner, (*place, index)) for index, inner in enumerate(data)]
        return _VARIABLE.sub(lambda match: value(match, place), data)

    return replace(node, data=fill(node.data, ()) or {}), problems
