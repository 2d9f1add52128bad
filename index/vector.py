"""Vectors as JSON text, exactly: base64 of float16 where that loses nothing, else of float32."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

HALF, SINGLE = "f2:", "f4:"
_TYPES: dict[str, np.dtype[Any]] = {HALF: np.dtype("<f2"), SINGLE: np.dtype("<f4")}


def vector_to_text(vector: NDArray[np.float32]) -> str:
    """Return the vector, shape (dimensions,), as text that gives back the same float32 numbers.

    Raises:
        ValueError: it is not one-dimensional, or a number in it is not finite.
    """
    single = np.asarray(vector, dtype=_TYPES[SINGLE])
    if single.ndim != 1 or not np.isfinite(single).all():
        raise ValueError("a vector must be one row of finite numbers")
    with np.errstate(over="ignore"):
        half = single.astype(_TYPES[HALF])
    kind, numbers = (HALF, half) if np.array_equal(half.astype(single.dtype), single) else (SINGLE, single)
    return kind + base64.b64encode(numbers.tobytes()).decode("ascii")


def vector_from_text(text: str | Sequence[float] | NDArray[Any]) -> NDArray[np.float32]:
    """Return the vector of `vector_to_text`; a list of numbers or an array is taken too.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(text, str):
        return np.asarray(text, dtype=np.float32)
    if (dtype := _TYPES.get(text[:3])) is None:
        raise ValueError("a vector begins with f2: or f4:")
    numbers: NDArray[np.float32] = np.frombuffer(base64.b64decode(text[3:], validate=True), dtype).astype(np.float32)
    return numbers


def to_blob(vector: NDArray[np.float32]) -> bytes:
    """Return the vector as stores keep it: float16, little-endian."""
    return np.asarray(vector, dtype="<f2").tobytes()


def from_blob(blob: bytes) -> NDArray[np.float32]:
    """Return the vector of `to_blob`."""
    return np.frombuffer(blob, dtype="<f2").astype(np.float32)


class AsText:
    """Annotation that tells pydantic how a vector becomes JSON and comes back."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate with `vector_from_text`, serialise with `vector_to_text`."""
        return core_schema.no_info_plain_validator_function(
            vector_from_text,
            serialization=core_schema.plain_serializer_function_ser_schema(vector_to_text, when_used="unless-none"),
        )
