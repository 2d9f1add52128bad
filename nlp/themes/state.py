"""A theme space as bytes and back, bit for bit, so that a run that was killed goes on as if nothing had been."""

from __future__ import annotations

import base64
import io
import json
from collections import deque
from datetime import datetime
from typing import Any

import numpy as np

from groundswell.nlp.themes.evidence import MEMORY
from groundswell.nlp.themes.space import KNOWN, Cluster, Recent, ThemeSpace

VERSION = 4
"""Of the layout and of the space; another one is not read, and the stage tells a new space where documents went."""


def pack(space: ThemeSpace) -> str:
    """Return the whole state of a space as text (base64 of a compressed numpy archive)."""
    slots = list(space.clusters)
    arrays: dict[str, Any] = {
        "sum": space.sums.evidence[slots], "raw": space.sums.raw[slots], "n": space.sums.n[slots],
        "trace": space.sums.trace[slots],
        "alike": space.arrival.alike, "pairs": space.arrival.pairs,
        "recent": np.array([r.evidence for r in space.recent], np.float16),
        "recent_raw": np.array([r.raw for r in space.recent], np.float16),
        **{f"mean/{lang}": mean for lang, mean in space.evidence.means.items()},
        "plain": np.frombuffer(json.dumps(plain(space, slots), ensure_ascii=False).encode(), np.uint8),
    }  # fmt: skip
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return base64.b64encode(file.getvalue()).decode("ascii")


def plain(space: ThemeSpace, slots: list[int]) -> dict[str, Any]:
    """Return what is no array."""
    pooled = {one: c.slot for one, c in space.placed.items() if not c.theme and space.clusters.get(c.slot) is c}
    return {
        "version": VERSION, "slots": slots, "free": space.sums.free, "capacity": len(space.sums.n),
        "now": space.now.isoformat(),
        "clusters": [plain_cluster(space.clusters[s]) for s in slots], "pooled": dict(sorted(pooled.items())),
        "recent": [[r.id, r.at.isoformat(), r.author, slot_of(space, r), list(r.copies)] for r in space.recent],
        "words": [sorted(w) for w in space.evidence.recent], "counted": space.evidence.counted,
        "fits": space.fits,
    }  # fmt: skip


def plain_cluster(c: Cluster) -> list[Any]:
    """Return a cluster as JSON."""
    return [
        c.first_seen.isoformat(), c.last_seen.isoformat(), c.theme, c.state, c.size, c.copies, list(c.members),
        sorted(c.authors), list(c.parents), list(c.children),
    ]  # fmt: skip


def slot_of(space: ThemeSpace, recent: Recent) -> int:
    """Return where a recent document is, -1 if nowhere any more."""
    c = recent.cluster
    return c.slot if c and space.clusters.get(c.slot) is c else -1


def unpack(text: str, space: ThemeSpace) -> None:
    """Bring a fresh space to a packed state.

    Raises:
        ValueError: the text was packed by another version.
    """
    with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as arrays:
        data = json.loads(arrays["plain"].tobytes())
        if data["version"] != VERSION:
            raise ValueError(f"theme state of version {data['version']}, expected {VERSION}")
        restore_sums(space, data, {name: arrays[name] for name in ("sum", "raw", "n", "trace")})
        restore_clusters(space, data)
        restore_recent(space, data, arrays["recent"].astype(np.float32), arrays["recent_raw"].astype(np.float32))
        space.arrival.relearn(arrays["alike"], arrays["pairs"])
        space.evidence.means = {lang.removeprefix("mean/"): arrays[lang] for lang in arrays if "mean/" in lang}
    space.evidence.counted = data["counted"]
    space.fits = data["fits"]
    assert len(data["words"]) <= MEMORY  # noqa: S101  what `pack` promises
    for words in data["words"]:
        space.evidence.recent.append(frozenset(words))
        space.evidence.frequency.update(words)
    space.now = datetime.fromisoformat(data["now"])


def restore_sums(space: ThemeSpace, data: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Put the sums back where they were."""
    sums, slots = space.sums, data["slots"]
    sums.grow(data["capacity"])
    sums.free = data["free"]
    sums.evidence[slots], sums.raw[slots], sums.n[slots] = arrays["sum"], arrays["raw"], arrays["n"]
    sums.trace[slots] = arrays["trace"]


def restore_clusters(space: ThemeSpace, data: dict[str, Any]) -> None:
    """Put the clusters back in their order."""
    for slot, line in zip(data["slots"], data["clusters"], strict=True):
        first, last, theme, state, size, copies, members, authors, parents, children = line
        cluster = Cluster(
            slot, datetime.fromisoformat(first), datetime.fromisoformat(last), theme, state, size, copies,
            deque(members, maxlen=KNOWN), set(authors), tuple(parents), tuple(children),
        )  # fmt: skip
        space.clusters[slot] = cluster
        if theme:
            space.themes[theme] = cluster
        space.placed.update(dict.fromkeys(members, cluster))
    space.placed.update({one: space.clusters[slot] for one, slot in data["pooled"].items()})


def restore_recent(space: ThemeSpace, data: dict[str, Any], evidence: Any, raw: Any) -> None:
    """Put back the documents that may still be looked at again."""
    for k, (one, at, author, slot, copies) in enumerate(data["recent"]):
        cluster, kept = space.clusters.get(slot), deque(copies, maxlen=KNOWN)
        space.recent.append(Recent(one, evidence[k], raw[k], datetime.fromisoformat(at), author, cluster, kept))
        if cluster:
            space.placed[one] = cluster
