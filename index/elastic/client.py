"""The connection: who we are, whom we trust, and every failure in a sentence a person can act on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import elastic_transport
import elasticsearch
from elasticsearch import Elasticsearch

from groundswell.configs.schema import ElasticSettings
from groundswell.index.store import StoreError, UnavailableError

OLDEST = (8, 19)
RETRIES = 8
BACKOFF_SECONDS = 0.5
"""The first pause before an overloaded server is asked again; each is twice as long, up to a minute."""
OVERLOADED = (429, 502, 503, 504)
FULL = ("disk", "read-only", "flood", "blocked by")
"""Words by which the server says that it takes no writes now: it has no room, or indices are being moved."""


def connect(settings: ElasticSettings) -> Elasticsearch:
    """Return a client; nothing is asked of the server yet.

    Raises:
        StoreError: the settings contradict each other, or a file is missing.
    """
    options: dict[str, Any] = {
        "request_timeout": settings.timeout_seconds,
        "max_retries": 2,
        "retry_on_status": OVERLOADED,
        "retry_on_timeout": False,
    }
    if key := os.environ.get(settings.api_key_env):
        options["api_key"] = key
    elif user := os.environ.get(settings.user_env):
        options["basic_auth"] = (user, os.environ.get(settings.password_env, ""))
    if settings.ca_certs:
        options["ca_certs"] = str(settings.ca_certs)
    if settings.fingerprint:
        options["ssl_assert_fingerprint"] = settings.fingerprint
    try:
        return Elasticsearch(settings.url, **options)
    except (ValueError, TypeError, OSError) as error:
        reason = str(error).replace(settings.url, settings.place)
        raise StoreError(f"store.url {settings.place}: {reason}") from None


@contextmanager
def explained(settings: ElasticSettings) -> Iterator[None]:
    """Turn what the client raises into sentences; no secret is ever in them.

    Raises:
        UnavailableError: the server is gone, slow or overloaded, its disk is full, or it does not let us in.
        StoreError: anything else.
    """
    try:
        yield
    except elastic_transport.TlsError as error:
        raise UnavailableError(
            f"{settings.place}: the certificate is not trusted ({_short(error)}); "
            "set store.ca_certs or store.fingerprint"
        ) from None
    except elastic_transport.ConnectionTimeout:
        raise UnavailableError(
            f"{settings.place}: no answer within {settings.timeout_seconds:g} s; see store.timeout_seconds"
        ) from None
    except elastic_transport.TransportError as error:
        raise UnavailableError(f"{settings.place}: cannot be reached ({_short(error)}); is the server up?") from None
    except elasticsearch.UnsupportedProductError:
        raise UnavailableError(f"{settings.place}: this is not Elasticsearch; see store.url") from None
    except elasticsearch.ApiError as error:
        raise _of_status(settings, error) from None


def _of_status(settings: ElasticSettings, error: elasticsearch.ApiError) -> StoreError:
    """Return the sentence for an answer that is an error."""
    status, reason = error.meta.status, _reason(error)
    if sentence := _turned_away(settings, status, reason):
        return UnavailableError(f"{settings.place}: {sentence}")
    if status in OVERLOADED or status == 408:
        return UnavailableError(f"{settings.place}: overloaded or not ready ({status}): {reason}")
    if any(word in reason for word in FULL):
        return UnavailableError(f"{settings.place}: it takes no writes now; if its disk is full, make room: {reason}")
    if status == 404 and "index" in reason:
        return StoreError(
            f"{settings.place}: there is no store yet ({reason}): run `groundswell migrate` or `run` first"
        )
    return StoreError(f"{settings.place}: {status}: {reason}")


def _turned_away(settings: ElasticSettings, status: int, reason: str) -> str:
    """Return why the server does not let us in, and what to do; "" where it does."""
    if status == 401:
        return f"who we are was not accepted (401); is {settings.api_key_env} set and unexpired?"
    if status == 403 and not any(word in reason for word in FULL):
        return f"this key may not do that (403): {reason}; see docs/elastic.md for the roles"
    if "media type" in reason.lower() or "media-type" in reason.lower() or "compatible-with" in reason:
        major = elasticsearch.__version__[0]
        return (
            f"the server does not speak with client {major}; for a server of the 8 line: "
            "pip install 'elasticsearch>=8.19,<9'"
        )
    return ""


def _reason(error: elasticsearch.ApiError) -> str:
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        causes = body["error"].get("root_cause") or [body["error"]]
        return str(causes[0].get("reason") or causes[0].get("type"))[:300]
    return str(body)[:300]


def _short(error: Exception) -> str:
    return str(getattr(error, "message", error)).split("\n")[0][:200]


def checked(answer: Any) -> Any:
    """Return an answer whose every shard has answered: some missing is an error, not a smaller answer.

    A shard that nobody holds is not counted as failed, only as not successful.

    Raises:
        UnavailableError: a shard did not answer.
    """
    shards = answer.get("_shards", {})
    missing = shards.get("total", 0) - shards.get("successful", 0)
    if missing or shards.get("failed"):
        reasons = {str(each.get("reason", {}).get("reason"))[:120] for each in shards.get("failures", ())}
        why = "; ".join(sorted(reasons)) or "nobody holds them, see _cluster/health"
        raise UnavailableError(f"{missing} of {shards['total']} shards did not answer: {why}")
    return answer
