"""How much is said, in letters, and from how many on it is a wish, a remark, a matter or a story: all such measures."""

from __future__ import annotations

from typing import Final

from bot.flows.wording import bare

# What tells nothing
BARE_NO: Final = 12  # "no" in many words; more say something else as well
BARE_YES: Final = 20  # the same of "yes"
BARE_WISH: Final = 16  # "I want a refund": what a wish takes that tells nothing of its matter
BESIDE: Final = 8  # what may stand beside a number, a product or a time, as in "make it Sunday, please"
SCRAP: Final = 12  # what may be the beginning of a sentence

# What tells something
WANTED: Final = 4  # the name of what is wanted
GRIEVANCE: Final = 6  # what a complaint is about
ASKED: Final = 6  # what is asked
CLAUSE: Final = 10  # one clause
MATTER: Final = 20  # a matter: so much more than the bare wish
ATTEMPT: Final = 24  # a remark that holds a number, too: fewer are that number, mistyped
NAME: Final = 24  # at most: a name
REMARK: Final = 40  # at most: a remark, or a question about our question
STORY: Final = 160  # a long story


def letters(text: str) -> int:
    """How much is said: a Chinese character counts two."""
    return sum(2 if char > "\u2e80" else 1 for char in bare(text))
