"""What every runtime offers, and the one on ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.encoder.flat import GRAPH
from groundswell.nlp.model.encoder.tokens import Batch

Array = NDArray[np.float32]


class Runtime(Protocol):
    """Runs the encoder over one batch; `at_once` says how many calls of `run` may go on side by side.

    Where `even` is true, the texts of a batch must have one length: what runs knows of no padding.
    """

    at_once: int
    even: bool

    def run(self, batch: Batch, *, pieces: bool) -> tuple[Array, Array | None]:
        """Return unit vectors ``(n, hidden)`` and, if asked for, the tuned branch's states ``(n, length, hidden)``."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OnnxRuntime:
    """The encoder's graph on ONNX Runtime: the flat one where it lies beside `path`, else the padded one of `path`.

    A failed session names its file.

    Each call keeps to the thread that makes it: several batches side by side use the cores better than several threads
    within one batch, which wait for each other after every one of some four hundred steps.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        import onnxruntime

        self.at_once = threads or cores()
        self.even = (path.parent / GRAPH).is_file()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        file = path.parent / GRAPH if self.even else path
        self._session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._names: Sequence[str] = [output.name for output in self._session.get_outputs()]

    def run(self, batch: Batch, *, pieces: bool) -> tuple[Array, Array | None]:
        """See `Runtime.run`."""
        wanted = ["vector", "pieces"] if pieces and "pieces" in self._names else ["vector"]
        feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1])}
        answers = self._session.run(wanted, feed if self.even else {**feed, "mask": batch.mask})
        return answers[0], answers[1] if len(answers) > 1 else None
