"""A matter for people: what its form asks for and is not known yet; confirmed, then numbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.dialogue import Learn
from bot.flows import reading, wording
from bot.flows.lengths import BARE_WISH, letters
from bot.flows.reading import Heard
from bot.flows.steps import LEFT, SKIP, Ask, Flow, Known, Say, Ticket
from bot.texts import Word, Written

SKIPS: Final = ("skip", "跳过")
FREE: Final = frozenset({"words", "text", "address", "company"})  # any words are an answer
AGAIN: Final = {"words": "flow.again", "contact": "ask.contact.again"}  # else again.<how it is read>


def ticket(known: Known) -> Flow:
    """Ask only what is missing, show it once, and give a number and a time; also to who left in the middle."""
    form = {part["name"]: part for part in known.get("asks", ())}
    asks = {name: question(part, known) for name, part in form.items()}
    if "what" in asks and known.get("answered"):
        asks["what"] = replace(asks["what"], read=what_or_same, options=(SKIP,))
    told = dict(known)
    if known.get("about"):
        yield Say("ticket.about", what=on_a_line(known["about"]))
    for name, ask in asks.items():
        told[name] = told.get(name) or noticed(told, form[name]["read"])
        if not told[name] and form[name]["need"] != "told":
            yield from filled(told, name, ask)
    about = matter(told)
    told["what"] = "\n".join(filter(None, (known.get("first", ""), about, known.get("more", ""))))
    while (sure := known.get("sure") or (yield confirmation(told, form))) == "change":
        labels = {name: part["label"] for name, part in form.items() if name in shown(told, form)}
        if (name := (yield Ask("change", nothing_more, options=tuple(labels), labels=labels))) != LEFT:
            yield from filled(told, name, asks[name])
    if sure == "no":
        yield Say("ticket.dropped")
        return
    details = {name: said(told, name) for name in form if name != "what"}
    what = said(told, "what")
    if not about:  # what it is about stands in the other fields
        what = ", ".join(filter(None, (*(part for name, part in details.items() if name != "contact"), what)))
    opened = yield Ticket(known["kind"], what or known["words"], known["priority"], details)
    yield from learnt(details, known)
    if sure == LEFT:
        yield Say("ticket.left", "do:ticket_status", what=on_a_line(what or known["words"]), **opened)
    else:
        yield Say("ticket.opened", "do:ticket_status", **opened)


def matter(told: Mapping[str, Any]) -> str:
    """What it is about; few words say little without what was asked before them."""
    about, before = said(told, "what"), str(told.get("answered", ""))
    return "\n".join(filter(None, (before, about))) if letters(about) < BARE_WISH else about


def what_or_same(heard: Heard) -> str | None:
    """A matter, or that it is what was asked before: the button says so, and so does whoever adds nothing to it."""
    return SKIP if reading.refused(heard) or wording.bare(heard.text) in SKIPS else reading.words(heard) or SKIP


def learnt(details: Mapping[str, str], known: Known) -> Flow:
    """What need not be asked another time: how to reach him, and which product of ours is his."""
    if contact := details.get("contact"):
        yield Learn("contact", contact)
    if (product := details.get("product", "")) in known.get("products", ()):
        yield Learn("product", product)


def nothing_more(heard: Heard) -> str | None:
    """Only a button will do, or that all is well as it is."""
    return LEFT if heard.yes_no or reading.yes_no(heard) else None


def question(part: Mapping[str, Any], known: Known) -> Ask:
    """What is asked for one field of the form, in the admin's words."""
    read, needed = reading.READERS[part["read"]], part["need"] == "required"
    return Ask(
        part["name"],
        reading.needed(read) if needed else read,
        names=tuple(known.get("products", ())) if part["read"] == "product" else (),
        options=() if needed else (SKIP,),
        key="own",
        values={"said": Written(part["ask"])},
        free=part["read"] in FREE,
        again=AGAIN.get(part["read"], f"again.{part['read']}"),
    )


def noticed(told: Mapping[str, Any], read: str) -> str:
    """What the matter names already; "" if nothing."""
    if read == "product":
        return wording.mentioned(told.get("what", ""), told.get("products", ()))
    if read == "company" and wording.is_private(str(told.get("what", ""))):
        return SKIP
    return str(told.get("named", {}).get(read, ""))


def filled(told: dict[str, Any], name: str, ask: Ask) -> Flow:
    """One field of it, asked for; what was told before stands if nobody answers."""
    answer = yield ask
    told[name] = told.get(name) or SKIP if answer == LEFT else answer


def said(told: Mapping[str, Any], name: str) -> str:
    """What was told for a field, "" if it was passed over."""
    value = told.get(name) or ""
    return "" if value == SKIP else str(value)


def on_a_line(text: str) -> str:
    """Several messages on one line, and still to be told apart."""
    return " / ".join(text.split("\n"))


def confirmation(told: Mapping[str, Any], form: Mapping[str, Mapping[str, Any]]) -> Ask:
    """Everything on one card."""
    parts = (
        (Written(form[name]["label"]), on_a_line(said(told, name)) or Word("ask.skipped")) for name in shown(told, form)
    )
    lines = tuple(Word("ticket.told", {"label": label, "said": value}) for label, value in parts)
    return Ask("confirm", reading.yes_no, options=("yes", "change", "no"), values={"parts": lines})


def shown(told: Mapping[str, Any], form: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The fields that stand on the card: those that are asked, and a matter that was told without."""
    return [name for name, part in form.items() if part["need"] != "told" or said(told, name)]
