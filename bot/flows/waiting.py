"""While the customer waits in the line: his words are kept for people, he hears where he stands, he may leave it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from bot.dialogue import Alarm
from bot.flows import journal, line, matter, wishes
from bot.flows.draft import Draft
from handoff.dialogue import DeskView, HandoverView

ELSEWHERE: Final = frozenset({"ticket_status", "language", "ticket", "complaint", "rating"})  # wishes granted meanwhile
GIVEN_UP: Final = {"away": "human.away", "waited": "human.waited"}  # why nobody comes, and how that is said
LEAVING: Final = frozenset({"solved", "goodbye"})
_HOW_LONG = re.compile(
    r"how (?:much )?long|how many|what (?:place|position|number)|my (?:place|turn)|still there|any(?:one|body) there"
    r"|\bwhen\b"
    r"|多久|多长时间|第几|排到|还要等|有人吗|在吗|几分钟|几点|什么时候",
    re.IGNORECASE,
)


_WHEN: Final = re.compile(  # when shall I hear from you, and when is it settled?
    r"how (?:much )?(?:long|soon)|\bwhen (?:exactly |then )?(?:will|do|does|can|shall|is|am|are)\b"
    r"|what (?:have|did|do) you promise"
    r"|多久|多长时间|几天能|几时|几点|何时|什么时[候间]|承诺",
    re.IGNORECASE,
)
_OURS: Final = re.compile(  # of us, and of what is under way; not how long a repair usually takes
    r"\bwhen (?:exactly |then )?(?:will|do|can|shall|am|is) (?:i|we|you|it|this|that|some(?:body|one))\b"
    r".*\b(?:hear|answer|repl|respon|contact|call|fixed|solved|settled|resolved|sorted|done|ready|finished)"
    r"|\bhow (?:much )?(?:long|soon) (?:will|do|until|till|before) (?:it|this|that|you|i|some(?:body|one))\b"
    r"|(?:多久|多长时间|几天|几时|何时|什么时[候间])(?:才?[能会]?)(?:[给跟]我)?"
    r"(?:回复|答复|回电|(?:打|来)?个?电话|联系|解决|处理|修好|搞定|弄好|[回找理]我|打给我|来电)|还要等?多久|催(?:一下|一催|单|促|办)"
    r"|(?:修|弄|处理|搞|办)[好完定]了?(?:没有?|吗|么)\W*$|怎么(?:样了|还没)"
    r"|还没有?(?:人(?:联系|理|回|来|管|处理)|(?:消息|结果|动静|回音)[吗呢啊呀吧]?(?:\W|$))|有(?:消息|结果|进展|回音)了?[吗么没]"
    r"|^(?:\w+\W+){0,2}still (?:nothing|waiting)\W*$|^(?:(?:and|so|ok|okay)\W+)*what(?:'?s| happens) (?:now|next)\W*$"
    r"|\bstill no(?:body| one)?(?: has| have)? (?:answer|repl|news|word|call|contact)\w*"
    r"(?: me| us| back| yet| today| from you\w*)*\W*$"
    r"|^no(?:body| one) (?:has |have |ever )?(?:called|answered|replied|contacted)(?: me| us)?(?: back| yet)*\W*$"
    r"|^(?:status|progress|updates?|news|进度|进展|状态)(?: please| pls)?\W*$"
    r"|\bwhat(?:'?s| is| was) (?:the|my) (?:ticket|case|reference|complaint) number|\bwhat was (?:the|my) number"
    r"|(?:^(?:请问|你好|我的?|那|\W)*|工单?|[报维]修|投诉|受理)[单编]号是?(?:多少|什么|啥)"
    r"|(?:没有?人|一直没)(?:联系|理|管|回复?)过?我|^一直没有?(?:人|消息|回复?|回音)\W*$",
    re.IGNORECASE,
)
_PERHAPS_OURS: Final = re.compile(  # likewise, if the knowledge has no answer to it
    r"\b(?:any|some) (?:news|updates?|progress)"
    r"(?: yet| so far| please| today| from you| for me)*(?: (?:on|about|with) .*)?\W*$"
    r"|\banything (?:new\b|happen|moving)|\bhow(?:'?s| is| are) (?:my|the|it|that|things) .*(?:going|coming)"
    r"|\b(?:said|promised|told me) (?:that )?(?:some(?:one|body)|you|they|a \w+) (?:will|would|'d|'ll) "
    r"(?:be in touch|get back|call|contact|phone|ring|reply|answer|come|visit)"
    r"|说好了?的?.{0,6}(?:联系(?![谁哪电方])|回复|回电|上门)"
    r"|\bwhat(?:'?s| is| has) (?:happening|happened|become|going on)(?: now| next| then)?"
    r"(?: (?:with|to|of|about) (?:it|this|that|(?:my|the|our|this|that) (?:ticket|case|complaint|repair|refund"
    r"|exchange|return|request|report|problem|issue)))?\W*$"
    r"|\b(?:did|have|has) (?:you|any(?:one|body)|some(?:one|body))(?: even)? (?:look|check|read|seen|start|done|fix)\w*"
    r"(?: at| into| on)?"
    r"(?: it| this| that| anything| what i \w+| (?:my|the) (?:ticket|case|complaint|problem|issue|matter))?"
    r"(?: yet| already| now)*\W*$"
    r"|有人(?:会?联系我|(?:在|来)?(?:处理|跟进)(?!过))|(?:看|处理|受理)了(?:吗|没)",
    re.IGNORECASE,
)
_LEAVES: Final = re.compile(  # the line: nothing but that, and why
    r"(?:(?:(?:it|this)(?:'s| is| takes) |i(?:'ve| have) waited )?(?:too|so) (?:long|slow)"
    r"|i can'?t wait(?: any ?(?:more|longer))?|等?得?[太好这]么?[久慢]了?|等不[及了]了?|没人[来理]|no|ok|okay)?"
    r"[\s,.，。!！]*"
    r"(?:(?:那?就?算了吧?|那?我?就?不(?:用|想|要)?再?等?了吧?"
    r"|(?:actually )?(?:never ?mind|forget (?:it|that|this)|leave it))"
    r"[\s,.，。!！]*)+"
    r"(?:(?:then|thanks?|thank you|bye|谢谢你?|再见|(?:明天|下次|以后|回头|改天|晚点)再(?:来|说|问))[\s,.，。!！]*)*",
    re.IGNORECASE,
)


_ABOUT: Final = re.compile(  # what is under way, and not the length of a cable
    r"\b(?:hear|answer|repl(?:y|ies)|respon\w+|back to me|contact|call|settled|solved|resolved|sorted|done|ready"
    r"|finished|fixed|ticket|case|complaint|repair|refund|promised?)\b|答复|回复|回电|联系|处理|解决|修好|承诺|工单|投诉|报修|退款|结果|进度",
    re.IGNORECASE,
)
_BARE: Final = re.compile(  # the question and nothing else
    r"(?:(?:and|so|but|then|please|那|那么|请问|大概|到底|具体|究竟)\W*)*"
    r"(?:(?:how (?:much )?(?:long|soon|longer)|when)"
    r"(?: (?:will|does|is|can|do) (?:it|that|this)(?: \w+)?| then| now| exactly)?"
    r"|(?:还?要|需要|得|要等|等)?(?:多久|多长时间|几天|几时|几点|何时|什么时[候间])(?:能?(?:好|行|可以|有消息))?[呢啊呀吗了]?)\W*",
    re.IGNORECASE,
)


_COMES: Final = re.compile(  # said of whoever, or whatever, a ticket brings
    r"\b(?:come|coming|arrive|arriving|send|sent|ship|get|here|there)\b|到|来|上门|发|寄", re.IGNORECASE
)


def of_answer(words: str) -> bool:
    """Whether the words ask when we answer, or when it is settled, what is not with us yet."""
    return bool(_BARE.fullmatch(words.strip()) or (_WHEN.search(words) and _OURS.search(words)))


def asks_when(draft: Draft, *, of_ours: bool) -> bool:
    """Whether somebody with an open ticket asks when he hears of it; ``of_ours``: of nothing else it could be asked."""
    words = draft.words
    if not draft.turn.tickets:
        return False
    answered = draft.ranking is not None and draft.ranking.outcome == "answer"
    ours = bool(_OURS.search(words) or (not answered and _PERHAPS_OURS.search(words)))
    if of_ours or ours:
        comes = (_WHEN.search(words) and _COMES.search(words)) or _BARE.fullmatch(words)
        return ours or bool(comes and matter.just_opened(draft))
    return bool(_BARE.fullmatch(words) or (_WHEN.search(words) and _ABOUT.search(words)))


def queued(draft: Draft) -> bool:
    """He waits for a person: the bot does not argue."""
    if not line.waits(draft):
        return False
    intent = draft.meant.intent if draft.meant else ""
    if intent in ("cancel", "back") or _LEAVES.fullmatch(draft.words.strip()):
        wishes.bot(draft, "")
    elif intent in LEAVING:
        line.leave(draft, intent)
        wishes.grant(draft, intent)
    elif intent in ELSEWHERE:
        return False
    elif _HOW_LONG.search(draft.words):
        line.tell(draft)
    else:
        if not matter.still_open(draft):
            draft.asked_freely()
        if not draft.talk.extra.get("kept"):
            draft.keep(kept=True)
            draft.say("line.kept")
    return True


def look_after(draft: Draft) -> None:
    """The timer of whoever waits: how he stands, who must know, and an end to it."""
    if not line.waits(draft):
        return
    held, seen = draft.look("handover", draft.number), draft.look("place", draft.number) or DeskView()
    people, waited = draft.turn.policy.people, _waited(draft, held)
    if not seen.open or waited >= people.give_up_after:
        give_up(draft, held, "waited" if seen.open else "away")
        return
    if waited >= people.escalate_after and not draft.talk.extra.get("escalated"):
        draft.keep(escalated=True)
        draft.do(Alarm("waiting_long"))
    placed = draft.talk.extra.get("placed")
    told = (draft.now - datetime.fromisoformat(placed)).total_seconds() if placed else people.tell_every
    if seen.ahead[-1] != draft.talk.extra.get("place") or told >= people.tell_every - 1:
        line.tell(draft)
    soon = (people.escalate_after - waited, people.give_up_after - waited)
    line.watch(draft, min(people.tell_every, *(time for time in soon if time > 0)))


def give_up(draft: Draft, held: HandoverView | None, why: str) -> None:
    """Nobody can come, ``why``: what waited becomes a ticket, and that is said honestly."""
    packet = held.packet if held else {}
    line.leave(draft, why)
    what = str(packet.get("question") or matter.still_open(draft))
    more: dict[str, Any] = {"what": what, "words": what or packet.get("words") or draft.text("no_words")}
    more |= {"said": GIVEN_UP[why], "reason": held.reason if held else "asked"}
    more["back"] = line.back(draft)
    journal.begin(draft, "human", **matter.known(draft, **more))


def _waited(draft: Draft, held: HandoverView | None) -> float:
    """Seconds since he was last put in the line: his place in it may be older."""
    if not held or not held.waiting_since:
        return 0.0
    return draft.now.timestamp() - float(held.wants.get("queued") or held.waiting_since.timestamp())
