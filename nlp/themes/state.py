"""A theme space saved piece by piece, bit for bit: what a turn writes depends on what changed, not on history.

There is one piece for each cluster, one for every `CHUNK` documents whose words are still counted, and the *mark*,
which names them all. A turn writes only the pieces that changed, then the mark. Each piece bears the number of the save
that wrote it, so that a store which does not write all of them at once cannot give back a state that never was.
"""

from __future__ import annotations

import base64
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.cluster import LATEST_MEMBERS, Cluster, LooseDocument
from groundswell.nlp.themes.evidence import DIMENSIONS, MEMORY, WIDTH
from groundswell.nlp.themes.registers import Register, Registers
from groundswell.nlp.themes.space import ThemeSpace

VERSION = 8
"""Of the layout and of the space; another one is not read, and the stage tells a new space where documents went."""
CHUNK = 256
"""Documents whose words lie in one piece."""
RING = 1 + -(-MEMORY // CHUNK)
"""Pieces of words that are used in turn."""
FASTEST = 1
"""Level of compression: a turn saves often, and a stronger one gains little on floats."""

Piece = Mapping[str, Any]
"""JSON."""


class TornStateError(ValueError):
    """The saved pieces do not belong together, or are of another version."""


class SpaceState:
    """Saves a space and brings one back.

    Use::

        state = SpaceState(space)
        pieces = state.save()                          # {name: piece} of what changed, the mark last, under ""
        state = SpaceState.restore(space, mark, read)  # a fresh space; `read` answers names with pieces
    """

    def __init__(self, space: ThemeSpace, *, written: Mapping[int, int] | None = None, saves: int = 0) -> None:
        self.space, self.saves = space, saves
        self.written = dict(written or {})
        """Slot → the save that wrote its piece."""
        self.chunks = space.evidence.documents // CHUNK if saves else 0

    def save(self) -> dict[str, Piece]:
        """Return the pieces that changed since the last save, the mark last."""
        self.saves += 1
        clusters = self.space.clusters
        changed = sorted(slot for slot in clusters.changed if slot in clusters.alive)
        pieces: dict[str, Piece] = {cluster_piece_name(slot): self._cluster(slot) for slot in changed}
        clusters.changed.clear()
        self.written.update(dict.fromkeys(changed, self.saves))
        full = self.space.evidence.documents // CHUNK
        for chunk in range(max(self.chunks, full - RING + 1), full):
            pieces[words_piece_name(chunk)] = {"chunk": chunk, "words": self._words(chunk * CHUNK, (chunk + 1) * CHUNK)}
        self.chunks = full
        return {**pieces, "": self._mark(full)}

    @classmethod
    def restore(
        cls, space: ThemeSpace, mark: Piece, read: Callable[[Sequence[str]], Mapping[str, Piece]]
    ) -> SpaceState:
        """Bring a fresh space to a saved state.

        Raises:
            TornStateError: the pieces are of another version, torn, or not of one save.
        """
        try:
            if mark["version"] != VERSION:
                raise TornStateError(f"theme state of version {mark['version']}, expected {VERSION}")
            first, full = _chunks_of(mark["documents"])
            names = [cluster_piece_name(slot) for slot in mark["slots"]]
            found = read([*names, *(words_piece_name(chunk) for chunk in range(first, full))])
            _restore_clusters(space, mark, found)
            _restore_loose(space, mark)
            _restore_evidence(space, mark, [_chunk(found, chunk) for chunk in range(first, full)])
            space.arrival.relearn(_floats(mark["alike"]), _floats(mark["pairs"]))
            space.now = datetime.fromisoformat(mark["now"])
        except (KeyError, TypeError, IndexError, zlib.error, ValueError) as error:
            raise TornStateError(str(error) or type(error).__name__) from error
        space.clusters.changed.clear()
        return cls(space, written=dict(zip(mark["slots"], mark["written"], strict=True)), saves=mark["saves"])

    def _mark(self, full: int) -> Piece:
        space, evidence = self.space, self.space.evidence
        return {
            "version": VERSION, "saves": self.saves, "now": space.now.isoformat(),
            "slots": list(space.clusters.alive), "written": [self.written[slot] for slot in space.clusters.alive],
            "free": list(space.clusters.profiles.free),
            "capacity": len(space.clusters.profiles.weight),
            "alike": _packed(space.arrival.alike), "pairs": _packed(space.arrival.pairs),
            "means": {lang: _packed(mean) for lang, mean in evidence.means.items()}, "counted": dict(evidence.counted),
            "priors": {lang: _packed(mean) for lang, mean in evidence.priors.items()},
            "prior_share": dict(evidence.prior_share),
            "registers": [[*key, r.counted, _packed(r.mean)] for key, r in evidence.registers.found.items()],
            "documents": evidence.documents, "words": self._words(full * CHUNK, evidence.documents),
            "loose": [_loose(document) for document in space.clusters.loose],
            "given": list(space.clusters.given),
            "loose_evidence": _packed(_halves([d.evidence for d in space.clusters.loose])),
            "loose_embedding": _packed(_halves([d.embedding for d in space.clusters.loose])),
        }  # fmt: skip

    def _cluster(self, slot: int) -> Piece:
        c, profiles = self.space.clusters.alive[slot], self.space.clusters.profiles
        sums = np.concatenate([[profiles.weight[slot]], profiles.evidence[slot], profiles.embedding[slot]])
        return {
            "saves": self.saves, "sums": _packed(sums.astype(np.float32)), "arrivals": profiles.arrivals[slot].tolist(),
            "first_seen": c.first_seen.isoformat(), "last_seen": c.last_seen.isoformat(), "theme": c.theme,
            "state": c.state, "size": c.size, "copies": c.copies, "members": list(c.members),
            "authors": sorted(c.authors), "parents": list(c.parents), "children": list(c.children),
        }  # fmt: skip

    def _words(self, start: int, stop: int) -> list[list[str]]:
        """Return the words of the documents from one number to another, counted from the first that was ever read."""
        recent = self.space.evidence.recent
        oldest = self.space.evidence.documents - len(recent)
        return [sorted(recent[k - oldest]) if k >= oldest else [] for k in range(start, stop)]


def cluster_piece_name(slot: int) -> str:
    """Return the name of a cluster's piece."""
    return f"cluster/{slot}"


def words_piece_name(chunk: int) -> str:
    """Return the name of the piece that holds a chunk of words; pieces are used in turn."""
    return f"words/{chunk % RING}"


def _chunks_of(documents: int) -> tuple[int, int]:
    """Return the first chunk that still holds words of the latest documents, and how many there were in all."""
    return max(documents - MEMORY, 0) // CHUNK, documents // CHUNK


def _chunk(found: Mapping[str, Piece], chunk: int) -> Piece:
    piece = found[words_piece_name(chunk)]
    if piece["chunk"] != chunk:
        raise TornStateError(f"words of chunk {piece['chunk']} where {chunk} should be")
    return piece


def _restore_clusters(space: ThemeSpace, mark: Piece, found: Mapping[str, Piece]) -> None:
    clusters, profiles = space.clusters, space.clusters.profiles
    profiles.grow(mark["capacity"])
    profiles.free = list(mark["free"])
    clusters.given.extend(mark["given"])
    for slot, saved in zip(mark["slots"], mark["written"], strict=True):
        piece = found[cluster_piece_name(slot)]
        if piece["saves"] != saved:
            raise TornStateError(f"the piece of cluster {slot} is of save {piece['saves']}, not of {saved}")
        sums = _floats(piece["sums"], np.float32)
        profiles.weight[slot] = sums[0]
        profiles.evidence[slot], profiles.embedding[slot] = sums[1 : 1 + WIDTH], sums[1 + WIDTH :]
        profiles.arrivals[slot] = piece["arrivals"]
        cluster = Cluster(
            slot, datetime.fromisoformat(piece["first_seen"]), datetime.fromisoformat(piece["last_seen"]),
            piece["theme"], piece["state"], piece["size"], piece["copies"],
            deque(piece["members"], maxlen=LATEST_MEMBERS), set(piece["authors"]), tuple(piece["parents"]),
            tuple(piece["children"]),
        )  # fmt: skip
        clusters.alive[slot] = cluster
        if cluster.theme:
            clusters.themes[cluster.theme] = cluster
        clusters.place.update(dict.fromkeys(cluster.members, cluster))


def _restore_loose(space: ThemeSpace, mark: Piece) -> None:
    evidence = _floats(mark["loose_evidence"], np.float16).reshape(-1, WIDTH).astype(np.float32)
    embedding = _floats(mark["loose_embedding"], np.float16).reshape(-1, DIMENSIONS).astype(np.float32)
    for k, (one, at, author, slot, copies) in enumerate(mark["loose"]):
        cluster = space.clusters.alive[slot]
        copied = deque(copies, maxlen=LATEST_MEMBERS)
        document = LooseDocument(
            one, evidence[k], embedding[k], datetime.fromisoformat(at), author, cluster, copied
        )  # fmt: skip
        space.clusters.loose.append(document)
        space.clusters.place[one] = cluster


def _restore_evidence(space: ThemeSpace, mark: Piece, chunks: Sequence[Piece]) -> None:
    evidence = space.evidence
    evidence.means = {lang: _floats(mean) for lang, mean in mark["means"].items()}
    evidence.counted, evidence.prior_share = dict(mark["counted"]), dict(mark["prior_share"])
    evidence.priors = {lang: _floats(mean) for lang, mean in mark["priors"].items()}
    evidence.registers = Registers(
        {(lang, of, how): Register(n, _floats(mean)) for lang, of, how, n, mean in mark["registers"]}
    )
    words = [line for chunk in chunks for line in chunk["words"]] + mark["words"]
    evidence.recall([frozenset(line) for line in words[-min(mark["documents"], MEMORY) :]], mark["documents"])


def _loose(document: LooseDocument) -> list[Any]:
    slot = document.cluster.slot if document.cluster else None
    return [document.id, document.at.isoformat(), document.author, slot, list(document.copies)]


def _halves(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float16]:
    return np.array(rows, np.float16)


def _packed(array: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), FASTEST)).decode("ascii")


def _floats(text: str, kind: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind).copy()
