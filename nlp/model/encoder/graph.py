"""The encoder as an ONNX graph, written out by hand so that nothing but the weights decides what runs.

One forward pass gives two things: the untouched embedding (mean of the last layer, unit length) and the pieces of the
tuned branch, which leaves the trunk at `Shape.fork` and has upper layers of its own. The shared lower layers are
computed once.

Linear layers run in 8-bit integers. The step size of every activation is fixed beforehand, from the ranges seen on a
few hundred texts, so (unlike with dynamic quantisation) a text's vector does not depend on which other texts share its
batch: a run that was killed and begun again stores the same numbers. A few channels of a transformer are tens of times
larger than the others; their size is moved into the weights (SmoothQuant, Xiao et al. 2023) before both are rounded.
A few pieces, too, are tens of times larger than the others where the widened states are read ("massive activations",
Sun et al. 2024): there each piece has a step size of its own, which depends on nothing but that piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Storage = Literal["float", "int8", "int4"]

BLOCK = 32
"""Weights that share a scale; the block size of the checkpoint we start from, so its 4-bit weights are kept exactly."""
LARGEST = 63
"""Greatest weight code: seven bits, as processors without VNNI add two products in sixteen bits and would overflow."""
SMOOTHING = 0.75
"""How much of a channel's size moves from activation to weight: 0 none, 1 all."""
BY_PIECE = ("narrow",)
"""Linear layers whose inputs are rounded piece by piece: one step for all made half of all rounding error."""
MIDDLE = 128
"""Byte that stands for zero where a piece has its own step: it reaches as far below as above."""
TINY = 1e-6
"""Least reach of a piece: one of zeros would be divided by nothing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How big the encoder is. `fork` layers are shared; `branch` more are the tuned ones (0: no branch)."""

    hidden: int = 384
    layers: int = 12
    heads: int = 12
    feed: int = 1536
    positions: int = 512
    fork: int = 12
    branch: int = 0
    epsilon: float = 1e-12


@dataclass(frozen=True, slots=True)
class Range:
    """The least and greatest value of each channel of an activation, each of shape ``(channels,)``."""

    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Step:
    """How an activation becomes a byte: ``rint(x * scale) + zero``, with one `scale` a channel.

    Where each piece has a step of its own, ``x * scale`` is divided by it before it is rounded.
    """

    scale: Array
    zero: int


def smooth(reach: Range, matrices: Sequence[Array]) -> Step:
    """Return the step for an activation that all of `matrices` ``(out, in)`` read."""
    size = np.maximum(np.abs(reach.low), np.abs(reach.high)) + 1e-6
    weight = np.max([np.abs(matrix).max(axis=0) for matrix in matrices], axis=0) + 1e-6
    moved = size**SMOOTHING / weight ** (1 - SMOOTHING)
    low, high = min(float((reach.low / moved).min()), 0.0), max(float((reach.high / moved).max()), 0.0)
    step = (high - low) / 255
    return Step((1 / (moved * step)).astype(np.float32), round(-low / step))


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix ``(rows, columns)`` in blocks along its columns: `codes` uint8, `scales` float32, zero at mid-range."""

    bits: int
    rows: int
    columns: int
    codes: NDArray[np.uint8]
    scales: Array

    def restore(self) -> Array:
        """Return the float matrix it stands for, shape ``(rows, columns)``."""
        if self.bits == 4:
            values = np.stack([self.codes & 15, self.codes >> 4], axis=-1).reshape(-1, BLOCK).astype(np.float32) - 8
        else:
            values = self.codes.reshape(-1, BLOCK).astype(np.float32) - 128
        return np.asarray((values * self.scales.reshape(-1, 1)).reshape(self.rows, self.columns), dtype=np.float32)


def blocks(matrix: Array, bits: int) -> Blocks:
    """Store a float matrix ``(rows, columns)`` in blocks of `BLOCK` columns.

    A matrix that already lies on a 4-bit grid ``scale * {-8..7}`` is kept exactly: the scale is taken from the entry
    of greatest magnitude, which such grids place at -8.
    """
    rows, columns = matrix.shape
    cut = matrix.reshape(-1, BLOCK)
    extreme = np.take_along_axis(cut, np.abs(cut).argmax(axis=1)[:, None], axis=1)
    half = 1 << (bits - 1)
    scales = np.where(extreme == 0, 1.0, extreme / -half).astype(np.float32)
    codes = np.clip(np.rint(cut / scales), -half, half - 1).astype(np.int16) + half
    packed = codes.astype(np.uint8)
    if bits == 4:
        packed = (packed[:, 0::2] | (packed[:, 1::2] << 4)).astype(np.uint8)
    return Blocks(bits, rows, columns, packed, scales[:, 0])


class _Builder:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(
        self,
        shape: Shape,
        weights: Mapping[str, Array],
        storage: Mapping[str, Storage],
        ranges: Mapping[str, Range | Step],
    ) -> None:
        self.shape, self.weights, self.storage, self.ranges = shape, weights, storage, ranges
        self.most = LARGEST
        self.codes: dict[str, tuple[str, Step, str]] = {}
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def op(self, kind: str, inputs: list[str], out: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, domain=domain, **attributes))
        return out

    def fused(self, kind: str, inputs: list[str], out: str, **attributes: Any) -> str:
        return self.op(kind, inputs, out, "com.microsoft", **attributes)

    def vector(self, name: str) -> str:
        return self.constant(name, self.weights[name].astype(np.float32))

    def linear(self, inputs: str, name: str, out: str) -> str:
        """``inputs @ W.T`` without its bias, in floats or in bytes as asked for."""
        matrix = self.weights[f"{name}.weight"]
        if self.storage.get(name.split(".", 1)[0], "float") == "float":
            return self.op("MatMul", [inputs, self.constant(f"{name}.weight", matrix.T.astype(np.float32))], out)
        codes, step, reach = self.coded(inputs, name)
        moved = (matrix / step.scale).T
        sizes = (np.abs(moved).max(axis=0) / self.most).astype(np.float32)
        weight = self.constant(f"{name}.codes", np.rint(moved / sizes).astype(np.int8))
        one, zero = self.constant("one", np.array(1, np.float32)), self.zero(step)
        read = [codes, weight, one, self.constant(f"{name}.sizes", sizes), zero]
        if not reach:
            return self.fused("MatMulIntegerToFloat", read, out)
        return self.op("Mul", [self.fused("MatMulIntegerToFloat", read, f"{name}.product"), reach], out)

    def coded(self, inputs: str, name: str) -> tuple[str, Step, str]:
        """Return `inputs` in bytes, and each piece's own step or "": query, key and value read the same bytes."""
        if inputs not in self.codes:
            step, own = self.step(inputs, name), ""
            scaled = self.op("Mul", [inputs, self.constant(f"{name}.step", step.scale)], f"{name}.scaled")
            if name.rsplit(".", 1)[1] in BY_PIECE:
                own = self.reach(scaled, name)
                scaled = self.op("Div", [scaled, own], f"{name}.level")
            one = self.constant("one", np.array(1, np.float32))
            self.codes[inputs] = self.op("QuantizeLinear", [scaled, one, self.zero(step)], f"{name}.coded"), step, own
        return self.codes[inputs]

    def step(self, inputs: str, name: str) -> Step:
        """Return the step of what `name` and the layers beside it read."""
        layer, part = name.rsplit(".", 1)
        readers = ("query", "key", "value") if part in ("query", "key", "value") else (part,)
        found = self.ranges[inputs]
        if isinstance(found, Range):
            found = smooth(found, [self.weights[f"{layer}.{reader}.weight"] for reader in readers])
        return replace(found, zero=MIDDLE) if part in BY_PIECE else found

    def reach(self, scaled: str, name: str) -> str:
        """Return how far each piece reaches on either side of zero, as the size of one byte: ``(n, length, 1)``."""
        last = self.constant("last", np.array([-1], np.int64))
        high = self.op("ReduceMax", [scaled, last], f"{name}.high", keepdims=1)
        low = self.op("Neg", [self.op("ReduceMin", [scaled, last], f"{name}.low", keepdims=1)], f"{name}.depth")
        most = self.op("Max", [high, low, self.constant("tiny", np.array(TINY, np.float32))], f"{name}.most")
        return self.op("Mul", [most, self.constant("byte", np.array(1 / 127, np.float32))], f"{name}.reach")

    def zero(self, step: Step) -> str:
        return self.constant(f"zero{step.zero}", np.array(step.zero, np.uint8))

    def norm(self, values: str, residual: str, bias: str, name: str, out: str) -> str:
        """LayerNorm(values + residual + bias).

        A Sum, as ONNX Runtime makes an Add into one step with the LayerNormalization, which takes six times as long.
        """
        summed = self.op("Sum", [values, residual, self.vector(bias)], f"{out}.sum")
        inputs = [summed, self.vector(f"{name}.weight"), self.vector(f"{name}.bias")]
        return self.op("LayerNormalization", inputs, out, epsilon=self.shape.epsilon, axis=-1)

    def words(self) -> str:
        table, name = self.weights["embed.word.weight"], "embed.word"
        kind = self.storage.get("embed", "float")
        if kind == "float":
            return self.op("Gather", [self.constant(name, table), "ids"], "words")
        stored = blocks(table, 4 if kind == "int4" else 8)
        shape = (stored.rows, -1)
        codes = self.constant(f"{name}.codes", stored.codes.reshape(shape))
        scales = self.constant(f"{name}.scales", stored.scales.reshape(shape))
        attributes = {"bits": stored.bits, "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
        return self.fused("GatherBlockQuantized", [codes, "ids", scales], "words", **attributes)

    def embed(self) -> str:
        words = self.words()
        places = self.op("Gather", [self.vector("embed.place.weight"), "places"], "embedded_places")
        summed = self.op("Add", [words, places], "embedded")
        scale, shift = self.vector("embed.norm.weight"), self.vector("embed.norm.bias")
        return self.op("LayerNormalization", [summed, scale, shift], "layer0", epsilon=self.shape.epsilon, axis=-1)

    def layer(self, inputs: str, name: str) -> str:
        """One transformer layer (post-norm, exact GELU), as in BERT."""
        parts = []
        for part in ("query", "key", "value"):
            product = self.linear(inputs, f"{name}.{part}", f"{name}.{part}.product")
            parts.append(self.op("Add", [product, self.vector(f"{name}.{part}.bias")], f"{name}.{part}.out"))
        heard = self.fused("MultiHeadAttention", [*parts, "", "mask"], f"{name}.heard", num_heads=self.shape.heads)
        mixed = self.linear(heard, f"{name}.mix", f"{name}.mixed")
        middle = self.norm(mixed, inputs, f"{name}.mix.bias", f"{name}.norm1", f"{name}.middle")
        wide = self.linear(middle, f"{name}.wide", f"{name}.widened")
        bent = self.fused("BiasGelu", [wide, self.vector(f"{name}.wide.bias")], f"{name}.bent")
        narrow = self.linear(bent, f"{name}.narrow", f"{name}.narrowed")
        return self.norm(narrow, middle, f"{name}.narrow.bias", f"{name}.norm2", f"{name}.out")

    def pool(self, states: str, out: str) -> str:
        """Mean over the real pieces, then unit length; shape ``(n, hidden)``."""
        weights = self.op("Cast", ["mask"], f"{out}.real", to=1)
        row = self.op("Unsqueeze", [weights, self.constant("axis1", np.array([1], np.int64))], f"{out}.row")
        summed = self.op("MatMul", [row, states], f"{out}.summed")
        flat = self.op("Squeeze", [summed, self.constant("axis1", np.array([1], np.int64))], f"{out}.flat")
        return self.op("LpNormalization", [flat], out, axis=-1, p=2)

    def build(self) -> tuple[str, ...]:
        states = self.embed()
        fork = states if self.shape.fork == 0 else ""
        for n in range(self.shape.layers):
            states = self.layer(states, f"trunk.{n}")
            fork = states if n + 1 == self.shape.fork else fork
        outputs = [self.pool(states, "vector")]
        for n in range(self.shape.branch):
            fork = self.layer(fork, f"branch.{n}")
        if self.shape.branch:
            outputs.append(self.op("Identity", [fork], "pieces"))
        return tuple(outputs)


def build(
    shape: Shape,
    weights: Mapping[str, Array],
    storage: Mapping[str, Storage],
    ranges: Mapping[str, Range | Step] | None = None,
) -> Any:
    """Return the ONNX model: inputs ``ids``, ``places``, ``mask`` (n, length); outputs ``vector`` and ``pieces``.

    `weights` are named ``embed.word.weight``, ``trunk.0.query.weight`` (out, in), ``branch.0.…``; `storage` says how
    ``embed`` (float, int8 or int4), ``trunk`` and ``branch`` (float or int8) are kept; ``int8`` layers need the
    `ranges` of what they read, as `activations` names them, or the steps of an earlier export.
    """
    from onnx import TensorProto, helper

    builder = _Builder(shape, weights, storage, ranges or {})
    names = builder.build()
    ranks: dict[str, list[str | int | None]] = {"vector": ["n", shape.hidden], "pieces": ["n", "length", shape.hidden]}
    graph = helper.make_graph(
        builder.nodes,
        "groundswell",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "length"]),
            helper.make_tensor_value_info("places", TensorProto.INT64, ["length"]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["n", "length"]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ranks[name]) for name in names],
        list(builder.constants.values()),
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="groundswell")


def activations(shape: Shape) -> tuple[str, ...]:
    """Return the names of all activations that linear layers read."""
    names = []
    for layers, room, first in ((shape.layers, "trunk", "layer0"), (shape.branch, "branch", _fork(shape))):
        before = first
        for n in range(layers):
            names += [before, f"{room}.{n}.heard", f"{room}.{n}.middle", f"{room}.{n}.bent"]
            before = f"{room}.{n}.out"
    return tuple(dict.fromkeys(names))


def _fork(shape: Shape) -> str:
    return f"trunk.{shape.fork - 1}.out" if shape.fork else "layer0"
