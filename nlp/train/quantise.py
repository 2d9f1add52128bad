"""From weights to the file that ships: ranges of the activations, then the graph in integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.encoder.graph import Range, Shape, activations, build
from groundswell.nlp.model.encoder.tokens import Tokenizer

Array = NDArray[np.float32]

BATCH_TOKENS = 1024


def session(model: Any, threads: int = 1) -> Any:
    """Open an ONNX model that is in memory."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def find_ranges(
    shape: Shape, weights: Mapping[str, Array], texts: Sequence[str], tokenizer: Tokenizer
) -> dict[str, Range]:
    """Return the range of every channel that a linear layer reads, over the real pieces of `texts`, in floats."""
    from onnx import TensorProto, helper

    names = activations(shape)
    model = build(shape, weights, {})
    outputs = {output.name for output in model.graph.output}
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names if name not in outputs
    )
    runner = session(model)
    low: dict[str, Array] = {}
    high: dict[str, Array] = {}
    for batch in tokenizer.batches(tokenizer(texts), BATCH_TOKENS):
        feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1]), "mask": batch.mask}
        real = batch.mask.astype(bool)
        for name, values in zip(names, runner.run(list(names), feed), strict=True):
            seen = values[real]
            low[name] = np.minimum(low.get(name, np.inf), seen.min(axis=0))
            high[name] = np.maximum(high.get(name, -np.inf), seen.max(axis=0))
    return {name: Range(low[name].astype(np.float32), high[name].astype(np.float32)) for name in names}
