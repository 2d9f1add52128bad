"""The encoder's graph once more, laid out for speed: the same weights in the same integers, in fewer and cheaper steps.

All texts of a batch have one length (`Tokenizer.batches` cuts them so): nothing is padded and attention needs no mask,
for which ONNX Runtime's own step pays half as much again. Pieces stand in one long table; biases are added inside the
products of integers; and where a piece has a step of its own, it is rounded by row, without a division before.

The file holds the graph and what is small. Weights are read from where they stand in ``encoder.onnx`` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.encoder.graph import BLOCK, MIDDLE, TINY, Shape

WEIGHTS, GRAPH = "encoder.onnx", "encoder.flat.onnx"
LEAST_SHARED = 4096
"""Bytes from which a constant is read from the weights' file; the optimiser wants to see small ones."""


class _Writer:
    """Writes the flat graph from the constants of the one that is padded; methods return the name of what they made.

    `zeros` are the bytes that stand for zero, by the layer that reads them.
    """

    def __init__(self, shape: Shape, stored: Mapping[str, NDArray[Any]], zeros: Mapping[str, int]) -> None:
        self.shape, self.stored, self.zeros = shape, stored, zeros
        self.coded: dict[str, tuple[str, int]] = {}
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def op(self, kind: str, inputs: list[str], out: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, domain=domain, **attributes))
        return out

    def fused(self, kind: str, inputs: list[str], out: str, **attributes: Any) -> str:
        return self.op(kind, inputs, out, "com.microsoft", **attributes)

    def constant(self, name: str, value: Any, kind: type = np.int64) -> str:
        self.constants[name] = np.asarray(value, dtype=kind)
        return name

    def held(self, name: str) -> str:
        self.constants[name] = self.stored[name]
        return name

    def bytes_of(self, inputs: str, name: str) -> tuple[str, int]:
        """Round states with the step of what reads them first, as all that read them do; with the byte for zero."""
        if inputs not in self.coded:
            scaled, zero = self.op("Mul", [inputs, self.held(f"{name}.step")], f"{name}.scaled"), self.zeros[name]
            read = [scaled, self.constant("one", 1, np.float32), self.constant(f"zero{zero}", zero, np.uint8)]
            self.coded[inputs] = self.op("QuantizeLinear", read, f"{name}.coded"), zero
        return self.coded[inputs]

    def product(self, codes: str, name: str, zero: int, out: str, bias: str = "") -> str:
        """``codes @ W.T + bias`` in integers, as floats."""
        read = [codes, self.held(f"{name}.codes"), self.constant("one", 1, np.float32), self.held(f"{name}.sizes")]
        read += [self.constant(f"zero{zero}", zero, np.uint8)]
        return self.fused("MatMulIntegerToFloat", [*read, "", self.held(bias)] if bias else read, out)

    def linear(self, inputs: str, name: str, out: str) -> str:
        """``inputs @ W.T + bias``, where all pieces have one step."""
        codes, zero = self.bytes_of(inputs, name)
        return self.product(codes, name, zero, out, f"{name}.bias")

    def by_piece(self, inputs: str, name: str, out: str) -> str:
        """One linear layer without its bias, whose inputs have a step a piece."""
        scaled = self.op("Mul", [inputs, self.held(f"{name}.step")], f"{name}.scaled")
        last = self.constant("last", [-1])
        high = self.op("ReduceMax", [scaled, last], f"{name}.high", keepdims=0)
        low = self.op("Neg", [self.op("ReduceMin", [scaled, last], f"{name}.low", keepdims=0)], f"{name}.depth")
        most = self.op("Max", [high, low, self.constant("tiny", TINY, np.float32)], f"{name}.most")
        reach = self.op("Mul", [most, self.constant("byte", 1 / 127, np.float32)], f"{name}.reach")
        codes = self.op("QuantizeLinear", [scaled, reach, "middles"], f"{name}.coded", axis=0)
        column = self.op("Unsqueeze", [reach, last], f"{name}.column")
        return self.op("Mul", [self.product(codes, name, MIDDLE, f"{name}.product"), column], out)

    def norm(self, values: list[str], name: str, out: str) -> str:
        summed = self.op("Sum", values, f"{out}.sum")
        scale, shift = self.held(f"{name}.weight"), self.held(f"{name}.bias")
        return self.op("LayerNormalization", [summed, scale, shift], out, epsilon=self.shape.epsilon, axis=-1)

    def by_head(self, states: str, name: str) -> str:
        """``(n * length, hidden)`` as ``(n, heads, length, hidden / heads)``."""
        cut = self.op("Reshape", [states, "by_head"], f"{name}.cut")
        return self.op("Transpose", [cut], f"{name}.heads", perm=[0, 2, 1, 3])

    def attention(self, states: str, name: str) -> str:
        query, key, value = (
            self.by_head(self.linear(states, f"{name}.{part}", f"{name}.{part}.out"), f"{name}.{part}")
            for part in ("query", "key", "value")
        )
        size = (self.shape.hidden // self.shape.heads) ** -0.5
        scores = self.fused("FusedMatMul", [query, key], f"{name}.scores", transB=1, alpha=size)
        shares = self.op("Softmax", [scores], f"{name}.shares", axis=-1)
        heard = self.op("MatMul", [shares, value], f"{name}.heard_by_head")
        together = self.op("Transpose", [heard], f"{name}.heard_by_piece", perm=[0, 2, 1, 3])
        return self.op("Reshape", [together, self.constant("table", [-1, self.shape.hidden])], f"{name}.heard")

    def layer(self, states: str, name: str) -> str:
        """One transformer layer (post-norm, exact GELU), as in BERT."""
        mixed = self.linear(self.attention(states, name), f"{name}.mix", f"{name}.mixed")
        middle = self.norm([mixed, states], f"{name}.norm1", f"{name}.middle")
        wide = self.linear(middle, f"{name}.wide", f"{name}.widened")
        narrow = self.by_piece(self.op("Gelu", [wide], f"{name}.bent"), f"{name}.narrow", f"{name}.narrowed")
        return self.norm([narrow, middle, self.held(f"{name}.narrow.bias")], f"{name}.norm2", f"{name}.out")

    def embed(self) -> str:
        codes, scales = self.held("embed.word.codes"), self.held("embed.word.scales")
        bits = 8 * self.stored[codes].shape[1] // self.shape.hidden
        attributes = {"bits": bits, "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
        words = self.fused("GatherBlockQuantized", [codes, "ids", scales], "words", **attributes)
        places = self.op("Gather", [self.held("embed.place.weight"), "places"], "embedded_places")
        summed = self.op("Add", [words, places], "embedded")
        flat = self.op("Reshape", [summed, self.constant("table", [-1, self.shape.hidden])], "embedded_flat")
        scale, shift = self.held("embed.norm.weight"), self.held("embed.norm.bias")
        return self.op("LayerNormalization", [flat, scale, shift], "layer0", epsilon=self.shape.epsilon, axis=-1)

    def sizes(self) -> None:
        """Write what depends on how large the batch is: shapes, and a zero for every piece."""
        shape = self.op("Shape", ["ids"], "shape")
        heads = self.constant("heads", [self.shape.heads, self.shape.hidden // self.shape.heads])
        self.op("Concat", [shape, heads], "by_head", axis=0)
        self.op("Concat", [shape, self.constant("wide", [self.shape.hidden])], "by_text", axis=0)
        count = self.op("Reshape", [self.op("Size", ["ids"], "count"), self.constant("last", [-1])], "counts")
        self.op("Expand", [self.constant(f"zero{MIDDLE}", MIDDLE, np.uint8), count], "middles")

    def write(self) -> list[str]:
        self.sizes()
        states = self.embed()
        fork = states
        for n in range(self.shape.layers):
            states = self.layer(states, f"trunk.{n}")
            fork = states if n + 1 == self.shape.fork else fork
        by_text = self.op("Reshape", [states, "by_text"], "by_text.out")
        summed = self.op("ReduceSum", [by_text, self.constant("axis1", [1])], "summed", keepdims=0)
        outputs = [self.op("LpNormalization", [summed], "vector", axis=-1, p=2)]
        for n in range(self.shape.branch):
            fork = self.layer(fork, f"branch.{n}")
        return [*outputs, self.op("Reshape", [fork, "by_text"], "pieces")] if self.shape.branch else outputs


def write_flat(folder: Path, shape: Shape) -> Path:
    """Write the flat graph beside a bundle's ``encoder.onnx``, whose layers are in integers; returns its path."""
    import onnx
    from onnx import helper, numpy_helper

    whole = (folder / WEIGHTS).read_bytes()
    graph = onnx.load_from_string(whole).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    writer = _Writer(shape, stored, _zeros(graph, stored))
    names = writer.write()
    kinds: dict[str, list[str | int | None]] = {"vector": ["n", shape.hidden], "pieces": ["n", "length", shape.hidden]}
    made = helper.make_graph(
        writer.nodes,
        "groundswell-flat",
        [
            helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["n", "length"]),
            helper.make_tensor_value_info("places", onnx.TensorProto.INT64, ["length"]),
        ],
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, kinds[name]) for name in names],
        [_kept(name, value, whole) for name, value in writer.constants.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=10, producer_name="groundswell")
    (folder / GRAPH).write_bytes(model.SerializeToString())
    return folder / GRAPH


def _zeros(graph: Any, stored: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """Return the byte that stands for zero in what each layer reads."""
    return {
        node.output[0].removesuffix(".coded"): int(stored[node.input[2]].item())
        for node in graph.node
        if node.op_type == "QuantizeLinear"
    }


def _kept(name: str, value: NDArray[Any], whole: bytes) -> Any:
    """Return a constant: itself where it is small, else where it stands in the weights' file."""
    from onnx import TensorProto, numpy_helper

    tensor = numpy_helper.from_array(np.ascontiguousarray(value), name)
    place = whole.find(tensor.raw_data) if value.nbytes >= LEAST_SHARED else -1
    if place < 0:
        return tensor
    length = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, told in {"location": WEIGHTS, "offset": place, "length": length}.items():
        tensor.external_data.add(key=key, value=str(told))
    return tensor
