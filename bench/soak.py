"""Months in minutes: a loopback web is crawled, read, watched and told of by mail and webhook, with faults all the way.

    python bench/soak.py [--days 90] [--seed 1] [--daily 24] [--start 2027-01-10] [--out docs/measurements/soak.md]

Only the clock is made up: stages are processes started as a user starts them (`run` on two days of a week, `watch` on
five), the store is a file that other processes read and lock, mails go by SMTP, webhooks by HTTP. Each day but the
first has a fault: SIGKILL at random instants, a full disk (a small tmpfs, or a limit on the size of files where that
may not be mounted), a read-only folder, a store that another process locks, a torn state, two runs at once, web,
webhook or mail server away, 4xx, 5xx, a connection broken after the mail was taken, a clock set back or far ahead;
and once the mail server is away for three days and the machine for four. In ninety days from 10 January clocks change
in New York, London, Sydney, Auckland and Lord Howe.

What was published, what the servers accepted and when editions are due is counted by this script alone, and compared
with what the store, the exports and the ledger hold: nothing lost, nothing doubled. The exit code is 1 if anything is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from soak_world import SOURCES, Mail, Post, Web, spread, written

PEOPLE = {
    "mei": ("Asia/Singapore", 8), "jack": ("Australia/Sydney", 2), "aroha": ("Pacific/Auckland", 2),
    "lord": ("Australia/Lord_Howe", 2), "lucy": ("Europe/London", 1), "ann": ("America/New_York", 2),
    "moon": ("UTC", 0),
}  # fmt: skip
"""Readers of a daily digest: zone and hour. At these hours clocks change."""
WEEKLY = "wanda"
RUN_FAULTS = (
    "kill", "kill", "full", "read-only", "locked", "torn state", "two at once", "web down", "hook 500", "mail down",
    "mail 451", "mail 550", "mail dropped", "clock -5 h", "clock -3 d", "clock +20 d",
)  # fmt: skip
WATCH_FAULTS = (
    "kill", "kill", "kill", "full", "locked", "web down", "hook 500", "mail down", "mail 451", "mail 550",
    "mail dropped", "clock -5 h", "clock -3 d", "clock +20 d",
)  # fmt: skip
RUN_DAYS = {0, 4}
"""Days of a week on which turns are processes of their own; on the others `watch` works."""
CODES = {0, 1, 3, 4, 130}
"""What a process may end with that was not killed (README: exit codes)."""
STEP_SECONDS = 180.0
DISK = 300_000_000
ROOM = 20_000
PATIENCE = 300.0
SHORT = 7
"""Runs of fewer days begin with a fault and end with one turn: they are for tests."""
SETTINGS = """\
data_dir: {data}
crawl: {{sources: [sources], shipped: false, delay_seconds: 0, allow_private_addresses: true}}
scale: {{lease_seconds: 2}}
watch: {{every_minutes: 60, log: json}}
alerts:
  allow_private_addresses: true
  receivers:
    - {{id: hook, kind: webhook, url: "{url}/hook", severity: low}}
    - id: desk
      address: desk@example.org
      severity: low
      quiet_hours: {{start: "22:00", end: "07:00", timezone: Pacific/Auckland}}
digest:
  smtp_host: 127.0.0.1
  smtp_port: {port}
  smtp_security: none
  people:
    - id: wanda
      address: wanda@example.org
      frequency: weekly
      weekday: sunday
      timezone: Australia/Lord_Howe
      hour: 2
"""
SOURCE = "format: feed\nkind: post\nmarket: {market}\nlang: en\nurls: [{url}/{name}.xml]\nfloor: {{per_run: 0}}\n"
PERIOD = re.compile(r"since:(\d{4}-\d\d-\d\dT\d\d:\d\d)Z until:(\d{4}-\d\d-\d\dT\d\d:\d\d)Z")
COUNTED = re.compile(r"([\d,]+) new posts?")


@dataclass
class Week:
    """What a simulated week took and left."""

    turns: int = 0
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    mails: int = 0
    hooks: int = 0
    run_mb: int = 0
    watch_mb: int = 0
    bytes: dict[str, int] = field(default_factory=dict)
    cpu: float = 0.0


class Soak:
    """One run."""

    def __init__(self, folder: Path, days: int, seed: int, daily: int, start: datetime) -> None:
        self.rng, self.days, self.start = random.Random(seed), days, start  # noqa: S311  no secret
        self.items = written(self.rng, start, days, daily, every=min(9, max(days - 1, 1)))
        self.web = Web(self.items)
        self.skew, self.true = timedelta(), start
        self.post = Post(lambda: (self.told, self.skew))
        self.folder, self.data = folder, folder / "data"
        self.clock = folder / "clock"
        self.problems: list[str] = []
        self.outcomes: Counter[tuple[str, int]] = Counter()
        self.words: dict[str, str] = {}
        self.weeks: dict[int, Week] = defaultdict(Week)
        self.required: set[tuple[str, str]] = set()
        self.clean_at: list[datetime] = []
        self.refused_days: set[tuple[str, str]] = set()
        self.watching: subprocess.Popen[bytes] | None = None
        self.tmpfs, self.stopped, self.faults = False, False, ""
        self._prepare()

    # --- the ground

    def _prepare(self) -> None:
        self.data.mkdir(mode=0o700)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(self.data)],
            capture_output=True, check=False,
        )  # fmt: skip
        self.tmpfs = mounted.returncode == 0
        text = SETTINGS.format(data=self.data, url=self.web.url, port=self.post.port)
        for name, (zone, hour) in PEOPLE.items():
            text += f"    - {{id: {name}, address: {name}@example.org, timezone: {zone}, hour: {hour}}}\n"
        (self.folder / "groundswell.yaml").write_text(text)
        sources = self.folder / "sources"
        sources.mkdir()
        for name, market in SOURCES.items():
            (sources / f"{name}.yaml").write_text(SOURCE.format(name=name, market=market, url=self.web.url))
        self.set_clock(self.start)

    def stop(self, *_: object) -> None:
        """Come to an end with this day; what was lived through is reported."""
        self.stopped = True

    def leave(self) -> None:
        """End what runs and unmount."""
        self.kill_watch()
        self.post.set("down")
        if self.tmpfs:
            subprocess.run(["umount", "-l", str(self.data)], check=False)

    @property
    def told(self) -> datetime:
        """Return the moment that processes are told."""
        return self.true + self.skew

    def set_clock(self, true: datetime, skew: timedelta = timedelta()) -> None:
        """Let it be another moment, and let processes be told so, or something wrong."""
        self.true, self.skew = true, skew
        self.web.now = true
        aside = self.clock.with_suffix(".new")
        aside.write_text(self.told.isoformat())
        aside.replace(self.clock)

    @property
    def week(self) -> Week:
        """Return the figures of this week."""
        return self.weeks[(self.true - self.start).days // 7]

    def problem(self, text: str) -> None:
        """Note what should not be."""
        self.problems.append(f"{self.true:%Y-%m-%d %H:%M} {text}")
        print("PROBLEM", self.problems[-1], flush=True)

    # --- processes

    def begin(self, *words: str, limit: int = 0) -> subprocess.Popen[bytes]:
        """Start a command: the installed one with its clock stopped, or `watch` with one that is set."""
        env = {**os.environ, "GROUNDSWELL_AUTHOR_SALT": "soak", "OMP_NUM_THREADS": "1", "SOAK_CLOCK": str(self.clock)}
        if words[0] in ("watch", "locked"):
            command = [sys.executable, str(Path(__file__).with_name("soak_child.py"))]
            words = tuple("run" if word == "locked" else word for word in words)
        else:
            command = [str(Path(sys.executable).with_name("groundswell"))]
            env["GROUNDSWELL_NOW"] = self.told.isoformat()
        limits = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        with (self.folder / "said").open("wb") as said:
            return subprocess.Popen(
                [*command, *words], cwd=self.folder, env=env, stdout=said, stderr=said, preexec_fn=limits  # noqa: PLW1509  a limit of the child alone, one system call
            )  # fmt: skip

    def end(self, process: subprocess.Popen[bytes], fault: str) -> int:
        """Wait for a process; note its exit code, its memory and its words."""
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.problem(f"{fault or 'a turn'}: no end after {PATIENCE:.0f} s")
            process.kill()
            process.wait()
        code, said = process.returncode, (self.folder / "said").read_text("utf-8", "replace")
        if code != -signal.SIGKILL:
            if code not in CODES:
                self.problem(f"{fault}: exit code {code}: {said[-300:]}")
            if "Traceback (most recent call last)" in said:
                self.problem(f"{fault}: a traceback: {said[-600:]}")
        self.outcomes[fault or "none", code] += 1
        if code and said.strip():
            self.words.setdefault(f"{fault or 'none'} ({code})", " / ".join(said.strip().splitlines()[-9:])[:900])
        return code

    def turn(self, fault: str = "", command: str = "run", *, kill_after: float = 0.0, limit: int = 0) -> int:
        """Run one turn as a process of its own; return its exit code."""
        self.week.turns += 1
        process = self.begin(command, limit=limit)
        if kill_after:
            with suppress(subprocess.TimeoutExpired):
                process.wait(kill_after)
            process.kill()
            self.week.kills += 1
        watched = self._memory_of(process)
        code = self.end(process, fault)
        self.week.run_mb = max(self.week.run_mb, watched())
        return code

    def _memory_of(self, process: subprocess.Popen[bytes]) -> Callable[[], int]:
        """Return what tells the largest memory (MB) a process had until it was last looked at."""
        import threading

        most = [0]

        def look() -> None:
            while process.poll() is None:
                most[0] = max(most[0], peak_mb(process.pid))
                time.sleep(0.2)

        threading.Thread(target=look, daemon=True).start()
        return lambda: most[0]

    def watch(self) -> None:
        """Start `watch` unless it runs."""
        if self.watching is None:
            self.watching = self.begin("watch")

    def kill_watch(self) -> None:
        """Kill `watch`, if it runs."""
        if self.watching is not None:
            self.week.watch_mb = max(self.week.watch_mb, peak_mb(self.watching.pid))
            self.watching.kill()
            self.end(self.watching, "kill")
            self.watching = None

    def stop_watch(self) -> None:
        """Ask `watch` to stop, and wait for it."""
        if self.watching is not None:
            self.week.watch_mb = max(self.week.watch_mb, peak_mb(self.watching.pid))
            self.watching.terminate()
            self.end(self.watching, "stop")
            self.watching = None

    def settled(self, fault: str, seconds: float = STEP_SECONDS) -> bool:
        """Wait until `watch` has done all that is due at this moment; return whether it came to that."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.3)
            if self.watching is not None and self.watching.poll() is not None:
                self.problem(f"{fault}: watch ended by itself")
                self.end(self.watching, fault)
                self.watching = None
                return False
            if self._done():
                self.week.watch_mb = max(self.week.watch_mb, peak_mb(self.watching.pid if self.watching else 0))
                return True
        return False

    def _done(self) -> bool:
        """Return whether every stage has ended at this very moment, and nothing waits to be read or placed."""
        try:
            standing = json.loads((self.data / "watch.json").read_text())
            stages = standing["stages"]
            if not self.watching or standing["pid"] != self.watching.pid:
                return False
            wanted = ("crawl", "signals", "notify", "digest")
            if any(stages.get(name, {}).get("went_well") != self.told.isoformat() for name in wanted):
                return False
            return self._waiting() == 0
        except (OSError, ValueError, KeyError, sqlite3.Error):
            return False

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Read the store as another program does."""
        with closing(sqlite3.connect(f"file:{self.data / 'groundswell.db'}?mode=ro", uri=True, timeout=10)) as db:
            yield db

    def _waiting(self) -> int:
        with self.database() as db:
            return int(db.execute("select count(*) from document where enriched = 0 or membership = 0").fetchone()[0])

    # --- days

    def run(self) -> None:
        """Live through the days."""
        some = [fault.strip() for fault in self.faults.split(",") if fault.strip()]
        by_run = spread(self.rng, [f for f in RUN_FAULTS if f in some or not some], self.days)
        by_watch = spread(self.rng, [f for f in WATCH_FAULTS if f in some or not some], self.days)
        plans = list(zip(by_run, by_watch, strict=True))
        for day, (run_fault, watch_fault) in enumerate(plans):
            if self.stopped:
                self.days = day
                break
            begun = cpu()
            morning = self.start + timedelta(days=day, hours=self.rng.uniform(4, 7))
            evening = self.start + timedelta(days=day, hours=self.rng.uniform(17, 19))
            away = day in range(45, 48)
            if day in range(60, 64):  # the machine is off
                self.set_clock(evening)
                continue
            if day % 7 in RUN_DAYS:
                self._day_of_runs("mail down" if away else run_fault, morning, evening, away=away)
            else:
                self._day_of_watch("mail down" if away else watch_fault, morning, evening, away=away)
            self._look(day)
            self.week.cpu += cpu() - begun
        self._last()

    def _day_of_runs(self, fault: str, morning: datetime, evening: datetime, *, away: bool) -> None:
        self.stop_watch()
        self.week.faults[fault or "none"] += 1
        self.set_clock(morning, SKEWS.get(fault, timedelta()))
        with self._world(fault):
            self._turn_under(fault)
        if away:
            self.post.set("down")
        self.set_clock(evening)
        if fault.startswith("clock +") and self.turn("clock right again") != 1:  # it stops the first turn, once
            self.problem("nobody noticed that the clock was set back")
        code = self.turn("mail down" if away else "")
        if code not in (0, 1):
            self.problem(f"the clean turn of the evening ended with {code}")
        if not away:
            self._require()
        self.post.set("ok")

    def _turn_under(self, fault: str) -> None:
        if fault == "kill":
            for _ in range(self.rng.randint(1, 3)):
                self.turn(fault, kill_after=self.rng.uniform(0.3, 7.0))
                self.set_clock(self.true + timedelta(minutes=3), self.skew)
            self.turn("")
        elif fault == "full":
            with self._full() as limit:
                self._expect_failure(self.turn(fault, limit=limit), fault)
        elif fault == "read-only":
            with self._read_only():
                self._expect_failure(self.turn(fault), fault)
        elif fault == "locked":
            with self._locked():
                self._expect_failure(self.turn(fault, "locked"), fault)
        elif fault == "torn state":
            for file in (self.data / "signals").glob("state-*"):
                os.truncate(file, file.stat().st_size // 2)
            self.turn(fault)
        elif fault == "two at once":
            first = self.begin("run")
            time.sleep(1.5)
            second = self.begin("run")
            codes = {self.end(second, fault), self.end(first, fault)}
            if not codes & {0, 1}:
                self.problem(f"two at once ended with {codes}")
            self.week.turns += 2
        else:
            self.turn(fault)

    def _expect_failure(self, code: int, fault: str) -> None:
        if code not in (1, 4):
            self.problem(f"{fault}: exit code {code}, though it cannot have written")

    def _day_of_watch(self, fault: str, morning: datetime, evening: datetime, *, away: bool) -> None:
        self.week.faults[fault or "none"] += 1
        self.watch()
        self.week.turns += 2
        self.set_clock(morning, SKEWS.get(fault, timedelta()))
        with self._world(fault):
            self._step_under(fault)
        if away:
            self.post.set("down")
        if fault.startswith("clock +"):  # a visit comes after the source's cadence by the steady clock: an hour for us
            self.stop_watch()
        self.set_clock(evening)
        self.watch()
        if not self.settled("evening") and not away:
            self.problem(f"watch did not come to rest after {fault}: {self._standing()}")
        if not away:
            self._require()
        self.post.set("ok")

    def _step_under(self, fault: str) -> None:
        if fault == "kill":
            for _ in range(self.rng.randint(1, 3)):
                self.settled(fault, self.rng.uniform(0.3, 9.0))
                self.kill_watch()
                self.week.kills += 1
                self.set_clock(self.true + timedelta(minutes=3), self.skew)
                self.watch()
        elif fault == "full" and self.tmpfs:
            with self._full():
                self.settled(fault, 8.0)
        elif fault == "locked":
            with self._locked():
                self.settled(fault, 6.0)
        else:
            self.settled(fault, 3.0 if fault.startswith("clock -") else 20.0 if fault else STEP_SECONDS)

    @contextmanager
    def _world(self, fault: str) -> Iterator[None]:
        """Let the world have a fault for a while."""
        self.web.down = fault == "web down"
        self.web.hook_answer = 500 if fault == "hook 500" else 200
        self.post.refuses = f"{self.rng.choice(list(PEOPLE))}@example.org"
        if fault == "mail 550":
            name = self.post.refuses.partition("@")[0]
            self.refused_days |= {
                (name, due_day(name, self.told)),
                (name, due_day(name, self.told + timedelta(days=1))),
            }
        modes = {"mail down": "down", "mail 451": "later", "mail 550": "never", "mail dropped": "drop"}
        self.post.set(modes.get(fault, "ok"))
        try:
            yield
        finally:
            self.web.down, self.web.hook_answer = False, 200
            self.post.set("ok")

    @contextmanager
    def _full(self) -> Iterator[int]:
        """Leave no room on the disk; give the limit on the size of a file, where the disk cannot be made small."""
        if not self.tmpfs:
            yield ROOM
            return
        ballast = self.data / "ballast"
        room = self.rng.choice((0, 4096, 40_960, 200_000))
        with ballast.open("wb") as file:
            free = shutil.disk_usage(self.data).free
            with suppress(OSError):  # `watch` was quicker, and has taken some of it
                os.posix_fallocate(file.fileno(), 0, max(free - room, 4096))
        try:
            yield 0
        finally:
            ballast.unlink()

    @contextmanager
    def _read_only(self) -> Iterator[None]:
        """Let nothing be written into the data folder."""
        if self.tmpfs:
            subprocess.run(["mount", "-o", "remount,ro", str(self.data)], check=True)
            try:
                yield
            finally:
                subprocess.run(["mount", "-o", "remount,rw", str(self.data)], check=True)
            return
        files = [path for path in self.data.rglob("*") if not path.is_symlink()]
        modes = {path: path.stat().st_mode for path in [self.data, *files]}
        for path in reversed(list(modes)):
            path.chmod(0o500 if path.is_dir() else 0o400)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the writers' lock of the store from another process's point of view."""
        with closing(sqlite3.connect(self.data / "groundswell.db", timeout=30, isolation_level=None)) as db:
            db.execute("begin immediate")
            try:
                yield
            finally:
                db.execute("rollback")

    def _require(self) -> None:
        """Note which editions everybody must have after a turn that nothing disturbed."""
        self.clean_at.append(self.true)
        self.required |= {(name, due_day(name, self.true)) for name in PEOPLE}

    def _standing(self) -> str:
        with suppress(OSError, ValueError):
            return json.dumps(
                {k: v for k, v in json.loads((self.data / "watch.json").read_text()).items() if k != "since"}
            )[:900]
        return "no watch.json"

    def _look(self, day: int) -> None:
        """Compare what is stored with what was listed, and note sizes."""
        week = self.week
        with suppress(sqlite3.Error), self.database() as db:
            week.documents = int(db.execute("select count(*) from document").fetchone()[0])
        if week.documents != len(self.web.seen):
            self.problem(f"{len(self.web.seen)} items were listed, {week.documents} documents are stored")
        week.mails, week.hooks = len(self.post.mails), len(self.web.posted)
        week.bytes = sizes(self.data)
        print(
            f"{self.true:%Y-%m-%d} day {day}: {week.documents} documents, {week.mails} mails, {week.hooks} webhooks, "
            f"{sum(week.bytes.values()) / 1e6:.1f} MB, {cpu():.0f} CPU s",
            flush=True,
        )

    def _last(self) -> None:
        """Two turns that nothing disturbs, then an export."""
        self.stop_watch()
        for hours in (3, 6) if self.days >= SHORT else (3,):
            self.set_clock(self.start + timedelta(days=self.days, hours=hours))
            code = self.turn()
            if code not in (0, 1):
                self.problem(f"the last turn ended with {code}")
            self._require()
        self._look(self.days)

    # --- the recount

    def recount(self) -> dict[str, Any]:
        """Compare what was published and accepted with what store, export and ledger hold."""
        return {**self._documents(), **self._editions(), **self._alerts()}

    def _documents(self) -> dict[str, Any]:
        import duckdb

        urls = duckdb.sql(f"select url from '{self.data}/parquet/documents/*.parquet'").fetchall()  # noqa: S608  a path of our own
        exported = Counter(url.removeprefix(f"{self.web.url}/") for (url,) in urls)
        published = {item.name for item in self.web.published()}
        if lost := published - exported.keys():
            self.problem(f"{len(lost)} items are not in the export: {sorted(lost)[:5]}")
        if doubled := [name for name, count in exported.items() if count > 1]:
            self.problem(f"{len(doubled)} items are doubled in the export: {doubled[:5]}")
        waiting = self._waiting()
        if waiting:
            self.problem(f"{waiting} documents were never read or placed")
        return {"published": len(published), "exported": sum(exported.values())}

    def _editions(self) -> dict[str, Any]:
        had: dict[tuple[str, str], list[Mail]] = defaultdict(list)
        ahead: list[Mail] = []
        for mail in self.post.mails:
            if found := re.match(r"<digest-(\d{4}-\d\d-\d\d)-", mail.name):
                name = mail.to[0].partition("@")[0]
                (ahead if mail.skew > timedelta() else had[name, found[1]]).append(mail)
        for key in sorted(self.required - had.keys() - self.refused_days):
            self.problem(f"{key[0]} never had the edition of {key[1]}")
        repeats = 0
        for key, mails in sorted(had.items()):
            again = [mail for mail in mails[1:] if not mail.repeat]
            repeats += len(mails) - 1
            if again:
                self.problem(f"{key[0]} had {key[1]} {len(mails)} times: {[f'{m.told:%m-%d %H:%M}' for m in mails]}")
        self._chains(had)
        return {"editions": len(had), "repeats that say so": repeats, "editions of a wrong clock": len(ahead)}

    def _chains(self, had: dict[tuple[str, str], list[Mail]]) -> None:
        """Each reader's editions must meet: no hour in none, no hour in two."""
        for name in (*PEOPLE, WEEKLY):
            before: datetime | None = None
            for key in sorted(key for key in had if key[0] == name):
                mail = had[key][0]
                period = PERIOD.search(unquote(mail.text))
                if not period:
                    self.problem(f"{key}: no period in the mail")
                    continue
                since, upto = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in period.groups())
                if before and since != before:
                    self.problem(
                        f"{name}: {key[1]} tells from {since:%m-%d %H:%M}, the one before ended {before:%m-%d %H:%M}"
                    )
                self._posts_of(mail, since, upto)
                before = upto

    def _posts_of(self, mail: Mail, since: datetime, upto: datetime) -> None:
        """A digest's number of posts is that of what was published in its time, where nothing stood between."""
        counted = COUNTED.search(mail.text)
        said = int(counted[1].replace(",", "")) if counted else 0
        there = sum(since <= item.at < upto for item in self.items)
        late = mail.told - timedelta(minutes=1) if mail.told in self.clean_at else None
        if said > there or (late and said < there):
            self.problem(f"{mail.to[0]}, told {mail.told:%m-%d %H:%M}: says {said} posts, {there} were published")

    def _alerts(self) -> dict[str, Any]:
        with self.database() as db:
            rows = [json.loads(row) for (row,) in db.execute("select json from record where kind = 'delivery'")]
            signals = [json.loads(row) for (row,) in db.execute("select json from record where kind = 'signal'")]
        fired = [signal for signal in signals if signal.get("fired")]
        posted = Counter(told_of(self.web.posted))
        flagged = Counter(told_of([body for body in self.web.posted if body["data"]["repeat"]]))
        ledger = {(row["about"], row["state"]): row for row in rows if row["receiver"] == "hook"}
        for key, count in posted.items():
            if count - flagged[key] > 1:
                self.problem(f"the webhook had {key} {count} times")
            if key not in ledger:
                self.problem(f"the webhook had {key}, of which the ledger knows nothing")
        for key, row in ledger.items():
            if row["status"] == "sent" and not posted[key]:
                self.problem(f"the ledger says that {key} was posted; it was not")
        alert_mails = Counter(mail.name for mail in self.post.mails if mail.name.startswith("<alert-"))
        for name, count in alert_mails.items():
            plain = [mail for mail in self.post.mails if mail.name == name and not mail.repeat]
            if len(plain) > 1:
                self.problem(f"the mail {name} came {count} times")
        left = Counter(row["status"] for row in rows if row["status"] not in ("sent", "dead"))
        if left:
            self.problem(f"left in the ledger at the end: {dict(left)}")
        return {
            "alerts": len(fired), "events": len({item.event for item in self.items if item.event}),
            "webhooks": len(self.web.posted), "alert mails": sum(alert_mails.values()),
            "deliveries": dict(Counter(f"{_kind(row)} {row['status']}" for row in rows)),
        }  # fmt: skip


def _kind(row: dict[str, Any]) -> str:
    return row["receiver"] if row["receiver"] in ("hook", "desk") else "digest"


SKEWS = {"clock -5 h": timedelta(hours=-5), "clock -3 d": timedelta(days=-3), "clock +20 d": timedelta(days=20)}


def told_of(posted: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what webhooks tell of, and in which state."""
    yield from ((item["about"], item["state"]) for body in posted for item in body["data"]["items"])


def due_day(name: str, at: datetime) -> str:
    """Return the day of a reader's newest edition: the last local date whose hour has come."""
    zone, hour = PEOPLE[name]
    day = at.astimezone(ZoneInfo(zone)).date()
    while _hour_of(day, hour, zone) > at:
        day -= timedelta(days=1)
    return day.isoformat()


def _hour_of(day: date, hour: int, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def peak_mb(pid: int) -> int:
    """Return the largest resident memory a process has had (MB), 0 where there is none."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1024
    return 0


def sizes(folder: Path) -> dict[str, int]:
    """Return bytes by what lies in the data folder."""
    found: Counter[str] = Counter()
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                found[path.relative_to(folder).parts[0]] += path.stat().st_size
    return dict(found)


def cpu() -> float:
    """Return processor seconds of this process and the children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def table(soak: Soak) -> Iterator[str]:
    """Yield the figures by week as Markdown."""
    sizes = "run MB | watch MB | store MB | state MB | Parquet MB | digests MB | rest MB | CPU s"
    yield f"| week | turns | kills | documents | mails | webhooks | {sizes} |"
    yield "|" + "---|" * 14
    for number, week in sorted(soak.weeks.items()):
        size = Counter(week.bytes)
        store = sum(size.pop(name, 0) for name in list(size) if name.startswith("groundswell.db"))
        parts = [store, *(size.pop(name, 0) for name in ("signals", "parquet", "digests")), sum(size.values())]
        mb = " | ".join(f"{part / 1e6:.2f}" for part in parts)
        yield (
            f"| {number + 1} | {week.turns} | {week.kills} | {week.documents:,} | {week.mails} | {week.hooks} | "
            f"{week.run_mb} | {week.watch_mb} | {mb} | {week.cpu:.0f} |"
        )


def report(soak: Soak, found: dict[str, Any], command: str) -> str:
    """Return everything as Markdown."""
    faults = sum((week.faults for week in soak.weeks.values()), Counter())
    codes = "; ".join(f"{fault} → {code}: {count}" for (fault, code), count in sorted(soak.outcomes.items()))
    lines = [
        f"`{command}`: {soak.days} days, {cpu():.0f} processor s, "
        f"{'a small disk' if soak.tmpfs else 'files limited in size'}.",
        "", *table(soak), "",
        "Faults by day: " + ", ".join(f"{name} {count}" for name, count in faults.most_common()) + ".",
        "", f"Exit codes by fault: {codes}.",
        "", "Recount: " + ", ".join(f"{name} {value}" for name, value in found.items()) + ".",
        "", *(f"- {fault}: {words}" for fault, words in sorted(soak.words.items())),
        "", f"{len(soak.problems)} problems." if soak.problems else "Nothing lost, nothing doubled.",
        *(f"- {problem}" for problem in soak.problems),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--daily", type=int, default=24, help="documents a day, beside scandals")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2027, 1, 10))
    parser.add_argument("--faults", default="", help="only these, separated by commas")
    parser.add_argument("--out", type=Path, help="write the report here too")
    parser.add_argument("--keep", type=Path, help="copy the data folder here at the end")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        begin = datetime.combine(given.start, datetime.min.time(), UTC)
        soak = Soak(Path(folder), given.days, given.seed, given.daily, begin)
        soak.faults = given.faults
        signal.signal(signal.SIGTERM, soak.stop)
        try:
            soak.run()
            found = soak.recount()
            text = report(
                soak, found, f"python bench/soak.py --days {given.days} --seed {given.seed} --daily {given.daily}"
            )
            if given.keep:
                shutil.copytree(soak.data, given.keep, dirs_exist_ok=True)
        finally:
            soak.leave()
    print(text)
    if given.out:
        given.out.write_text(text)
    return int(bool(soak.problems))


if __name__ == "__main__":
    sys.exit(main())
