"""Shares of a finite population from a stratified random sample, with intervals that respect the design.

Within a stratum Jeffreys' interval (Brown, Cai and DasGupta 2001) over the effective sample, which grows to certainty
as the sample becomes the whole stratum (finite population correction; Cochran 1977, 2.6). Strata are added, and totals
divided, by MOVER (Zou and Donner 2008; Donner and Zou 2012): each limit is recovered from those of the parts, so that
intervals need not be symmetric. In 1,000 simulated audits each covers the truth in 94 to 97 of 100 (`bench/audits.py`).

>>> Stratum(population=1000, sample=100, hits=80).share.round()
Estimate(value=0.8, low=0.718, high=0.866)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isinf, sqrt

LEVEL = 0.95
NOTHING = 1e-9
"""What is less is a rounding error of a sum, and none of anything."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; nothing where nothing was looked at."""

    value: float | None
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Return it multiplied."""
        value = None if self.value is None else self.value * factor
        return Estimate(value, self.low * factor, self.high * factor)

    def turned(self) -> Estimate:
        """Return one minus it."""
        return Estimate(None if self.value is None else 1 - self.value, 1 - self.high, 1 - self.low)

    def round(self, digits: int = 3) -> Estimate:
        """Return it with so many digits."""
        value = None if self.value is None else round(self.value, digits)
        return Estimate(value, round(self.low, digits), round(self.high, digits))

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


def total(strata: Iterable[Stratum]) -> Estimate:
    """Return how many of all strata together hit; a stratum from which nobody was drawn makes it unknown.

    What was drawn by chance from too small a stratum to be drawn from at all has to be put to another one before.
    """
    parts = [(stratum, stratum.share.times(stratum.population)) for stratum in strata if stratum.population > 0]
    if any(share.value is None for _, share in parts):
        return Estimate(None, 0.0, sum(stratum.population for stratum, _ in parts))
    return summed([share for _, share in parts])


def summed(parts: Iterable[Estimate]) -> Estimate:
    """Return the sum of what was estimated independently; one that nobody knows makes it unknown."""
    found = list(parts)
    if any(one.value is None for one in found):
        return Estimate(None, sum(one.low for one in found), sum(one.high for one in found))
    value = sum(one.value or 0.0 for one in found)
    below = sqrt(sum(((one.value or 0.0) - one.low) ** 2 for one in found))
    above = sqrt(sum((one.high - (one.value or 0.0)) ** 2 for one in found))
    return Estimate(value, max(0.0, value - below), value + above)


def share_of(part: Estimate, rest: Estimate) -> Estimate:
    """Return part / (part + rest) of two totals that were estimated independently of each other."""
    if part.value is None or rest.value is None:
        return UNKNOWN
    if part.value + rest.value <= NOTHING:
        return UNKNOWN
    if part.value <= NOTHING:
        return share_of(rest, part).turned()
    low, high = _ratio(rest, part)
    return Estimate(part.value / (part.value + rest.value), 1 / (1 + high), 1 / (1 + low))


def _ratio(top: Estimate, bottom: Estimate) -> tuple[float, float]:
    """Return Donner and Zou's limits of top / bottom; infinite where the bottom may be nothing."""
    a, b = top.value or 0.0, bottom.value or 0.0

    def root(one: float, other: float) -> float:
        return sqrt(max(0.0, (a * b) ** 2 - one * other * (2 * a - one) * (2 * b - other)))

    below = a * b + root(top.low, bottom.high)  # the lower limit, its fraction turned so that nothing is divided by 0
    low = top.low * (2 * a - top.low) / below if below > 0 else 0.0
    if bottom.low <= 0:
        return max(0.0, low), float("inf")
    return max(0.0, low), (a * b + root(top.high, bottom.low)) / (bottom.low * (2 * b - bottom.low))
