"""Does what people write at a desk, as commands like those of the console, and tells them what was not done.

What is done is not told here: it happens in the conversation, and stands in the thread like all that happens there.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update

from bot.files import FileRefused, TooLarge
from bot.messages import Attachment, Choice
from channels import Channel, NotSent
from channels.fetching import Lost
from handoff import accounts
from handoff.access import Actor, Denied
from handoff.commands import Reused
from handoff.desks import news, rendering, words
from handoff.desks.posting import House
from handoff.desks.reading import Command, Said, Wrong, read, visible
from handoff.desks.rendering import say, verbatim
from handoff.desks.words import Matter
from handoff.tables import agent
from intents.times import times

HOURS: Final = 8.0  # somebody at a desk is there, unless he says how long
LONGEST_STAY: Final = 24.0
ANSWERS: Final = 3  # that are offered for words
PREVIEW: Final = 300  # characters of one
MEANT: Final = {"note": "remark", "take": "claim"}  # commands that have another name elsewhere
WORDY: Final = frozenset({"say", "note", "promise", "faq", "transfer"})  # nothing without words behind them
FRESH: Final = 4.0  # seconds in which a thread that was begun is written down, if it ever is
REFUSED: Final = frozenset("taken busy away nobody closed stopped window empty when gone".split())


class Answered(Exception):
    """Nothing was done, or what was asked is answered: words for whoever wrote, and buttons."""

    def __init__(self, text: str, choices: tuple[Choice, ...] = ()) -> None:
        super().__init__(text)
        self.text, self.choices = text, choices


class Executor:
    """Does what the people of one desk ask for."""

    def __init__(self, house: House, channel: Channel) -> None:
        self._house, self._channel, self._store = house, channel, house.store
        self.lang = str(house.settings.languages[0])

    async def do(self, row: Any, who: Actor, matter: Matter | None) -> str:
        """Do it; returns what it was: said, or a command's name. Raises Answered, Away, or as fetching files does."""
        body = row.body
        if matter is None and body.get("below"):
            if time.time() - row.received_at < FRESH:  # the thread is so new that it is not yet written down
                raise NotSent("nobody knows this thread yet")
            raise Answered(say(self.lang, "wrong.orphan"))
        if body.get("choice"):
            return await self._pressed(row, who, matter, str(body["choice"]))
        if body.get("change"):
            await self._changed(row)
        text = str(body.get("text", ""))
        if body.get("album") and not text:
            text = await self._store.read(lambda c: words.album(c, row))
        match read(text):
            case Wrong(reason, nearest):
                raise Answered(self._wrong(reason, nearest))
            case Command(name, rest):
                return await self._command(row, who, matter, name, rest)
            case Said(said):
                return await self._said(row, who, matter, said, str(body.get("text", "")))

    # ------------------------------------------------------------ words

    async def _said(self, row: Any, who: Actor, matter: Matter | None, said: str, own: str) -> str:
        if matter is None:
            return "beside"  # people talk with each other
        files = await self._files(row, matter)
        if not (said or files):
            raise Answered(say(self.lang, "wrong.nothing"))
        data: dict[str, Any] = {"text": own.strip() if row.body.get("album") else said}
        if row.body.get("change"):
            data["corrects"] = True
        await self._order(row, who, matter, "say", data, files, news.SAID)
        return news.SAID

    async def _changed(self, row: Any) -> None:
        """Only what was said to the customer is corrected; what was a note before does not become words to him."""
        before = await self._store.read(lambda c: words.before(c, row))
        if row.body["change"] == "deleted":
            raise Answered(say(self.lang, "wrong.deleted") if before == news.SAID else "")
        if before != news.SAID and isinstance(read(str(row.body.get("text", ""))), Said):
            raise Answered(say(self.lang, "wrong.edit") if before not in ("", "beside") else "")

    async def _files(self, row: Any, matter: Matter) -> list[Attachment]:
        """The files of the message, fetched for the customer's chat. Raises Answered for one that will not be had."""
        found = []
        for file, errand in words.files(row.body):
            why = ""
            try:
                if not await self._house.files.open(file.id, matter.address):
                    await self._channel.bring(file.id, {**errand, "owner": matter.address})
            except FileRefused as error:
                why = "large" if isinstance(error, TooLarge) else "kind"
            except Lost as error:
                why = "large" if error.large else "lost"
            if why:
                told = say(self.lang, f"why.{why}")
                raise Answered(say(self.lang, "wrong.file", name=verbatim(file.name), why=told))
            kept = await self._house.files.open(file.id, matter.address)
            found.append(kept[0])
        return found

    # ------------------------------------------------------------ commands

    async def _command(self, row: Any, who: Actor, matter: Matter | None, name: str, rest: str) -> str:
        if name == "help":
            raise Answered(say(self.lang, "help"))
        if name in accounts.PRESENCES:
            raise Answered(await self._be(who, name, rest))
        if matter is None:
            raise Answered(say(self.lang, "wrong.thread"))
        if name in WORDY and not (rest or row.body.get("files")):
            raise Answered(say(self.lang, "wrong.empty", name=name))
        if name == "faq":
            raise Answered(*await self._search(matter, rest))
        files = await self._files(row, matter) if name in ("say", "note") else []
        await self._order(row, who, matter, MEANT.get(name, name), await self._data(row, name, rest), files)
        return name

    async def _data(self, row: Any, name: str, rest: str) -> dict[str, Any]:
        """What a command needs beside its name. Raises Answered."""
        match name:
            case "say":
                return {"text": _after(row.body, rest)}
            case "note":
                return {"text": rest}
            case "take":
                return {"take": True}
            case "close":
                return {"reason": rest[:200]}
            case "transfer":
                return await self._whom(row, rest)
            case "promise":
                return self._promise(rest, row.received_at)
        return {}

    async def _order(
        self,
        row: Any,
        who: Actor,
        matter: Matter,
        name: str,
        data: Mapping[str, Any],
        files: list[Attachment],
        how: str = "",
    ) -> None:
        """Give the command, once however often it is tried. Raises Answered where nothing came of it."""
        key = f"desk:{self._channel.name}:{how or name}:{row.key}"
        try:
            told = await self._house.commands.do(who, matter.number, name, data, key, files)
        except Denied:
            raise Answered(say(self.lang, "refused.denied")) from None
        except Reused:  # the key is this word's own: it went through before a crash, and reads otherwise by now
            return
        if told.state == "under way":
            raise Answered(say(self.lang, "slow"))
        if told.state == "lost":
            reason = str(told.data.get("reason", ""))
            values = {"by": verbatim(str(told.data.get("by", ""))), "reason": verbatim(reason)}
            raise Answered(say(self.lang, f"refused.{reason if reason in REFUSED else 'other'}", **values))

    def _promise(self, rest: str, at: float) -> dict[str, Any]:
        """What is promised and by when, read like any time people write; ``at`` is when it was written."""
        zone = self._house.settings.handoff.hours.calendar(self._house.settings.company.timezone).zone
        written = datetime.fromtimestamp(at, zone)
        found = next((one for one in times(rest, written) if one[0] == "datetime" or "T" in one[1]), None)
        if found is None:
            raise Answered(say(self.lang, "wrong.when"))
        _, value, start, end = found
        what = " ".join((rest[:start] + " " + rest[end:]).split()).strip(" ,，。:：-")
        if not what:
            raise Answered(say(self.lang, "wrong.empty", name="promise"))
        return {"text": what, "due_at": value.rpartition("/")[2]}  # of a stretch of time its end

    async def _whom(self, row: Any, rest: str) -> dict[str, Any]:
        """The colleague or team that is named first, and the words for them behind it. Raises Answered."""
        named, teams = await self._store.read(words.colleagues)
        bare = rest.removeprefix("@").strip()
        if row.body.get("mentions"):
            sender = str(row.body["mentions"][0])
            other = await self._store.read(lambda c: words.linked(c, self._channel.name, sender))
            if other:
                return {"to_agent": other, "text": re.sub(r"^@\S+\s*", "", rest)}
        for name in sorted({*named, *teams}, key=len, reverse=True):
            if re.match(rf"{re.escape(name)}(?!\w)", bare, re.IGNORECASE):
                text = bare[len(name) :].strip(" ,，:：")
                return {"to_agent": named[name], "text": text} if name in named else {"to_team": name, "text": text}
        there = verbatim(", ".join(sorted({*(n for n in named), *teams})))
        raise Answered(say(self.lang, "wrong.who", names=there))

    async def _be(self, who: Actor, presence: str, rest: str) -> str:
        """Whether new conversations come to him: nobody sees a page of his, so he says for how long."""
        hours = HOURS
        if rest:
            found = re.fullmatch(r"(\d{1,2}(?:\.\d)?)\s*(?:h|hours?|小时)?", rest)
            hours = float(found[1]) if found else 0.0
        if not 0 < hours <= LONGEST_STAY:
            return say(self.lang, "wrong.hours")
        until = time.time() + hours * 3600

        def write(c: Any) -> None:
            accounts.be(c, who, presence)
            if presence in ("online", "busy"):
                c.execute(update(agent).where(agent.c.id == who.id).values(seen_at=until))

        await self._store.write(write)
        zone = self._house.settings.handoff.hours.calendar(self._house.settings.company.timezone).zone
        shown = say(self.lang, "until", time=f"{datetime.fromtimestamp(until, zone):%H:%M}")
        stays = shown if presence in ("online", "busy") else ""
        return say(self.lang, "presence", presence=say(self.lang, f"presence.{presence}"), until=stays)

    # ------------------------------------------------------------ answers and buttons

    async def _search(self, matter: Matter, rest: str) -> tuple[str, tuple[Choice, ...]]:
        """The best answers to words, each with a button that sends it."""
        knowledge = self._house.shelf.now.knowledge
        ranking = await asyncio.to_thread(knowledge.ask, rest, matter.language)
        lines: list[str] = []
        choices: list[Choice] = []
        for candidate in ranking.candidates:
            entry = knowledge.entry(candidate.entry)
            if entry is None or not entry.answer or len(lines) == ANSWERS:
                continue
            n, name = len(lines) + 1, _in(entry.questions, matter.language)[0]
            text = rendering.clipped(_in(entry.answer, matter.language), PREVIEW)
            lines.append(say(self.lang, "faq.found", n=n, name=verbatim(name), text=text))
            choices.append(Choice(f"{rendering.ANSWER}{entry.id}"[:60], say(self.lang, "press.send", n=n)))
        return "\n\n".join(lines) or say(self.lang, "faq.none"), tuple(choices)

    async def _pressed(self, row: Any, who: Actor, matter: Matter | None, choice: str) -> str:
        name = {rendering.CLAIM: "claim", rendering.BACK: "back", rendering.CLOSE: "close"}.get(choice, "")
        if matter is None or not (name or choice.startswith(rendering.ANSWER)):
            return "nothing"
        data: dict[str, Any] = {}
        if not name:
            knowledge = self._house.shelf.now.knowledge
            entry = next(
                (e for e in knowledge.faq.entries if choice == f"{rendering.ANSWER}{e.id}"[:60] and e.answer), None
            )
            if entry is None:
                raise Answered(say(self.lang, "refused.gone"))
            name, data = "say", {"text": _in(entry.answer, matter.language)}
        await self._order(row, who, matter, name, data, [])
        return f"press:{name}"

    def _wrong(self, reason: str, nearest: str) -> str:
        if reason == "unknown" and nearest:
            reason = "nearest"
        values = {"nearest": nearest} if reason in ("nearest", "doubtful") else {}
        return say(self.lang, f"wrong.{reason}", **values)


def _after(body: Mapping[str, Any], rest: str) -> str:
    """What stands behind ``!say`` as it was typed: commands are read in one width, words are not changed."""
    typed = str(body.get("text", ""))
    behind = (typed[found.end() :].strip() for found in re.finditer(r"(?:say|说)[\s:：]*", typed, re.IGNORECASE))
    return next((words for words in behind if visible(words) == rest), rest)


def _in(said: Mapping[str, Any], language: str) -> Any:
    return said.get(language) or next(iter(said.values()))
