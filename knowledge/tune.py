"""Draws an encoder's meanings together by entry, on the admin's own questions; imports torch.

``python -m knowledge.tune NAME FOLDER``, run by ``tuning.py`` as a process of its own: it reads ``[[label, text], …]``
from standard input, prints how many steps there are and a line for each, and leaves the model in FOLDER.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from knowledge.convert import convert, find

Taught: TypeAlias = Sequence[tuple[str, str]]  # label, text

STEPS, LEAST, MOST = 0.2, 20, 300  # batches per question, and how many at least and at most
ENTRIES, EACH = 16, 4  # of a batch, and questions of each
NEAR = 0.5  # share of a batch's entries that are alike: those are what must be kept apart
RATE = 1e-5
WARM = 0.1  # share of the steps in which the rate rises
SHARP = 0.07  # temperature of the comparison
LONGEST = 24  # word pieces of a question that are learnt from


def tuned(model: Any, taught: Taught, step: Callable[[], object], seed: int = 7) -> Any:
    """Teach a SentenceTransformer, in place, that an entry's questions mean the same and others' do not.

    ``step`` is called after each of ``steps(taught)`` batches.
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # two that wait for each other on a busy machine take ten times as long
    chance = random.Random(seed)  # noqa: S311
    for name, weights in model.named_parameters():
        weights.requires_grad = "embeddings" not in name  # words keep their places: fewer examples than words
    learnt = [weights for weights in model.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=RATE, weight_decay=0.01)
    count = steps(taught)
    rise = max(1, round(WARM * count))
    pace = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / rise, (count - n) / max(1, count - rise))
    )
    model.train()
    for labels, texts in _batches(model, taught, count, chance):
        optimizer.zero_grad()
        _apart(_places(model, texts), labels).backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        pace.step()
        step()
    model.eval()
    return model


def steps(taught: Taught) -> int:
    """How many batches it takes."""
    return min(MOST, max(LEAST, round(STEPS * len(taught))))


def _batches(model: Any, taught: Taught, count: int, chance: random.Random) -> Iterator[tuple[list[int], list[str]]]:
    """Some questions of some entries: an entry, those most like it, and others."""
    said: dict[str, list[str]] = {}
    for label, text in taught:
        said.setdefault(label, []).append(text)
    names = list(said)
    alike = _alike(model, said)
    for _ in range(count):
        first = chance.randrange(len(names))
        near = alike[first][: round(NEAR * ENTRIES)]
        far = chance.sample(range(len(names)), min(ENTRIES, len(names)))
        chosen = list(dict.fromkeys([*near, *far]))[:ENTRIES]
        drawn = [(at, chance.sample(said[names[at]], min(EACH, len(said[names[at]])))) for at in chosen]
        yield [at for at, texts in drawn for _ in texts], [text for _, texts in drawn for text in texts]


def _alike(model: Any, said: dict[str, list[str]]) -> list[list[int]]:
    """Entries by likeness to each, itself first."""
    import numpy as np

    middles = np.stack([model.encode(texts, show_progress_bar=False).mean(0) for texts in said.values()])
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    order: list[list[int]] = np.argsort(-(middles @ middles.T), axis=1).tolist()
    return order


def _places(model: Any, texts: list[str]) -> Any:
    import torch

    model.max_seq_length = min(LONGEST, int(model.max_seq_length or LONGEST))
    pieces = (model.preprocess if hasattr(model, "preprocess") else model.tokenize)(texts)
    return torch.nn.functional.normalize(model(pieces)["sentence_embedding"], dim=1)


def _apart(places: Any, labels: list[int]) -> Any:
    """Supervised contrast: of all others in the batch, those of one's own entry should be the nearest."""
    import torch

    own = torch.tensor(labels)
    self_ = torch.eye(len(labels), dtype=torch.bool)
    same = (own[:, None] == own[None]) & ~self_
    scores = (places @ places.T / SHARP).masked_fill(self_, -1e9)
    chances = scores - torch.logsumexp(scores, 1, keepdim=True)
    paired = same.any(1)
    return -(chances * same).sum(1)[paired].div(same.sum(1)[paired]).mean()


def main(name: str, folder: Path) -> None:
    """Tune the model of this name and convert it."""
    from sentence_transformers import SentenceTransformer

    taught = [(str(label), str(text)) for label, text in json.load(sys.stdin)]

    def tell(line: object = "") -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    tell(steps(taught))
    convert(name, folder, tuned(SentenceTransformer(find(name), device="cpu"), taught, tell))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
