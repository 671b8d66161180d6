"""Every key of ``Talk.extra``: what the engine remembers of a chat beside its running flow. None forgets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class Memory(TypedDict, total=False):
    """Number: of a conversation or ticket. Those that hold a conversation's number are true in that one only."""

    # the matter, until a ticket takes it or the conversation ends
    told: Sequence[str] | None  # what he has told and asked, and no answer has settled
    earlier: Sequence[str] | None  # what he asked before he turned to another matter, and nobody answered
    answered: Sequence[str] | None  # what he has asked, and was answered
    settled: bool | None  # what he asked last was answered
    bare: bool | None  # only details have been told, and no matter
    product: str | None  # the product he has named
    details: Mapping[str, str] | None  # other details, by how a field is read that asks for one
    files: Sequence[Mapping[str, Any]] | None  # attachments that wait for their ticket
    ticket: str | None  # the ticket that what he tells next is about
    cancelled: Sequence[Any] | None  # journal of the form he has just given up, should he want it after all
    unsettled: Mapping[str, Any] | None  # what is offered to people now that he has gone

    # what was said already, and is not said in the same words again
    again: str | None  # the FAQ entry that was given once more, to other words
    noted: str | None  # number: he was told that details are kept
    let_be: bool | None  # he has let be what nobody could answer
    soothed: bool | None  # his anger was answered last time
    sought: str | None  # number: he was told that he has no such ticket
    unhelped: str | None  # number: he was offered people because an answer did not help
    reach: str | None  # number: he was asked how to reach him, in vain
    failed: bool | None  # people have got a matter because of an error
    greeted: bool | None  # he was welcomed

    # our last words and his
    passed: bool | None  # our last sentence had no buttons: those before it are not what "yes" means
    asked_at: str  # when the running flow asked its question, ISO
    runs: int  # number of the last flow that was begun, so that its buttons are known from older ones
    said: str | None  # the platform's id of his last message
    unanswered: str | None  # the same, if it was not answered: edited, it is tried anew
    quiet: Sequence[float] | None  # see bot/flows/quiet.py

    # people
    kept: bool | None  # in the line: he was told that his words are kept for people
    place: int | None  # in the line: how many he was told are before him …
    placed: str | None  # … and when, ISO
    escalated: bool | None  # in the line: whoever leads knows that he waits
    owed: str | None  # since when an agent owes him an answer, ISO
    snoozed: bool | None  # an agent looks at it later
    transfers: int | None  # how often he was passed on
    platform: str | None  # the platform's own people were asked to take him, or have: see bot/flows/platform.py
    clocks: Mapping[str, Any] | None  # what is promised in this conversation: see handoff/watch.py
    urgency: str | None  # how urgent it is for that

    # ratings
    rated_about: Mapping[str, str]  # number of a conversation -> its question, of the last few that were to be rated
    recoveries: Mapping[str, str]  # "number:cycle" of a low rating -> number of the ticket it became
