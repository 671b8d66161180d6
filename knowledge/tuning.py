"""Tunes the configured encoder on the FAQ, and keeps the tuned one only if unseen questions show that it is better."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from math import comb
from pathlib import Path
from typing import TypeAlias

from knowledge.encoder import Encoder, EncoderMissing, note, original, tuned
from knowledge.examples import INTENT, Intents
from knowledge.faq import Faq
from knowledge.index import Mode, build
from knowledge.normal import normal

NEEDED = ("torch", "sentence_transformers", "onnx", "onnxruntime", "tokenizers")
EVERY = 4  # one question of so many is held out to measure with
FEWEST = 20  # held-out questions that can tell anything
LUCK = 0.05  # a gain that luck alone brings more often than this is none

Unseen: TypeAlias = Sequence[tuple[str, str, str]]  # entry, question, language
Progress: TypeAlias = Callable[[str, int, Iterator[object]], object]  # what is done, in how many steps, and the steps


class CannotTune(Exception):
    """The encoder cannot be tuned here; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of each question held out: 1 = the best answer is right, -1 = answered wrongly, 0 = neither."""

    values: tuple[int, ...]

    @property
    def right(self) -> int:
        """How many have the right answer as the best one."""
        return self.values.count(1)

    @property
    def wrong(self) -> int:
        """How many are answered, and wrongly."""
        return self.values.count(-1)

    def __str__(self) -> str:
        return f"best answer right {self.right} ({self.right / len(self.values):.1%}), answered wrongly {self.wrong}"


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the encoder did before and after; ``kept`` names the folder of the new one, "" = it was not surely better."""

    before: Measured
    after: Measured
    kept: str

    @property
    def changed(self) -> tuple[int, int]:
        """How many questions came out better, and how many worse."""
        pairs = list(zip(self.before.values, self.after.values, strict=True))
        return sum(new > old for old, new in pairs), sum(new < old for old, new in pairs)

    @property
    def luck(self) -> float:
        """How likely a model that is no better does so well: the exact sign test on the questions that changed."""
        better, worse = self.changed
        return sum(comb(better + worse, k) for k in range(better, better + worse + 1)) * 0.5 ** (better + worse)

    @property
    def better(self) -> bool:
        """Is it more than luck?"""
        return self.luck <= LUCK

    def __str__(self) -> str:
        better, worse = self.changed
        return (
            f"of {len(self.before.values)} questions it had not seen:\n"
            f"  before  {self.before}\n"
            f"  tuned   {self.after}\n"
            f"  {better} came out better and {worse} worse; by luck alone so much in {self.luck:.1%} of cases"
        )


def tune(
    name: str,
    models: Path,
    faq: Faq,
    intents: Intents,
    *,
    languages: Sequence[str],
    mode: Mode = "balanced",
    progress: Progress = lambda _what, _count, steps: list(steps),
) -> Tuning:
    """Tune on part of the questions, measure on the others; if that is better beyond luck, tune on all and keep it.

    Raises CannotTune.
    """
    if missing := [module for module in NEEDED if find_spec(module) is None]:
        raise CannotTune(f"tuning needs the extra 'semantic': {missing[0]} is not installed; `make install SEMANTIC=1`")
    part, unseen = divided(faq, languages)
    if len(unseen) < FEWEST:
        raise CannotTune(
            f"{len(unseen)} questions can be held out to measure with, {FEWEST} are needed: every answer gives one of "
            f"{EVERY} questions in {', '.join(languages)}"
        )
    try:
        before = _measured(Encoder(original(name, models), languages), part, intents, unseen, mode)
        with tempfile.TemporaryDirectory(dir=models) as place:
            made = Path(place) / "part"
            _learnt(name, made, taught(part, intents, languages), "learning from three questions of four", progress)
            after = _measured(Encoder(made, languages), part, intents, unseen, mode)
            if not (tried := Tuning(before, after, "")).better:
                return tried
            whole = Path(place) / "whole"
            _learnt(name, whole, taught(faq, intents, languages), "better: now from all of them", progress)
            return replace(tried, kept=_keep(name, models, whole))
    except EncoderMissing as error:
        raise CannotTune(f"the model {name} cannot be used: {error}") from None


def undo(name: str, models: Path) -> bool:
    """The model serves again as it came; False if it did already."""
    folder, told = tuned(name, models), note(name, models)
    if folder:
        shutil.rmtree(folder)
    told.unlink(missing_ok=True)
    return folder is not None


def divided(faq: Faq, languages: Iterable[str]) -> tuple[Faq, list[tuple[str, str, str]]]:
    """The FAQ without one question of four of every entry, and these: those whose text has the lowest hashes."""
    unseen = []
    entries = []
    for entry in faq.entries:
        kept = dict(entry.questions)
        for language in set(languages) & set(kept):
            said = sorted(kept[language], key=lambda text: hashlib.sha256(text.encode()).digest())
            out = set(said[: len(said) // EVERY])
            unseen += [(entry.id, text, language) for text in said if text in out]
            kept[language] = tuple(text for text in kept[language] if text not in out)
        entries.append(entry.model_copy(update={"questions": kept}))
    return replace(faq, entries=tuple(entries)), unseen


def taught(faq: Faq, intents: Intents, languages: Sequence[str]) -> list[tuple[str, str]]:
    """All questions and wishes with what they belong to."""
    labelled = [(e.id, e.questions) for e in faq.entries] + [(INTENT + wish, said) for wish, said in intents.items()]
    return [
        (label, normal(text)) for label, said in labelled for language in languages for text in said.get(language, ())
    ]


def _measured(encoder: Encoder, part: Faq, intents: Intents, unseen: Unseen, mode: Mode) -> Measured:
    """Asked as live, of an FAQ that lacks these questions."""
    knowledge = build(part, intents, mode=mode, encoder=encoder)
    values = []
    for entry, text, language in unseen:
        ranking = knowledge.ask(text, language)
        right = bool(ranking.candidates) and ranking.candidates[0].entry == entry
        values.append(1 if right else -1 if ranking.outcome in ("answer", "intent") else 0)
    return Measured(tuple(values))


def _learnt(name: str, folder: Path, examples: Sequence[tuple[str, str]], what: str, progress: Progress) -> None:
    """In a process of its own, like the conversion; raises CannotTune with its last words."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as task, tempfile.TemporaryFile("w+", errors="replace") as said:
        json.dump(examples, task)
        task.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "knowledge.tune", name, str(folder)],
            env=os.environ | {"HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1")},
            cwd=Path(__file__).parent.parent,
            stdin=task,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        with process:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            first = process.stdout.readline().strip()
            progress(what, int(first or 0), iter(process.stdout))
        if process.returncode:
            said.seek(0)
            lines = said.read().strip().splitlines()
            raise CannotTune(f"the model {name} cannot be tuned: {lines[-1] if lines else process.returncode}")


def _keep(name: str, models: Path, made: Path) -> str:
    """Under its content, and named as the one that serves; the one before it goes."""
    mark = hashlib.sha256((made / "model.onnx").read_bytes()).hexdigest()[:12]
    folder = models / f"{note(name, models).stem}--{mark}"
    before = tuned(name, models)
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)
    draft = note(name, models).with_suffix(".draft")
    draft.write_text(f"{folder.name}\n", encoding="utf-8")
    draft.replace(note(name, models))
    if before and before != folder:
        shutil.rmtree(before)
    return folder.name
