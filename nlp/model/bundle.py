"""A model in a folder: what it holds, checked against its checksums before anything is believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.files import write_whole

MANIFEST = "model.json"
FORMAT = 1


class ModelError(Exception):
    """A model that cannot be used; the message says which, why, and what to do next."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model's folder and its manifest."""

    folder: Path
    manifest: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        """Return an entry of the manifest."""
        return self.manifest[key]

    def path(self, name: str) -> Path:
        """Return the path of a file of the bundle."""
        return self.folder / name

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of an ``.npz`` file of the bundle; pickled objects are refused."""
        with np.load(self.path(name), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    @property
    def made_by(self) -> str:
        """Return the name every stored score carries: model and version."""
        return f"{self['name']} {self['version']}"


def find_bundle(name: str) -> Path | None:
    """Return the folder of a model that ships with Groundswell or is named by path; ``None``: try a hub."""
    shipped = Path(str(files("groundswell.nlp").joinpath("weights"))) / name
    for folder in (Path(name), shipped):
        if (folder / MANIFEST).is_file():
            return folder
    return None


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle and check every file against its checksum.

    Raises:
        ModelError: The manifest is damaged or newer than this program, or a file is missing or altered.
    """
    place = folder / MANIFEST
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{place}: cannot read the model's manifest ({error}); install Groundswell again or name another model"
        raise ModelError(msg) from error
    if manifest.get("format") != FORMAT:
        msg = f"{place}: format {manifest.get('format')!r}, this Groundswell reads {FORMAT}; upgrade one or the other"
        raise ModelError(msg)
    for name, expected in manifest["sha256"].items():
        _check(folder / name, expected)
    return Bundle(folder, manifest)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, with the checksum of every other file in the folder, as the last and atomic step."""
    sums = {path.name: checksum(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST}
    text = json.dumps({"format": FORMAT, **manifest, "sha256": sums}, indent=1, ensure_ascii=False, sort_keys=True)
    write_whole(folder / MANIFEST, (text + "\n").encode("utf-8"))


def carried_over(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a bundle made from another keeps of its manifest: neither its files' sums nor its worth."""
    return {name: value for name, value in manifest.items() if name not in {"format", "sha256", "sources_out"}}


def checksum(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check(path: Path, expected: str) -> None:
    if not path.is_file():
        msg = f"{path}: missing; the model is not complete, install it again"
        raise ModelError(msg)
    if checksum(path) != expected:
        msg = f"{path}: not the file the manifest speaks of (checksum differs); copy or install the model again"
        raise ModelError(msg)
