"""Shares of a finite population from a stratified random sample, with intervals that respect the design.

Within a stratum Jeffreys' interval (Brown, Cai and DasGupta 2001) over the effective sample, which grows to certainty
as the sample becomes the whole stratum (finite population correction; Cochran 1977, 2.6).

>>> str(Stratum(population=1000, sample=100, hits=80).share)
'0.80 (0.72 to 0.87)'
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; nothing where nothing was looked at."""

    value: float | None
    low: float
    high: float

    def __str__(self) -> str:
        """Return it for people."""
        return "–" if self.value is None else f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


UNKNOWN = Estimate(None, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of a population from which some were drawn at random: how many there are, were looked at, and hit."""

    population: float
    sample: int
    hits: int

    @property
    def share(self) -> Estimate:
        """Return the share of hits."""
        if not self.sample:
            return UNKNOWN
        value = self.hits / self.sample
        left = 1.0 if isinf(self.population) else (self.population - self.sample) / max(1.0, self.population - 1)
        if left <= 0:
            return Estimate(value, value, value)
        low, high = _jeffreys(self.hits / left, self.sample / left)
        return Estimate(value, 0.0 if not self.hits else low, 1.0 if self.hits == self.sample else high)


def _jeffreys(hits: float, tries: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    tail = (1 - LEVEL) / 2
    low, high = (float(betaincinv(hits + 0.5, tries - hits + 0.5, at)) for at in (tail, 1 - tail))
    return low, high
