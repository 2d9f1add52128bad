"""When what is due: each job at its own cadence, by two clocks, so that neither a wrong nor a stopped one silences it.

The steady clock of the machine never jumps, but stands still while the machine sleeps; the wall clock goes on then, but
somebody may set it. A job is due as soon as either says so. What was missed while nothing ran is due once, at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class Job:
    """Something that is done every so many seconds; `steady` and `wall` say when it is due next."""

    every: float
    steady: float
    wall: datetime


class Timetable:
    """Jobs by name. `clock` is the wall clock (aware), `steady` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._clock, self._steady = clock, steady
        self._jobs: dict[str, Job] = {}

    def plan(self, name: str, every: float, last: datetime | None) -> None:
        """Do a job every so many seconds; `last` is when it was done last, or ``None``. One that is planned so stays.

        A last time in the future was written while a clock was wrong: it says nothing, and the job is due.
        """
        job = self._jobs.get(name)
        if job is not None and job.every == every:
            return
        gone = (self._clock() - last).total_seconds() if last else every
        self._set(name, every, min(max(every - gone, 0.0), every) if gone >= 0 else 0.0)

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget the jobs that are not named."""
        wanted = set(names)
        self._jobs = {name: job for name, job in self._jobs.items() if name in wanted}

    def due(self) -> list[str]:
        """Return the jobs that are due, those that have waited longest first."""
        steady, wall = self._steady(), self._clock()
        ready = [(job.steady, name) for name, job in self._jobs.items() if job.steady <= steady or job.wall <= wall]
        return [name for _, name in sorted(ready)]

    def done(self, name: str) -> None:
        """Note that a job has been done: the next time is counted from now, so that missed ones do not pile up."""
        if job := self._jobs.get(name):
            self._set(name, job.every, job.every)

    def hurry(self, name: str) -> None:
        """Do a job now rather than later."""
        if job := self._jobs.get(name):
            self._set(name, job.every, 0.0)

    def wait(self, most: float) -> float:
        """Return how many seconds until a job is due, at most `most`."""
        steady, wall = self._steady(), self._clock()
        left = [min(job.steady - steady, (job.wall - wall).total_seconds()) for job in self._jobs.values()]
        return max(0.0, min([most, *left]))

    def _set(self, name: str, every: float, seconds: float) -> None:
        self._jobs[name] = Job(every, self._steady() + seconds, self._clock() + timedelta(seconds=seconds))
