"""What could keep Groundswell from working here, and what to do about each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings

STATES: dict[str, Literal["ok", "warning", "bad"]] = {"ok": "ok", "note": "warning", "problem": "bad"}
ALIKE = 4
"""As many sources with the same to say stand in one line."""
FREE_BYTES = 2_000_000_000
"""With less room on the disk, a month of crawling may not fit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "warning", "bad"]
    said: str
    do: str = ""


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each thing that can be wrong; a check that fails by itself is a finding, too."""
    for name, check in CHECKS.items():
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001  a doctor who dies of the patient's illness helps nobody
            yield Finding(name, "bad", f"{type(error).__name__}: {error}", "see the message")


def _disk(settings: Settings) -> Iterator[Finding]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    writable = os.access(settings.data_dir, os.W_OK)
    if not writable:
        yield Finding("disk", "bad", f"{settings.data_dir} cannot be written", "choose another data_dir")
    state: Literal["ok", "warning"] = "ok" if free > FREE_BYTES else "warning"
    yield Finding(
        "disk", state, f"{free / 1e9:.1f} GB free at {settings.data_dir}", "" if state == "ok" else "make room"
    )


def _store(settings: Settings) -> Iterator[Finding]:
    from groundswell.index.open import open_store
    from groundswell.index.query import Query

    with open_store(settings) as store:
        total = store.search(Query(limit=1)).total
    yield Finding("store", "ok", f"{settings.store.backend}, {total:,} documents")


def _backup(settings: Settings) -> Iterator[Finding]:
    if settings.store.backend != "sqlite":
        return
    from groundswell.index.backup import last_backup

    made = last_backup(settings.data_dir)
    said = f"the last whole one was made at {made:%Y-%m-%d %H:%M}Z" if made else "none was made"
    yield Finding("backup", "ok", said, "" if made else "groundswell backup FOLDER makes one while everything goes on")


def _clock(settings: Settings) -> Iterator[Finding]:
    from groundswell.index.clock import behind
    from groundswell.index.open import open_store
    from groundswell.ui.console import now

    with open_store(settings) as store:
        why = behind(store, now=now())
    yield Finding("clock", "warning" if why else "ok", why or "not behind earlier work", "set it" if why else "")


def _model(settings: Settings) -> Iterator[Finding]:
    from groundswell.nlp.model.model import load_model

    model = load_model(settings.model)
    reading = model.read(["unskippable ads before every clip"])
    yield Finding("model", "ok", f"{model.made_by}, {reading.vectors.shape[1]} dimensions, {len(model.risk_ids)} risks")


def _taxonomy(settings: Settings) -> Iterator[Finding]:
    from groundswell.configs.taxonomy import load_taxonomy

    yield Finding("taxonomy", "ok", f"{len(load_taxonomy(settings.taxonomy).risks)} risks")


def _sources(settings: Settings) -> Iterator[Finding]:
    from groundswell.crawlers.source_report import check_sources
    from groundswell.index.open import open_reader
    from groundswell.ui.console import now

    with open_reader(settings) as reader:
        found = check_sources(settings.crawl, reader, now=now())
    alike: dict[tuple[Literal["ok", "note", "problem"], str], list[str]] = {}
    for each in found:
        alike.setdefault((each.level, each.message), []).append(each.source)
    for (level, message), names in alike.items():
        if len(names) < ALIKE:
            yield from (Finding(f"source {name}".strip(), STATES[level], message) for name in names)
        else:
            yield Finding(f"{len(names)} sources", STATES[level], f"{message} ({', '.join(names)})")


def _rules(settings: Settings) -> Iterator[Finding]:
    from groundswell.nlp.enrich.stage import proven_rules
    from groundswell.ui.console import now

    rules, broken = proven_rules(settings, now())
    yield Finding("rules", "ok", f"{len(rules)} rules keep their promises")
    for complaint in broken:
        yield Finding("rules", "bad", complaint, "the rule is left out until that is mended: groundswell rules check")


def _mail(settings: Settings) -> Iterator[Finding]:
    mail = settings.digest
    if not mail.smtp_host:
        yield Finding(
            "mail", "ok", "not set up: the digest is only written to files", "set digest.smtp_host to send it"
        )
        return
    from groundswell.ui.report.mail import DigestError, check_server

    try:
        yield Finding("mail", "ok", check_server(mail))
    except DigestError as error:
        yield Finding("mail", "bad", str(error), "set what the message names under digest: in groundswell.yaml")


def _receivers(settings: Settings) -> Iterator[Finding]:
    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.configs.yaml_lines import nearest
    from groundswell.ui.report.delivery.send import NotDeliveredError, address

    risks = load_taxonomy(settings.taxonomy).risk_ids if settings.alerts.receivers else ()
    for one in settings.alerts.receivers:
        name = f"alerts to {one.id}"
        for risk in set(one.risks).difference(risks):
            yield Finding(name, "bad", f"there is no risk {risk!r}{nearest(risk, risks)}", "see the taxonomy")
        if one.kind == "mail":
            state: Literal["ok", "bad"] = "ok" if settings.digest.smtp_host else "bad"
            yield Finding(
                name, state, "by mail", "" if state == "ok" else "set digest.smtp_host: there is no mail server"
            )
            continue
        try:
            address(one)
        except NotDeliveredError as error:
            yield Finding(name, "bad", str(error), "set the variable for whatever runs groundswell")
            continue
        if one.secret_env and not os.environ.get(one.secret_env):
            yield Finding(name, "bad", f"{one.secret_env} holds no key to sign with", "set that variable")
        else:
            yield Finding(name, "ok", f"{one.kind}; groundswell notify test {one.id} sends a test")


def _cluster(settings: Settings) -> Iterator[Finding]:
    if not settings.scale.scheduler:
        return
    from groundswell.index.cluster import ClusterError, connected, dashboard, meet, roll
    from groundswell.index.open import open_store
    from groundswell.ui.console import now

    try:
        with connected(settings) as workers, open_store(settings) as store:
            meet(workers, store, settings, now())
            for line in roll(workers):
                yield Finding("cluster", "ok", f"{line}; runs what we run and reaches this store")
            yield Finding("cluster", "ok", f"what they do now: {dashboard(workers)}")
    except ClusterError as error:
        yield Finding("cluster", "bad", str(error), "groundswell works without it where scale.scheduler is left out")


def _audit(settings: Settings) -> Iterator[Finding]:
    from groundswell.index.audit import Audit

    verdict = Audit(settings.data_dir).verify()
    if verdict.wrong:
        yield Finding("audit log", "bad", verdict.wrong, "groundswell audit lists the rows")
    else:
        yield Finding("audit log", "ok", f"{verdict.rows:,} rows, whole")


def _access(settings: Settings) -> Iterator[Finding]:
    from groundswell.configs.people import load_people
    from groundswell.ui.board.launch import LOOPBACK, check_sign_in

    access = settings.access
    if not access.issuer:
        alone = settings.board.host in LOOPBACK
        yield Finding(
            "sign-in", "ok" if alone else "warning", f"nobody signs in; the board listens on {settings.board.host}",
            "" if alone else "set access.issuer, or board.host: 127.0.0.1",
        )  # fmt: skip
        return
    check_sign_in(access)
    people = load_people(access.people)
    named = f"{len(people.people)} people and {len(people.groups)} groups"
    yield Finding("sign-in", "ok", f"by {access.issuer}; {named} are named")


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "disk": _disk,
    "store": _store,
    "backup": _backup,
    "clock": _clock,
    "taxonomy": _taxonomy,
    "rules": _rules,
    "model": _model,
    "cluster": _cluster,
    "sources": _sources,
    "mail": _mail,
    "alerts": _receivers,
    "audit log": _audit,
    "sign-in": _access,
}
