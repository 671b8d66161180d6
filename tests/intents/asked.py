"""What the tests of understanding share: a moment, and an FAQ that knows nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from knowledge.index import Knowledge, Ranking

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Wednesday
PRODUCTS = ("AX3000", "AX1800", "BE6500", "HG-210", "X20", "X20 Pro")


class Silent(Knowledge):
    """Answers nothing, and remembers what it was asked."""

    def __init__(self, ranking: Ranking | None = None) -> None:
        self.ranking = ranking or Ranking("unknown")
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []

    def ask(self, text: str, lang: str = "", **scope: Any) -> Ranking:
        self.asked.append((text, lang, tuple(scope["products"])))
        return self.ranking
