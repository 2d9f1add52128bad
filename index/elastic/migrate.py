"""Indices, templates and aliases: made where they are missing, moved without downtime when mappings change."""

from __future__ import annotations

from typing import Any

from elasticsearch import BadRequestError, Elasticsearch

from groundswell.configs.schema import ElasticSettings
from groundswell.index.elastic.names import KINDS, VERSION, Names, mapping
from groundswell.index.store import StoreError

EXISTS = ("resource_already_exists_exception", "invalid_alias_name_exception")


def ensure(client: Elasticsearch, names: Names, settings: ElasticSettings) -> None:
    """Make every index that is missing; refuse a newer schema than this version of Groundswell knows.

    Raises:
        StoreError: the cluster holds a newer schema.
    """
    found = _version(client, names)
    if found > VERSION:
        raise StoreError(
            f"{settings.url}: the indices have schema {found}, this Groundswell knows {VERSION}: install a newer one"
        )
    if found == VERSION:
        return
    for name in KINDS:
        _create(client, names, names.kind(name), "records", settings)
    ensure_month(client, names, f"{names.documents}-write-undated", settings)
    _create(client, names, names.places, "places", settings)  # last: whoever sees it knows that all the rest is there


def ensure_month(client: Elasticsearch, names: Names, alias: str, settings: ElasticSettings) -> None:
    """Make the index of one month, behind its write alias and the common read alias."""
    _create(client, names, alias, "documents", settings, read=names.documents)


def _create(
    client: Elasticsearch, names: Names, alias: str, kind: str, settings: ElasticSettings, *, read: str = ""
) -> None:
    if client.indices.exists_alias(name=alias):
        return
    body = mapping(kind)
    own: dict[str, Any] = {"index.number_of_shards": settings.shards, "index.number_of_replicas": settings.replicas}
    aliases: dict[str, Any] = {alias: {"is_write_index": True}, **({read: {}} if read else {})}
    try:
        client.indices.create(
            index=names.index(alias),
            settings={**body.get("settings", {}), **own},
            mappings=body["mappings"],
            aliases=aliases,
        )
    except BadRequestError as error:
        if error.error not in EXISTS:  # another process was quicker
            raise


def _version(client: Elasticsearch, names: Names) -> int:
    """Return the version of the mappings that are there, 0 for none."""
    found = client.options(ignore_status=404).indices.get_mapping(index=names.places)
    versions = [
        index["mappings"].get("_meta", {}).get("mapping_version", 0)
        for index in found.values()
        if isinstance(index, dict) and "mappings" in index
    ]
    return max(versions, default=0)
