"""Indices and aliases: made where they are missing, moved to other mappings while everybody goes on reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch, helpers

from groundswell.configs.schema import ElasticSettings
from groundswell.index.codec import from_json, name_of
from groundswell.index.elastic.client import OVERLOADED, checked, connect, explained
from groundswell.index.elastic.documents import record_source, to_source
from groundswell.index.elastic.move import Converter, compare, copy
from groundswell.index.elastic.names import KINDS, VERSION, Names, mapping
from groundswell.index.groups import GROUPED, state_of, subject_of
from groundswell.index.older import SNOOZED, snooze_of
from groundswell.index.records import Checkpoint, Document, Snooze
from groundswell.index.store import StoreError

GROUPS = 1
"""Counts changes of what records are told apart by (`groundswell.index.groups`); as `_meta.groups` of places says."""
SOME = 500
EXISTS = ("resource_already_exists_exception", "invalid_alias_name_exception")
MOST_SNOOZES = 10_000
PASSES = 3
"""How often what was written meanwhile is copied before writers are asked to wait."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A version of the mappings: the mappings themselves, and how a document looks in them."""

    version: int = VERSION
    mapping: Callable[[str], dict[str, Any]] = mapping
    source: Callable[[Document], dict[str, Any]] = to_source


CURRENT = Schema()


def ensure(client: Elasticsearch, names: Names, settings: ElasticSettings) -> None:
    """Make every index that is missing.

    Raises:
        StoreError: the cluster holds another schema than this version of Groundswell writes.
    """
    found = version_of(client, names)
    if found > VERSION:
        raise StoreError(
            f"{settings.place}: the indices have schema {found}, this Groundswell knows {VERSION}: install a newer one"
        )
    refuse_older(found, settings)
    if not found:
        _create_all(client, names, settings)
    else:
        _add_kinds(client, names, settings)
        _group_records(client, names)


def refuse_older(found: int, settings: ElasticSettings) -> None:
    """Refuse indices that lack fields which questions of this version are about.

    Raises:
        StoreError: they are of an older schema.
    """
    if 0 < found < VERSION:
        raise StoreError(
            f"{settings.place}: the indices have schema {found}, {VERSION} is needed: run `groundswell migrate`"
        )


def _create_all(client: Elasticsearch, names: Names, settings: ElasticSettings) -> None:
    for name in KINDS:
        _create(client, names, names.kind(name), "records", settings)
    ensure_month(client, names, f"{names.documents}-write-undated", settings)
    _create(client, names, names.places, "places", settings)  # last: whoever sees it knows that all the rest is there


def _add_kinds(client: Elasticsearch, names: Names, settings: ElasticSettings) -> None:
    """Make the index of every kind of record that the version which made the others did not know."""
    there = {
        alias for index in client.indices.get_alias(index=f"{names.prefix}-*").values() for alias in index["aliases"]
    }
    for name in KINDS:
        if names.kind(name) in there:
            continue
        _create(client, names, names.kind(name), "records", settings)
        if name == name_of(Snooze):
            _carry_snoozes(client, names)


def _carry_snoozes(client: Elasticsearch, names: Names) -> None:
    """Write the snoozes that older versions kept as checkpoints as records of their own."""
    alias = names.kind(name_of(Checkpoint))
    query = {"prefix": {"id": SNOOZED}}
    hits = checked(client.search(index=alias, query=query, size=MOST_SNOOZES))["hits"]["hits"]
    snoozes = [snooze for hit in hits if (snooze := snooze_of(from_json(Checkpoint, hit["_source"]["body"])))]
    for snooze in snoozes:
        client.index(
            index=names.kind(name_of(Snooze)), id=snooze.id, document=record_source(snooze), require_alias=True
        )


def _group_records(client: Elasticsearch, names: Names) -> None:
    """Fill in by what records that older versions wrote are told apart; done again it changes nothing."""
    meta = _meta(client, names)
    if meta.get("groups", 0) >= GROUPS:
        return
    for kind in GROUPED:
        alias = names.kind(name_of(kind))
        if not client.indices.exists_alias(name=alias):
            continue
        client.indices.refresh(index=alias)
        sources = helpers.scan(client, index=alias, query={"query": {"match_all": {}}}, size=SOME)
        records: Iterator[Any] = (from_json(kind, hit["_source"]["body"]) for hit in sources)
        actions = (
            {"_op_type": "update", "_index": alias, "_id": one.id,
             "doc": {"state": state_of(one), "theme": subject_of(one)}}
            for one in records
        )  # fmt: skip
        for ok, item in helpers.streaming_bulk(
            client, actions, chunk_size=SOME, max_retries=8, retry_on_status=OVERLOADED, raise_on_error=False
        ):
            result = next(iter(item.values()))
            if not ok and result["status"] not in (404, 409):  # forgotten, or written anew, meanwhile
                raise StoreError(f"{result['_index']} does not take {result['_id']}: {result.get('error')}"[:500])
    client.indices.put_mapping(index=names.places, meta={**meta, "groups": GROUPS})
    client.indices.refresh(index=f"{names.prefix}-*")


def refuse_ungrouped(client: Elasticsearch, names: Names, settings: ElasticSettings) -> None:
    """Refuse records of an older version, among which alerts cannot be told from other signals.

    Raises:
        StoreError: nobody has opened the store for writing since this version was installed.
    """
    if version_of(client, names) and _meta(client, names).get("groups", 0) < GROUPS:
        raise StoreError(
            f"{settings.place}: its records were written by an older Groundswell: run `groundswell migrate`"
        )


def _meta(client: Elasticsearch, names: Names) -> dict[str, Any]:
    """Return what the mappings that are in use say of themselves."""
    found = client.options(ignore_status=404).indices.get_mapping(index=names.places)
    metas = [
        index["mappings"].get("_meta", {})
        for index in found.values()
        if isinstance(index, dict) and "mappings" in index
    ]
    return max(metas, key=lambda meta: int(meta.get("mapping_version", 0)), default={})


def ensure_month(client: Elasticsearch, names: Names, alias: str, settings: ElasticSettings) -> None:
    """Make the index of one month, behind its write alias and the common read alias."""
    _create(client, names, alias, "documents", settings, read=names.documents)


def _create(
    client: Elasticsearch, names: Names, alias: str, kind: str, settings: ElasticSettings, *, read: str = ""
) -> None:
    if client.indices.exists_alias(name=alias):
        return
    aliases: dict[str, Any] = {alias: {"is_write_index": True}, **({read: {}} if read else {})}
    _make(client, names.index(alias), mapping(kind), settings, aliases)


def _make(
    client: Elasticsearch, index: str, body: Mapping[str, Any], settings: ElasticSettings, aliases: Mapping[str, Any]
) -> None:
    own: dict[str, Any] = {"index.number_of_shards": settings.shards, "index.number_of_replicas": settings.replicas}
    try:
        client.indices.create(
            index=index, settings={**body.get("settings", {}), **own}, mappings=body["mappings"], aliases=aliases
        )
    except BadRequestError as error:
        if error.error not in EXISTS:  # another process was quicker
            raise


def version_of(client: Elasticsearch, names: Names) -> int:
    """Return the version of the mappings that are in use, 0 for none."""
    found = client.options(ignore_status=404).indices.get_mapping(index=names.places)
    versions = [
        index["mappings"].get("_meta", {}).get("mapping_version", 0)
        for index in found.values()
        if isinstance(index, dict) and "mappings" in index
    ]
    return max(versions, default=0)


def migrate(settings: ElasticSettings, *, to: Schema = CURRENT) -> str:
    """Make the indices, or move them to the mappings of this version; return what was done, for people.

    Readers notice nothing. Writers go on until the last difference is copied, and spool for that moment. The old
    indices stay, closed for writing, so that `back` can return to them. Killed and run again, it goes on.

    Raises:
        StoreError: the indices are of a newer version, or a copy is not equal.
    """
    names = Names(settings.prefix)
    with explained(settings), connect(settings) as client:
        found = version_of(client, names)
        if not found:
            ensure(client, names, settings)
            return f"{settings.place}: indices {settings.prefix}-* made, schema {VERSION}"
        if found > to.version:
            ensure(client, names, settings)
        moved = _move(client, settings, to.version, to.mapping, to.source)
        grouped = found == to.version and _meta(client, names).get("groups", 0) < GROUPS
        _group_records(client, names)
    if grouped:
        return f"{settings.place} has schema {found}: what its records are told apart by was filled in"
    if not moved and found == to.version:
        return f"{settings.place} has schema {found}: nothing to do"
    return (
        f"{settings.place} moved from schema {found} to {to.version}: {moved:,} records copied and compared; "
        f"the old indices stay: `groundswell migrate --back` returns to them"
    )


def back(settings: ElasticSettings) -> str:
    """Return to the indices of the version before, with all that was written since; return what was done, for people.

    Raises:
        StoreError: they are not there any more.
    """
    names = Names(settings.prefix)
    with explained(settings), connect(settings) as client:
        found = version_of(client, names)
        before = Names(settings.prefix, found - 1)
        if not client.indices.exists(index=before.index(before.places)):
            raise StoreError(f"{settings.place}: there are no indices of schema {found - 1} to go back to")
        old = _mappings(client, before)
        moved = _move(client, settings, found - 1, lambda kind: {"mappings": old[kind]}, to_source)
    return (
        f"{settings.place} is back at schema {found - 1} with all that was written since ({moved:,} records compared)"
    )


def _mappings(client: Elasticsearch, names: Names) -> dict[str, Any]:
    """Return the mappings of a version that is there."""
    undated = names.index(f"{names.documents}-write-undated")
    indices = {"documents": undated, "places": names.index(names.places), "records": names.index(names.kind("theme"))}
    return {kind: client.indices.get_mapping(index=one)[one]["mappings"] for kind, one in indices.items()}


def _ungrouped(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping that does not say its records are told apart: those that are copied into it are not yet."""
    meta = {name: value for name, value in body["mappings"].get("_meta", {}).items() if name != "groups"}
    return {**body, "mappings": {**body["mappings"], "_meta": meta}}


@dataclass(frozen=True, slots=True)
class _Pair:
    """An alias with the index behind it and the index that is to be."""

    alias: str
    old: str
    new: str
    kind: str


def _move(
    client: Elasticsearch,
    settings: ElasticSettings,
    version: int,
    mappings: Callable[[str], dict[str, Any]],
    source: Callable[[Document], dict[str, Any]],
) -> int:
    """Copy, wait, copy the last difference, compare, and let all aliases point to the copies in one step."""
    names = Names(settings.prefix, version)
    converters = {kind: Converter(kind, mappings(kind), source) for kind in ("documents", "records", "places")}

    def catch_up() -> tuple[list[_Pair], int]:
        pairs = _pairs(client, names)
        for pair in pairs:
            if not client.indices.exists(index=pair.new):
                _make(client, pair.new, _ungrouped(mappings(pair.kind)), settings, {})
            _block(client, [pair.new], None)
        return pairs, sum(copy(client, pair.old, pair.new, converters[pair.kind]) for pair in pairs)

    for _ in range(PASSES):
        if not catch_up()[1]:
            break
    pairs = _pairs(client, names)
    try:
        _block(client, [pair.old for pair in pairs], True)
        pairs, _ = catch_up()
        _block(client, [pair.old for pair in pairs], True)
        count = sum(compare(client, pair.old, pair.new) for pair in pairs)
        if pairs:
            client.indices.update_aliases(actions=_swap(names, pairs))
    except BaseException:
        _block(client, [pair.old for pair in pairs], None)
        raise
    return count


def _pairs(client: Elasticsearch, names: Names) -> list[_Pair]:
    """Return what is not yet in this version."""
    found = client.indices.get_alias(index=f"{names.prefix}-*")
    pairs = []
    for old, index in found.items():
        for alias in index["aliases"]:
            if alias != names.documents and old != (new := names.index(alias)):
                kind = "documents" if "-write-" in alias else "places" if alias == names.places else "records"
                pairs.append(_Pair(alias, old, new, kind))
    return sorted(pairs, key=lambda pair: pair.alias)


def _swap(names: Names, pairs: list[_Pair]) -> list[dict[str, Any]]:
    """Return the actions that let every alias point to the new index, all in one step."""
    actions: list[dict[str, Any]] = []
    for pair in pairs:
        actions.append({"remove": {"index": pair.old, "alias": pair.alias}})
        actions.append({"add": {"index": pair.new, "alias": pair.alias, "is_write_index": True}})
        if pair.kind == "documents":
            actions.append({"remove": {"index": pair.old, "alias": names.documents}})
            actions.append({"add": {"index": pair.new, "alias": names.documents}})
    return actions


def _block(client: Elasticsearch, indices: list[str], value: bool | None) -> None:
    """Close indices for writing, or open them; writers spool meanwhile, readers notice nothing."""
    if indices:
        client.indices.put_settings(index=indices, settings={"index.blocks.write": value})
