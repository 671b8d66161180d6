"""Arbitrary messages: markdown soup, emoji, Chinese, right-to-left, and text that looks like somebody's markup."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from channels.tree import Node

MORSELS = [
    *("**", "*", "_", "__", "~~", "`", "```", "~~~", "#", "# ", "- ", "+ ", "1. ", "7) ", "> ", "---", "===", "|"),
    *("\n", "\n", "\n\n", "\n\n", " ", " ", "  ", "    ", "\t", "\\", "!", "&", "&amp;", "&#10;", "\u00a0", "|---|"),
    *("[", "](", ")", "]", "<", ">", "[a](https://x.example/a_(b)?c=1&copy=2)", "<https://x.example>", "<a@x.example>"),
    *("[**b** c](https://x.example/中)", "[t](tel:+49301)", "https://x.example/a-b_c?d=1", "`code`", "`` a ` b ``"),
    *("<!channel>", "<@U123>", "<#C1|general>", "<b>", "</pre>", "<script>", "<a href='javascript:x'>", "&lt;!all&gt;"),
    *("| a | b |\n|---|---|\n| 1 | `2` |\n\n", "\n```\nif a:\n    b\n```\n", "\n1. one\n2. two\n   - three\n"),
    *(
        "\n- a\n\n- b\n",
        "重启路由器。",
        "**请先断电！**然后",
        "（见“设置”页）",
        "مرحبا بالعالم",
        "Hello world. ",
        "snake_case",
    ),
    *(
        "👨‍👩‍👧‍👦",
        "🇩🇪🇫🇷",
        "👍🏽",
        "❤️",
        "e\u0301",
        "각",
        "क्षि",
        "1️⃣",
        "\u200d",
        "\u0301",
        "\ufe0f",
        "🏽",
        "🇦",
        "2 * 3",
        "10.",
    ),
]
_letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
soup = st.lists(st.one_of(st.sampled_from(MORSELS), _letters), max_size=60).map("".join)


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.inside:
        yield from walk(child)
