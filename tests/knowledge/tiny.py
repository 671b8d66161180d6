"""A multilingual sentence encoder of a few kilobytes, for tests: its weights mean nothing until it is tuned,
and are always the same ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def made(folder: Path) -> Path:
    """Make it in ``folder / "model"``; skips where the extra is not installed."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("sentence_transformers")
    subprocess.run([sys.executable, "-c", MAKE, str(folder / "model")], check=True, capture_output=True)
    return folder


MAKE = """
import sys
from pathlib import Path
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast
torch.manual_seed(0)
folder = Path(sys.argv[1])
bert = folder.parent / "bert"
bert.mkdir()
letters = "abcdefghijklmnopqrstuvwxyz"
chinese = "怎么付款退货我的手机收不到验证码办请问多少钱可以换维修"
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters), *chinese]
(bert / "vocab.txt").write_text("\\n".join(words), encoding="utf-8")
BertTokenizerFast(str(bert / "vocab.txt")).save_pretrained(bert)
size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
BertModel(BertConfig(vocab_size=len(words), **size)).save_pretrained(bert)
SentenceTransformer(modules=[Transformer(str(bert)), Pooling(32)]).save(str(folder))
"""
