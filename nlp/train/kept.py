"""What a bundle's encoder file holds, taken back so that the same weights can be written out anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.bundle import read_bundle
from groundswell.nlp.model.encoder.graph import Shape, Step
from groundswell.nlp.model.encoder.torch import read_weights
from groundswell.nlp.model.heads import Head, Heads

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kept:
    """An encoder as it was exported: floats that lie on its integer grids, and how activations become bytes."""

    shape: Shape
    weights: Mapping[str, Array]
    steps: Mapping[str, Step]
    sentiment: Head
    manifest: Mapping[str, Any]


def read_kept(folder: Path) -> Kept:
    """Read a bundle; built again from it, a graph has the same integers.

    Raises:
        ModelError: The bundle is damaged, or the package `onnx` is missing.
    """
    bundle = read_bundle(folder)
    weights = read_weights(bundle.path("encoder.onnx"), bundle["shape"]["fork"])
    heads = Heads.read(bundle.arrays("heads.npz"), tuple(bundle["risk_ids"]))
    steps = read_steps(bundle.path("encoder.onnx"))
    return Kept(Shape(**bundle["shape"]), weights, steps, heads.sentiment, bundle.manifest)


def read_steps(path: Path) -> dict[str, Step]:
    """Return the step of every activation that linear layers read, by the activation's name."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = {node.output[0]: node for node in graph.node}
    zeros: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            scaled = nodes[node.input[0]]
            scaled = nodes[scaled.input[0]] if scaled.op_type == "Div" else scaled
            zeros[scaled.output[0]] = int(constants[node.input[2]].item())
    scalings = [node for node in graph.node if node.output[0] in zeros]
    return {node.input[0]: Step(constants[node.input[1]], zeros[node.output[0]]) for node in scalings}
