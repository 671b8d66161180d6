"""Reasons why an entry that looks right must not be given, and which part of a question is not asked at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from knowledge.contrary import prevents, spoils
from knowledge.faq import Entry, Names
from knowledge.normal import models, normal, units, words

HEARD = 1024  # questions whose clauses are remembered: each is asked for thrice

_REFUSES = re.compile(
    r"\b(?:do not|don't|dont|did not|didn't|didnt|never|not) "
    r"(?:want|wanna|wish|need|mean|intend|plan|have to|going to|asking|asked)\b"
    r"|\binstead of \w+ing\b"
    r"|不想(?!要?了)|(?<!要)不要(?!了)|(?<!用)不用(?!了)|(?<!需)不需要|无需|不打算|(?<!是)不是[要想]|别(?=[再给让帮把去用]|告诉|跟我|教我)"
)
_GOAL = re.compile(  # "how do I do it so that it need not …" refuses nothing
    r"(?:怎么|怎样|如何|让|能)[^,.!?;:。、]*$|\bso (?:that )?(?:i|we|it|they) $"
)


def refuses(text: str) -> bool:
    """Does a normalised text say what is *not* wanted? "It does not work" is a fault, not a refusal."""
    return any(
        not (_GOAL.search(text[: found.start()]) or _PURPOSE.search(_CLAUSE.split(text[found.start() :])[0]))
        for found in _REFUSES.finditer(text)
    )


# ---------------------------------------------------------------- what is refused is not asked

_CLAUSE = re.compile(r"[,;:](?!\d)|[.!?](?=\s|$)|[。、…~]+|[-–—]{2,}|\s[-–—]\s")
_INNER = re.compile(  # where a refused clause turns to what is wanted, without a comma
    r"\s(?=but\b|just\b|only (?:want|need|see|how|the)|i (?:just|only|want) )|(?=而是|只是|但是|可是|我只|就想|只想)"
    r"|(?<=不是.)(?=是)|(?<=不是..)(?=是)|(?<=不是...)(?=是)|(?<=不是....)(?=是)"
)
_LEAD = re.compile(r"^(?:but|instead|rather|而是|但是|可是|(?<!不)是(?![不否]))\s*(?=\S)")
_BEFORE = r"^(?:(?:hi|hello|hey|but|please|pls|sorry|no|so|and|well|really|actually|also|i|we|i'm|im|i am|we're) )*"
_BEFORE_ZH = r"^(?:你好|您好|但是?|可是|不过|请|我们?|这次?|并|可|真的?|都|也|又|现在|暂时|其实|说的|问的|要的)*"

# A clause that refuses whatever follows it, and one that does so only if the next says what is asked instead.
_REFUSED = re.compile(
    _BEFORE + r"(?:(?:do not|don't|dont|did not|didn't|didnt|never) (?:want|wanna|wish|need|mean|intend|plan)\b"
    r"|(?:do not|don't|dont) tell me\b"
    r"|not (?:asking|asked|looking|talking|going to|interested|trying)\b)(?=.)"
    "|" + _BEFORE_ZH + r"(?:不想|不要|不用|不需要|无需|不打算|不必|不是(?:要|想|问|说|指|去)"
    r"|没有?(?:问(?!题)|打算|想要)|别(?:[再给帮把去用]|告诉|跟我|教我))(?=.)(?!.*了$)"
)
_PURPOSE = re.compile(  # what is refused is what the question is about: "I don't want to be watched, how do I …"
    r"\b(?:want|need) (?:to be|others|people|any|strangers|neighbou?rs|guests|visitors|kids)"
    r"|\bwant (?:it|them|him|her|any(?:body|one)|some(?:body|one)) \w+ing\b"
    r"|\bwant (?:the|my|our|his|her|their|this|that|these|those|everyone|everybody) (?:\w+ ){0,3}to\b"
    r"(?! (?:come|visit|be (?:sent|shipped|delivered|collected|picked|replaced|repaired|exchanged|refunded))\b)"
    r"|\b(?:every|each) time\b|\balways\b"
    r"|不[想要用](?:让|被|每|总|老|一直|别人)|别让(?:他|她|别|人|客|邻|外|陌|孩|小)"
)
_DENIED = re.compile(
    _BEFORE + r"(?:it is |it's )?not (?:my|our|the|an|about|for|to|how|what|when|where|which|whether|if|a(?! single))\b"
    "|" + _BEFORE_ZH + r"不是(?!.*[吗么嘛吧]$)"
)
_IMPERATIVE = re.compile(
    _BEFORE + r"(?:do not|don't|dont|never) (?!know|see|get|have|remember|understand|receive|work|think|care|like\b)\w+"
    r"|\b(?:is|are) not enough$|\bisn't enough$|不够$"
)
_NONE = re.compile(_BEFORE + r"no (?!internet|signal|network|connection|wifi|picture|image|sound|light|power|code)\w+")
_KNOWN = re.compile(r"\bi (?:still |do |already )*(?:know|remember)\b|我?还?(?:记得|知道)$|^我?还?(?:记得|知道)")
_CALM = re.compile(  # a warning that is absent is no fault
    r"\b(?:isn't|is not|aren't|are not|not) (?:red|orange|amber)\b|\bno (?:red|orange|amber) (?:light|led|lamp)"
    r"|(?:没有?亮?|不是?亮?)(?:红灯|红)"
)
_ABSENT = re.compile(  # what does not happen, or is as it should be, before what it is all about
    r"^(?:it|they|the \w+|my \w+) (?:never|does not|doesn't|do not|don't|is not|isn't|has not|hasn't)\b"
    r"|\b(?:is|are|looks?) (?:all )?(?:fine|right|correct|ok|okay)$"
    r"|^.{0,4}(?:没|不|从不)[^不没]{1,3}$|(?:没问题|是对的|正常)$"
)
_JUST = re.compile(r"^(?:it's|it is|they're|they are|but|i)? ?(?:just|only|simply)\b|^但?我?(?:就|只)(?:是|想|要)")
_INSTEAD = re.compile(r"\binstead of \w+ing\b[^,;.!?]*")

_ONLY = re.compile(r"\b(?:just|only|simply|rather) (?:want|need|wanna|would like|like)\b|^rather\b")
_WISH = re.compile(
    r"^(?:but |just )|\b(?:i|we) (?:just |only |really )?(?:want|wanna|need|would like|am asking|mean)\b"
    r"|\bi'd like|\bi'm asking|^(?:please |to )|我?(?:只是|只想|就想|想|要|问|是)"
)
_ASKS = re.compile(
    r"\b(?:i|we) (?:just |only |really )?(?:want|wanna|need|would like)\b|(?:^|我)(?:只|就)?(?:是?想|要)"
)
_TURN = re.compile(
    r"^(?:but|just|only|it's|it is|i|we|we're|i'm|the|a|my)\b"
    r"|^(?:而?是|就|只|我?们?(?:是|只|就|想|要|问)|要|忘|问)"
)
_CLEFT = re.compile(
    r"^it(?:'s| is) (?:the|my|our|not|how|what|only)\b|^(?:我?(?:想|要)?问|我?忘记?了?|我?不会|我?不知道)的是|^是"
)
_NOT = re.compile(r"\b(?:(?:do|did|is|are) not|don't|dont|didn't|isn't|aren't|not|never)\b|不是|不想|不要|不用|别")
_POINTS_BACK = re.compile(r"\b(?:it|them|this|that|him|her)$|[它他她]")
_FILLER = frozenset(
    "a an the i i'm we you it it's is are am be do does can could would will should how what when where why which to "
    "of in on at for and or but just only my me our your one ones please want need help there this that so".split()
) | frozenset("的了吗呢啊呀吧嘛么我你您是想要就只也都怎请问能可以会有在把给这那个一下")


def wanted(text: str) -> str:
    """A normalised question without the clauses that say what is not asked; all of it if that leaves too little, and
    nothing if it only asks how to make something worse.

    "no factory reset, I just want to reboot" asks to reboot. "It does not work" and "no signal" are faults and stay.
    """
    clauses, said = _heard(text)
    if clauses and all(map(spoils, clauses)):
        return ""
    kept = [clause for clause in clauses if clause not in said]
    if len(kept) < len(clauses):
        kept = [_LEAD.sub("", clause) for clause in kept]
    rest = " ".join(_INSTEAD.sub(" ", ", ".join(kept)).split())
    if rest == " ".join(", ".join(clauses).split()):
        return text
    return rest if _says_enough(rest) else text


def disputed(text: str) -> bool:
    """Does a normalised question say what is not asked, or not to happen, whether or not the rest could stand alone?"""
    return refuses(text) or bool(refused(text)) or prevents(text)


def refused(text: str) -> str:
    """What a normalised question says is not asked, without the word that says so, "" = nothing."""
    return ", ".join(_NOT.sub(" ", clause, count=1).strip() or clause for clause in _heard(text)[1])


@lru_cache(maxsize=HEARD)
def _heard(text: str) -> tuple[list[str], list[str]]:
    """The clauses of a normalised question, and those of them that say what is not asked."""
    clauses = _clauses(text)
    return clauses, [c for at, c in enumerate(clauses) if _dropped(c, clauses[at + 1 :], clauses[:at])]


def _clauses(text: str) -> list[str]:
    found: list[str] = []
    for clause in filter(None, map(str.strip, _CLAUSE.split(text))):
        inner = [part.strip() for part in _INNER.split(clause) if part.strip()]
        found += inner if len(inner) > 1 and _dropped(inner[0], inner[1:], []) else [clause]
    return found


def _dropped(clause: str, after: list[str], before: list[str]) -> bool:
    """Is this clause about something else than what the ones after it ask, or the ones before it want?"""
    if _CALM.search(clause) or spoils(clause):
        return True
    if _REFUSED.search(clause) and not _PURPOSE.search(clause):
        return bool(after) or any(_ASKS.search(said) and not _REFUSED.search(said) for said in before)
    rules = ((_DENIED, _TURN), (_IMPERATIVE, _WISH), (_NONE, _ONLY), (_KNOWN, _CLEFT), (_ABSENT, _JUST))
    return bool(after) and any(said.search(clause) and turn.search(after[0]) for said, turn in rules)


def _says_enough(text: str) -> bool:
    """Does it stand without what was taken away: words of its own, and no "it" that points there?"""
    said = {w for w in (*words(text), *units(text)) if w not in _FILLER}
    return len(said) >= (1 if _ONLY.search(text) else 2) and not _POINTS_BACK.search(text)


# ---------------------------------------------------------------- whose product is meant


_KEPT = (
    r"(?:accounts?|log-?ins?|passwords?|usernames?|nicknames?|memberships?|subscriptions?|playlists?|premium|plans?)"
)
_KEPT_ZH = "(?:会员|账号|帐号|账户|密码|昵称|歌单|店铺|订阅)"  # what a service keeps of its customers
_MENDS = (
    "(?:factory )?(?:re(?:set|start|boot|store|pair|install|name)|unlock|format|update|upgrade|back ?up|clean|wipe|fix"
    "|charge)"
)
_MENDS_ZH = "(?:恢复出厂|重启|重置|升级|更新|格式化|刷机|解锁|重装|清洁|清理|充电|维修|改名|换电池|换屏)"
_WISHES = (
    r"(?:^(?:please )?|\bhow (?:do|can|could|should|would|to)(?: (?:i|we|you))? "
    r"|\b(?:want|need|help me|trying) (?:to )?)"
)
_HOW = "(?:怎么|如何|怎样)"


def _not_ours(service: str, thing: str, kind: str) -> tuple[re.Pattern[str], ...]:
    """What is asked about another's: "my Netflix password", "reset my phone", "手机怎么重启" (but not the router)."""
    patterns = (
        rf"({service})(?:'s)? (?:\w+ )?{_KEPT}\b",
        rf"\b{_KEPT} (?:of|for|on|at|from|with) (?:my |the )?({service})",
        rf"({service})的?{_KEPT_ZH}",
        rf"{_WISHES}(?:sign|log) (?:out of|off|in ?to) (?:(?:my|the|our|his|her) )?(?:\w+ )?({service})",
        rf"{_HOW}(?:才能)?(?:退出|登出|登录)(?:我的)?({service})",
        rf"{_WISHES}{_MENDS} (?:the (?!app)\w+ of )?(?:my|our|the|an?|his|her|this|that) (?:\w+ ){{0,2}}?({thing})"
        r"(?!['s]| (?:app|connection|box))",
        rf"({thing})(?:的?系统|的?屏幕)?要?{_HOW}(?:才能)?{_MENDS_ZH}(?![^,]{{0,20}}(?:{kind}|固件))",
        rf"{_HOW}(?:给|把)?{_MENDS_ZH}一?下?(?:我家?的?|家里的?)?[^,的]{{0,4}}?({thing})(?![^,]{{0,20}}(?:{kind}))",
    )
    return tuple(map(re.compile, patterns))


class Foreign:
    """Finds others' names in normalised questions, unless they stand for a thing that is used with ours."""

    def __init__(self, names: Names, ours: Iterable[str], plain: Callable[[str], str]) -> None:
        self._others = {_bare(plain(name)): name for name in (*names.others, *names.things, *names.places)}
        self._places, self._things = frozenset(names.places), frozenset(names.things)
        self._named = _any(map(plain, self._others.values()))
        self._ours = _any(map(plain, (*names.ours, *ours)))
        self._made = _any(map(plain, names.kinds))
        self._kinds = _any(map(plain, (*names.kinds, *names.sends)))
        beside = _any(map(plain, names.used_with)).pattern
        self._used = re.compile(rf"(?:{self._named.pattern})(?:'s|的)?(?: ?[a-z0-9]+){{0,2}}? ?({beside})")
        self._not_ours = _not_ours(_any(map(plain, names.services)).pattern, beside, self._kinds.pattern)

    def names(self, text: str) -> frozenset[str]:
        """The others' names in it, as they are to be shown; a place counts only if nothing of ours was got there."""
        found = frozenset(m[1] for pattern in self._not_ours for m in pattern.finditer(text))
        if found or not self._named.search(text):
            return found
        found = frozenset(self._others[_bare(m[0])] for m in self._named.finditer(self._used.sub(" ", text)))
        return frozenset() if found <= self._places and self._ours.search(text) else found

    def things(self, text: str) -> frozenset[str]:
        """The things in it that are used with ours and are another's: it may be them that are asked about."""
        return frozenset(found[1] for found in self._used.finditer(text)) if self._named.search(text) else frozenset()

    def ours(self, text: str, named: frozenset[str]) -> bool:
        """May it be about a product of ours all the same?"""
        at_home = named <= self._places and self._kinds.search(text)
        return bool(self._ours.search(text) or at_home or self.mentions(text, named))

    def mentions(self, text: str, named: frozenset[str]) -> bool:
        """Does it ask about what we make, and only mention a thing of another trade? A maker is never but mentioned."""
        asked = any(pattern.search(text) for pattern in self._not_ours)
        return bool(named <= self._things and not asked and (self._made.search(text) or self._ours.search(text)))


def _any(names: Iterable[str]) -> re.Pattern[str]:
    """Any of these names; a Latin one as a whole word, spaces and hyphens within it at will."""
    longest_first = sorted(set(names), key=lambda name: (-len(name), name))
    found = [(n, r"[ -]?".join(map(re.escape, re.split("[ -]", n)))) for n in longest_first]
    latin = "|".join(p for n, p in found if re.search("[a-z0-9]", n))
    others = [p for n, p in found if not re.search("[a-z0-9]", n)]
    return re.compile("|".join([rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])"] * bool(latin) + others) or "(?!)")


def _bare(name: str) -> str:
    return re.sub("[ -]", "", name)


# ---------------------------------------------------------------- for whom an entry is


def own_models(entry: Entry) -> frozenset[str]:
    """The model numbers an entry is about: its products, or what most of its questions name."""
    if entry.products:
        return frozenset(m for p in entry.products for m in models(re.sub(r"[ -]", "", normal(p))))
    named = [models(normal(q)) for texts in entry.questions.values() for q in texts]
    return frozenset(m for m in frozenset().union(*named) if 2 * sum(m in n for n in named) > len(named))


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom an entry is, and until when."""

    entry: Entry
    models: frozenset[str]
    products: frozenset[str]

    @classmethod
    def of(cls, entry: Entry) -> Scope:
        """Read off an entry."""
        return cls(entry, own_models(entry), frozenset(map(normal, entry.products)))

    def objection(self, asked: frozenset[str], owned: frozenset[str], today: date | None) -> str:
        """Why it is not for this question or customer, "" = it is. ``asked`` are the models the question names."""
        if today and not self.entry.valid_on(today):
            return f"not valid on {today}"
        if asked and self.models and not asked & self.models:
            return f"is about {', '.join(sorted(self.models))}, not {', '.join(sorted(asked))}"
        if owned and self.products and not asked and not owned & self.products:
            return f"is for {', '.join(self.entry.products)} only"
        return ""
