"""The encoder in torch: for machines with a GPU, for models of the user's own choice, and as a check of the fast one.

Nothing here is imported unless the configuration says ``runtime: torch`` or names a model that is not a bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.bundle import Bundle, ModelError
from groundswell.nlp.model.encoder.graph import Blocks
from groundswell.nlp.model.encoder.tokens import Batch, Tokenizer

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]
LINEAR = ("query", "key", "value", "mix", "wide", "narrow")


def _threads(threads: int) -> Any:
    import torch

    if threads:
        torch.set_num_threads(threads)
    return torch


class TorchRuntime:
    """A bundle's own weights, taken back to floats, through `transformers`' BERT layers."""

    at_once = 1  # torch spreads one batch over the cores by itself
    even = False

    def __init__(self, bundle: Bundle, *, threads: int = 0) -> None:
        torch = _threads(threads)
        weights = read_weights(bundle.path("encoder.onnx"), bundle["shape"]["fork"])
        self._shape = bundle["shape"]
        self._embedding = {name: torch.tensor(value) for name, value in weights.items() if name.startswith("embed.")}
        self._trunk = [_layer(weights, f"trunk.{n}", self._shape) for n in range(self._shape["layers"])]
        self._branch = [_layer(weights, f"branch.{n}", self._shape) for n in range(self._shape["branch"])]

    def run(self, batch: Batch, *, pieces: bool) -> tuple[Array, Array | None]:
        """See `groundswell.nlp.encoder.runtime.Runtime`."""
        import torch

        with torch.inference_mode():
            states = self._embed(torch.from_numpy(batch.ids))
            mask = torch.from_numpy(batch.mask)
            spread = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
            fork = states
            for number, layer in enumerate(self._trunk):
                states = _first(layer(states, attention_mask=spread))
                fork = states if number + 1 == self._shape["fork"] else fork
            for layer in self._branch if pieces else ():
                fork = _first(layer(fork, attention_mask=spread))
            vectors = pool(states, mask)
        return vectors.numpy(), fork.numpy() if pieces and self._branch else None

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional as F  # noqa: N812  the name everybody knows it by

        part = self._embedding
        summed = part["embed.word.weight"][ids] + part["embed.place.weight"][: ids.shape[1]]
        shape = summed.shape[-1:]
        return F.layer_norm(summed, shape, part["embed.norm.weight"], part["embed.norm.bias"], self._shape["epsilon"])


def _first(output: Any) -> Any:
    """Return a layer's states: older versions of transformers wrap them in a tuple."""
    return output[0] if isinstance(output, tuple) else output


def pool(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over real pieces, of unit length."""
    from torch.nn import functional as F  # noqa: N812  as above

    real = mask[:, :, None].float()
    return F.normalize((states * real).sum(1) / real.sum(1).clamp(min=1))


def _layer(weights: Mapping[str, Array], name: str, shape: Mapping[str, Any]) -> Any:
    import torch
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertLayer

    config = BertConfig(
        hidden_size=shape["hidden"],
        num_attention_heads=shape["heads"],
        intermediate_size=shape["feed"],
        layer_norm_eps=shape["epsilon"],
        hidden_act="gelu",
    )
    config._attn_implementation = "sdpa"  # the only way to say it to a layer without its model
    layer: Any = BertLayer(config)
    layer.eval()
    places = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "mix": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "wide": "intermediate.dense",
        "narrow": "output.dense",
        "norm2": "output.LayerNorm",
    }
    state = {
        f"{place}.{kind}": torch.tensor(weights[f"{name}.{part}.{kind}"])
        for part, place in places.items()
        for kind in ("weight", "bias")
    }
    layer.load_state_dict(state)
    return layer


def read_weights(path: Path, fork: int) -> dict[str, Array]:
    """Return the float weights that an encoder file stands for, by the names of `groundswell.nlp.encoder.graph`.

    Raises:
        ModelError: The package `onnx` is missing.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ModuleNotFoundError:
        msg = f"{path}: reading a bundle into torch needs the package onnx: pip install 'groundswell[train]'"
        raise ModelError(msg) from None

    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    steps = {name.removesuffix(".step"): value for name, value in stored.items() if name.endswith(".step")}
    weights = {name: value for name, value in stored.items() if name.endswith((".weight", ".bias"))}
    for name, codes in stored.items():
        if name.endswith(".codes") and name != "embed.word.codes":
            linear = name.removesuffix(".codes")
            layer, part = linear.rsplit(".", 1)
            # The branch's first layer reads the same bytes as the trunk's layer at the fork.
            reader = f"trunk.{fork}" if layer == "branch.0" else layer
            step = steps[f"{reader}.query" if part in ("query", "key", "value") else linear]
            weights[f"{linear}.weight"] = (codes * stored[f"{linear}.sizes"]).T * step
        elif name.endswith(".weight") and name.rsplit(".", 2)[1] in LINEAR:
            weights[name] = codes.T
    weights["embed.word.weight"] = _words(stored)
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}


def _words(stored: Mapping[str, NDArray[Any]]) -> Array:
    if "embed.word" in stored:
        return np.asarray(stored["embed.word"], dtype=np.float32)
    codes, scales = stored["embed.word.codes"], stored["embed.word.scales"]
    rows, columns = scales.shape[0], scales.shape[1] * 32
    bits = 4 if codes.shape[1] * 2 == columns else 8
    return Blocks(bits, rows, columns, codes.reshape(-1, 32 * bits // 8), scales.reshape(-1)).restore()


class HubRuntime:
    """Any encoder that `transformers` can open, by folder or hub name, as an embedding model."""

    at_once = 1
    even = False

    def __init__(self, name: str, *, threads: int = 0) -> None:
        _threads(threads)
        from transformers import AutoModel

        try:
            self._model = AutoModel.from_pretrained(name).eval()
        except (OSError, ValueError) as error:
            msg = (
                f"model {name!r}: neither a model that ships with Groundswell, nor a folder, nor to be had from a hub "
                f"({str(error).splitlines()[0]}); check model.name in your configuration"
            )
            raise ModelError(msg) from error
        self.dimensions = int(self._model.config.hidden_size)
        self.pad = int(self._model.config.pad_token_id or 0)

    def run(self, batch: Batch, *, pieces: bool) -> tuple[Array, Array | None]:
        """See `groundswell.nlp.encoder.runtime.Runtime`; the pieces are the untuned ones."""
        import torch

        with torch.inference_mode():
            mask = torch.from_numpy(batch.mask).long()
            states = self._model(input_ids=torch.from_numpy(batch.ids), attention_mask=mask).last_hidden_state
            vectors = pool(states, mask)
        return vectors.numpy(), states.numpy() if pieces else None


def hub_tokenizer(name: str, *, prefix: str, max_tokens: int, pad: int) -> Tokenizer:
    """Return the tokenizer that belongs to a folder or hub name."""
    from transformers import AutoTokenizer

    fast = AutoTokenizer.from_pretrained(name, use_fast=True)
    return Tokenizer(fast.backend_tokenizer, prefix=prefix, max_tokens=max_tokens, pad=pad)
