"""Who a mail goes to, as far as access is granted: nobody is mailed what they would not see on the board."""

from __future__ import annotations

from groundswell.configs.people import load_people
from groundswell.configs.schema import ReportSettings, Settings
from groundswell.index.permitted import ROLES, AccessError, Person


def spec_of(address: str) -> str:
    """Return what an address comes to, for comparing: "Mei Tan <mei@example.org>" is mei@example.org."""
    return address.rpartition("<")[2].rstrip("> ").strip().casefold()


def markets_of_reader(address: str, settings: Settings) -> tuple[str, ...]:
    """Return the markets to which the people file limits whoever has a mail address; none: they see all.

    Raises:
        ConfigError: the file cannot be used.
    """
    grant = load_people(settings.access.people).person(spec_of(address))
    return tuple(sorted(grant.markets)) if grant else ()


def reader_of_report(address: str, report: ReportSettings, settings: Settings) -> Person:
    """Return as whom a report is made for somebody: within their markets, and those that the report names.

    Where people sign in, an address that the people file does not name gets only reports that name their markets.

    Raises:
        AccessError: they may not have it; the message says why and what to do.
        ConfigError: the people file cannot be used.
    """
    access, own = settings.access, load_people(settings.access.people).person(spec_of(address))
    if own is None:
        if access.issuer and not report.markets:
            raise AccessError(
                f"{address} is not named in access.people, so it is not known what they may see: "
                f"name them there, or give the report {report.name} its own markets"
            )
        return Person(spec_of(address), "admin", report.markets)
    person = Person(spec_of(address), own.role, _both(own.markets, report.markets, address))
    person.need(max(access.export, access.sql if report.sql else access.export, key=ROLES.index), "this report")
    return person


def _both(granted: tuple[str, ...], wanted: tuple[str, ...], address: str) -> tuple[str, ...]:
    both = tuple(sorted({*granted} & {*wanted} if granted and wanted else {*granted, *wanted}))
    if granted and wanted and not both:
        raise AccessError(f"{address} sees none of the markets that the report is about")
    return both
