"""What every runtime offers, and the one on ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.encoder.tokens import Batch

Array = NDArray[np.float32]


class Runtime(Protocol):
    """Runs the encoder over one batch."""

    def run(self, batch: Batch, *, pieces: bool) -> tuple[Array, Array | None]:
        """Return unit vectors ``(n, hidden)`` and, if asked for, the tuned branch's states ``(n, length, hidden)``."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OnnxRuntime:
    """The graph of `groundswell.nlp.encoder.graph` on ONNX Runtime. A failed session names its file."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or cores()
        options.inter_op_num_threads = 1
        # Spinning threads steal the core from whatever runs beside us.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._names: Sequence[str] = [output.name for output in self._session.get_outputs()]

    def run(self, batch: Batch, *, pieces: bool) -> tuple[Array, Array | None]:
        """See `Runtime.run`."""
        wanted = ["vector", "pieces"] if pieces and "pieces" in self._names else ["vector"]
        feed = {"ids": batch.ids, "places": np.arange(batch.ids.shape[1]), "mask": batch.mask}
        answers = self._session.run(wanted, feed)
        return answers[0], answers[1] if len(answers) > 1 else None
