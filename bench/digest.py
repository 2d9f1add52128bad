"""What digests cost, and how long an alert takes to a mail server, at many documents; beside another build.

    python bench/digest.py STORE [--beside PYTHON=STORE] [--people 10] [--alerts 40] [--rounds 5]

A STORE is a folder with a store as `bench/board.py --keep` makes it; each build reads its own, copied aside first.

*digest*: processor seconds of this process for one digest of everything, in HTML and text, of the last day: the first
in a fresh process (imports and first reads with it), and the median of the rest. *people*: the same for everybody of
several people with markets and languages of their own, sent to a mail server on loopback. *alert*: seconds from the
moment an alert is in the store until the mail server has accepted the mail of it, by `notify` as `watch` calls it at
once after signals (every build before lacks it); a busy machine makes walls longer, so processor seconds stand beside.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = "2026-11-30T22:00:00+00:00"
DIGEST = """
import json, resource, sys
from datetime import datetime
from pathlib import Path
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
begun = cpu()
from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
try:
    from groundswell.ui.report.editions.page import make_digest
except ImportError:
    try:
        from groundswell.ui.report.digest import make_digest
    except ImportError:  # where it stood before
        from groundswell.ui.digest import make_digest
settings, spent = Settings(data_dir=Path(sys.argv[1])), []
with open_store(settings) as store:
    for _ in range(int(sys.argv[2])):
        digest = make_digest(store, settings, now=datetime.fromisoformat(sys.argv[3]))
        spent.append(round(cpu() - begun, 3))
        begun = cpu()
print(json.dumps({"cpu": spent, "subject": digest.subject, "bytes": len(digest.html) + len(digest.text)}))
"""


def spent() -> float:
    """Return the processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def one_digest(python: str, store: Path, rounds: int) -> dict[str, Any]:
    """Return what a digest of everything costs a build, its modules compiled before as in any installation."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(store.parent / f"compiled-{store.name}")
    for times in (1, rounds):
        call = [python, "-c", DIGEST, str(store), str(times), NOW]
        done = subprocess.run(call, check=True, capture_output=True, text=True, env=env)
    told = json.loads(done.stdout)
    first, *rest = told.pop("cpu")
    return {"first": first, "rest": round(statistics.median(rest), 3), **told}


class Server:
    """A mail server on loopback that notes when it accepted what."""

    def __init__(self) -> None:
        self.accepted: list[float] = []

    async def handle_DATA(self, _server: object, _session: object, _envelope: object) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a mail (aiosmtpd calls it)."""
        self.accepted.append(time.perf_counter())
        return "250 OK"


def with_server(work: Callable[[Server, int], Any]) -> Any:
    """Return what is done while a mail server runs."""
    import socket

    from aiosmtpd.controller import Controller

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        return work(server, port)
    finally:
        controller.stop()


def send_all(folder: Path, count: int, port: int) -> dict[str, Any]:
    """Return what the digests of several people cost, sent."""
    from groundswell.configs.schema import DigestSettings, Person, Settings
    from groundswell.index.open import open_store
    from groundswell.ui.report.editions.ledger import send_editions

    markets = ("SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ")
    people = tuple(
        Person(
            id=f"p{k}", address=f"p{k}@example.org", markets=(markets[k % 8], markets[(k + 1) % 8]),
            language=("en", "zh", "id")[k % 3],
        )
        for k in range(count)
    )  # fmt: skip
    mail = DigestSettings(people=people, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    begun = spent()
    with open_store(Settings(data_dir=folder, digest=mail)) as store:
        done = send_editions(store, Settings(data_dir=folder, digest=mail), now=datetime.fromisoformat(NOW))
    return {"people": count, "sent": done.sent, "cpu": round(spent() - begun, 2)}


def alerts(folder: Path, count: int, server: Server, port: int) -> dict[str, Any]:
    """Return how long each of several alerts takes from the store to the mail server."""
    from groundswell.configs.schema import AlertSettings, DigestSettings, Receiver, Settings
    from groundswell.index.open import open_store
    from groundswell.index.records import Signal
    from groundswell.ui.report.delivery.ledger import notify

    receiver = Receiver(id="mei", address="mei@example.org", severity="low")
    mail = DigestSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    settings = Settings(data_dir=folder, digest=mail, alerts=AlertSettings(receivers=(receiver,)))
    walls, processor = [], []
    now = datetime.now(UTC)
    with open_store(settings) as store:
        pattern = next(signal for signal in store.recent(Signal, limit=1000) if signal.fired)
        notify(store, settings, now=now)
        for k in range(count):
            at = now + timedelta(seconds=60 * (k + 1))
            alert = replace(
                pattern, id=f"bench-{k}", theme="", at=at, start=at - timedelta(hours=1), end=at, follows=""
            )
            store.put([alert])
            begun, cpu, before = time.perf_counter(), spent(), len(server.accepted)
            notify(store, settings, now=at)
            if len(server.accepted) == before:
                raise SystemExit(f"no mail came of alert {k}")
            walls.append(server.accepted[-1] - begun)
            processor.append(spent() - cpu)
    return {"alerts": count, "wall_p50": _at(walls, 0.5), "wall_p95": _at(walls, 0.95), "cpu_p95": _at(processor, 0.95)}


def _at(values: Sequence[float], part: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(part * len(values)))], 3)


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--beside", default="", help="PYTHON=STORE of another build")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--alerts", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-") as aside:
        own = Path(shutil.copytree(given.store, Path(aside) / "own"))
        found: dict[str, Any] = {"digest": one_digest(sys.executable, own, given.rounds)}
        if given.beside:
            python, _, store = given.beside.partition("=")
            other = Path(shutil.copytree(store, Path(aside) / "other"))
            found["digest beside"] = one_digest(python, other, given.rounds)
        found["people"] = with_server(lambda _, port: send_all(own, given.people, port))
        found["alert"] = with_server(lambda server, port: alerts(own, given.alerts, server, port))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
