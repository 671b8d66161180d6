"""Tells in words how a decision came about."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.examples import ELSEWHERE, INTENT
from knowledge.index import Ranking, named

_PARTS = {
    "letters": "letters",
    "stems": "words and word pairs",
    "words": "meaning of the words",
    "characters": "characters",
    "sounds": "sound",
    "order": "order of characters",
    "meaning": "meaning of the sentence",
}
_OUTCOMES = {
    "answer": "answered with '{best}'",
    "intent": "understood as the wish '{best}'",
    "choose": "not sure enough: offered the first of these as buttons",
    "unknown": "said that it does not know",
}


def explain(ranking: Ranking) -> str:
    """A report for an admin: what was read, what was found, and why it was or was not given."""
    return "\n".join(_lines(ranking))


def _lines(ranking: Ranking) -> Iterator[str]:
    why, best = ranking.why, ranking.candidates[0].entry if ranking.candidates else ""
    yield f"Question   {why['text']}"
    yield f"Normal     {why['normal']}"
    if why["wanted"] != why["normal"]:
        yield f"Wanted     {why['wanted']}  (what is refused is left out)"
    for language, text in why["read_as"].items():
        repaired = "spelling repaired; " if text != why["wanted"] else ""
        yield f"Read as    {text}  ({repaired}compared with the examples in '{language}')"
    yield f"Outcome    {_OUTCOMES[ranking.outcome].format(best=best.removeprefix(INTENT))}"
    yield f"           {_reason(ranking)}"
    if limits := why["threshold"]:
        ahead = f" and {limits['margin']:.0%} ahead of the next" if limits["margin"] else ""
        yield f"Needed     {limits['answer']:.0%} sure{ahead} to answer, {limits['choose']:.0%} to offer it"
    for guard in why["guards"]:
        yield f"Guard      {_named(guard['entry'])}: {guard['reason']} ({guard['guard']})"
    for place, found in enumerate(why["scores"], 1):
        alike = ", ".join(f"{_PARTS.get(name, name)} {value:.0%}" for name, value in found["parts"].items())
        yield f"{place:>2}. {_named(found['entry'])}  {found['confidence']:.0%} sure (score {found['score']:.2f})"
        yield f"      nearest example: {found['nearest']}"
        yield f"      alike in: {alike}"
    yield f"Knowledge  version {why['version']}, mode {why['mode']}"


def _named(entry: str) -> str:
    return named(entry) if entry.startswith(INTENT) else entry


def _reason(ranking: Ranking) -> str:
    why, limits = ranking.why, ranking.why["threshold"]
    if why["scores"] and why["scores"][0]["entry"] == ELSEWHERE:
        return f"the FAQ says that it has no answer to questions like “{why['scores'][0]['nearest']}”"
    if not ranking.candidates:
        return "nothing in the FAQ can be compared with this"
    sure, answer, choose = ranking.candidates[0].confidence, limits["answer"], limits["choose"]
    stopped = [guard["guard"] for guard in why["guards"] if guard["entry"] == ranking.candidates[0].entry]
    if sure < choose:
        return f"{sure:.0%} sure, offered from {choose:.0%} on"
    if stopped and ranking.outcome != "answer":
        return f"{sure:.0%} sure, but a guard spoke: {', '.join(stopped)}"
    if sure < answer:
        return f"{sure:.0%} sure, answered from {answer:.0%} on"
    if ranking.outcome == "choose":
        return f"{sure:.0%} sure, but {_named(why['runner_up'])} is only {why['margin']:.0%} behind"
    next_ = f"; runner-up {_named(why['runner_up'])} is {why['margin']:.0%} behind" if why["runner_up"] else ""
    return f"{sure:.0%} sure, {answer:.0%} are enough{next_}"
