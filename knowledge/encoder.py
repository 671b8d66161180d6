"""A sentence encoder served from an int8 ONNX file, one question a run, without torch."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.convert import find

Rows = NDArray[np.float32]
log = logging.getLogger("aftercare.knowledge")


CHINESE = "我的手机收不到验证码怎么办请问多少钱可以退货换货维修"


class EncoderMissing(Exception):
    """The model cannot be served here; says why and what to do."""


class Encoder:
    """Meaning as vectors of length 1. Examples are embedded once and kept on disk by model and text."""

    def __init__(self, folder: Path, languages: Sequence[str] = ("en",)) -> None:
        """Raises EncoderMissing if ``folder`` holds no converted model, or onnxruntime is not installed."""
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EncoderMissing(f"{error.name} is not installed; install aftercare[semantic]") from None
        model = folder / "model.onnx"
        if not model.is_file():
            raise EncoderMissing(f"{model} is not there")
        about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        self.name = f"{about['name']}@{hashlib.sha256(model.read_bytes()).hexdigest()[:12]}"
        self._first = about["pooling"] == "cls"
        self._pieces: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._pieces.enable_truncation(about["longest"])
        self._pieces.no_padding()
        self.languages = readable(languages, self._pieces.encode(CHINESE, add_special_tokens=False).tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # steady sums, and a core left for the rest
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # the arena grows to the longest question ever asked and stays there
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = [i.name for i in self._session.get_inputs()]
        self._kept = folder / "embeddings.npz"

    def question(self, text: str) -> Rows:
        """One vector. Alone in its run: int8 scales over a batch, so a neighbour would change the score."""
        pieces = self._pieces.encode(text)
        # one converted before asks for the mask, too
        given = {"input_ids": pieces.ids, "attention_mask": pieces.attention_mask, "token_type_ids": pieces.type_ids}
        (tokens,) = self._session.run(["tokens"], {name: np.array([given[name]], np.int64) for name in self._inputs})
        vector = tokens[0, 0] if self._first else tokens[0].mean(0)
        return np.asarray(vector / (np.linalg.norm(vector) or 1.0), np.float32)

    def examples(self, texts: Sequence[str]) -> Rows:
        """A row per text, from disk where it has been made before."""
        known = self._read()
        keys = [hashlib.sha256(f"{self.name}\n{text}".encode()).hexdigest()[:32] for text in texts]
        fresh = {key: self.question(text) for key, text in zip(keys, texts, strict=True) if key not in known}
        if fresh:
            self._write({key: row for key, row in (known | fresh).items() if key in known or key in keys})
        return np.stack([(known | fresh)[key] for key in keys]) if keys else np.empty((0, 1), np.float32)

    def _read(self) -> dict[str, Rows]:
        try:
            with np.load(self._kept) as kept:
                return dict(zip(kept["keys"].tolist(), kept["rows"], strict=True))
        except (OSError, ValueError, KeyError):
            return {}  # none yet, or damaged: they are made again

    def _write(self, rows: dict[str, Rows]) -> None:
        fresh = self._kept.with_name(f"embeddings.{os.getpid()}.npz")
        try:
            np.savez(fresh, keys=np.array(list(rows)), rows=np.stack(list(rows.values())))
            fresh.replace(self._kept)
        except OSError as error:
            log.warning("embeddings not kept, they will be made again: %s", error)


class TorchEncoder(Encoder):
    """The model as it came, served by torch: slower and larger, for where onnxruntime is not installed.

    Its vectors differ a little from the converted one's, so it has a name of its own.
    """

    def __init__(self, name: str, folder: Path, languages: Sequence[str] = ("en",)) -> None:
        """``folder`` keeps the examples' vectors. Raises EncoderMissing if sentence-transformers is not installed."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is brought here by the admin, never fetched by the bot
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            message = "neither onnxruntime nor sentence_transformers is installed; install aftercare[semantic]"
            raise EncoderMissing(message) from None
        self.name = f"{name}@torch"
        self._model: Any = SentenceTransformer(find(name), device="cpu")
        self.languages = readable(languages, self._model.tokenizer.tokenize(CHINESE))
        folder.mkdir(parents=True, exist_ok=True)
        self._kept = folder / "embeddings.npz"

    def question(self, text: str) -> Rows:
        """One vector, alone in its run as everywhere."""
        return np.asarray(self._model.encode([text], normalize_embeddings=True, show_progress_bar=False)[0], np.float32)


def readable(languages: Sequence[str], pieces: Sequence[str]) -> tuple[str, ...]:
    """The languages a model can be asked in, by what it makes of ``CHINESE``: one made for English knows no character,
    or cuts each into bytes, and would harm more than help.
    """
    unknown = sum(piece in ("[UNK]", "<unk>") for piece in pieces)
    reads = unknown * 10 <= len(pieces) <= 1.5 * len(CHINESE)
    return tuple(language for language in languages if reads or language != "zh")


def load(name: str, models: Path, languages: Sequence[str] = ("en",)) -> Encoder | None:
    """The encoder of this name, converted first if need be; None with one warning if it cannot be had."""
    try:
        if find_spec("onnxruntime") is None:
            return _torched(name, models, languages)
        return Encoder(tuned(name, models) or original(name, models), languages)
    except Exception as error:  # whatever is wrong with a model, the lexical tier still answers
        log.warning("encoder %s not used, matching by words and letters only: %s", name, error)
        return None


def _torched(name: str, models: Path, languages: Sequence[str]) -> Encoder:
    made = TorchEncoder(name, models / f"{_place(name)}--torch", languages)
    log.warning("encoder %s is served by torch, which takes more time and memory: onnxruntime is not installed", name)
    return made


def original(name: str, models: Path) -> Path:
    """Where the model of this name is, as it came; converted first if need be. Raises EncoderMissing."""
    folder = models / _place(name)
    if not (folder / "model.onnx").is_file():
        _convert(name, folder)
    return folder


def tuned(name: str, models: Path) -> Path | None:
    """Where the model is that was made of the one of this name by tuning, and kept; None: there is none."""
    told = note(name, models)
    folder = models / told.read_text(encoding="utf-8").strip() if told.is_file() else None
    return folder if folder and (folder / "model.onnx").is_file() else None


def note(name: str, models: Path) -> Path:
    """The file that names the folder of the tuned model."""
    return models / f"{_place(name)}.tuned"


def _place(name: str) -> str:
    return name.strip("/").replace("/", "--")


def _convert(name: str, folder: Path) -> None:
    """In a process of its own: torch takes half a gigabyte that would never be given back."""
    made = subprocess.run(  # our own module; the name is the admin's
        [sys.executable, "-m", "knowledge.convert", name, str(folder)],
        env=os.environ | {"HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1")},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        said = made.stderr.strip().splitlines()
        raise EncoderMissing(said[-1] if said else f"conversion ended with {made.returncode}")
