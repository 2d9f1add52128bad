"""`groundswell digest`: everybody's own digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundswell.ui.console import now, printable, settings_of, table, took

if TYPE_CHECKING:
    from groundswell.configs.schema import Person, Settings
    from groundswell.index.open import OpenReader
    from groundswell.index.store import Reader, Store


@click.command("digest")
@click.argument("people", nargs=-1, metavar="[PERSON]...")
@click.option("--send", is_flag=True, help="Send everybody the edition that is due (once, however often it is asked).")
@click.option("--preview", is_flag=True, help="Write what everybody, or those named, would get now; send nothing.")
@click.option("--list", "listing", is_flag=True, help="List who gets a digest, when, and up to when they were told.")
@click.option("--stop", is_flag=True, help="Send those named no more digests, as one click in a mail does.")
@click.option("--start", is_flag=True, help="Take that back.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Where files go [default: data folder/digests]."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    people: tuple[str, ...],
    send: bool,
    preview: bool,
    listing: bool,
    stop: bool,
    start: bool,
    folder: Path | None,
) -> int:
    """Write the digest of everything as of now into files; or preview and send everybody theirs.

    An edition ends at a person's own hour and tells of the day, or week, before; nobody gets one twice. PERSON is an id
    of digest.people. Exit code 1 where somebody could not be reached.
    """
    settings = settings_of(ctx)
    from groundswell.index.open import open_store

    chosen = _chosen(settings, people)
    if (stop or start) and not people:
        raise click.UsageError("say whose: groundswell digest --stop PERSON")
    with open_store(settings) as store:
        if stop or start:
            _stop(store, settings, chosen, start=start)
            return 0
        if listing:
            _list(store, settings, chosen)
            return 0
        if preview:
            _preview(store, settings, chosen, folder)
            return 0
        return _write(store, settings, folder, people, send=send)


def _chosen(settings: Settings, names: tuple[str, ...]) -> list[Person]:
    """Return the people who are named; everybody where nobody is."""
    from groundswell.configs.yaml_lines import nearest
    from groundswell.ui.report.editions.people import people_of

    by_id = {person.id: person for person in people_of(settings.digest)}
    for name in names:
        if name not in by_id:
            raise click.BadParameter(f"nobody in digest.people is called {name!r}{nearest(name, sorted(by_id))}")
    return [by_id[name] for name in names] or list(by_id.values())


def _write(store: Store, settings: Settings, folder: Path | None, people: tuple[str, ...], *, send: bool) -> int:
    """Write the digest of everything, and send everybody theirs if that is asked for."""
    from groundswell.ui.report.editions.ledger import send_editions, stopped_people
    from groundswell.ui.report.editions.page import make_digest
    from groundswell.ui.report.mail import write_digest

    if not send:
        for path in write_digest(
            make_digest(store, settings, now=now()), folder or settings.data_dir / "digests", name="preview"
        ):  # fmt: skip
            click.echo(path)
        return 0
    done = send_editions(store, settings, now=now(), only=people, eager=True)
    click.echo(str(done) or "everybody has had the digest that is due; nothing to do")
    for name in sorted(stopped_people(store, settings)):
        click.echo(f"{name} has ended these mails (groundswell digest --start {name})")
    for trouble in done.troubles:
        click.echo(printable(trouble), err=True)
    return int(bool(done.troubles))


def _preview(store: OpenReader, settings: Settings, people: list[Person], folder: Path | None) -> None:
    """Write what each would get now: a page, a text and a mail; print the subjects."""
    from groundswell.index.permitted import Person as Limited
    from groundswell.index.permitted import seen_by
    from groundswell.ui.report.editions.changes import Morning
    from groundswell.ui.report.editions.ledger import edition_of, stop_address
    from groundswell.ui.report.editions.page import make_digest
    from groundswell.ui.report.editions.people import everybody
    from groundswell.ui.report.granted import markets_of_reader
    from groundswell.ui.report.mail import write_digest

    for person in people or [everybody()]:
        markets = markets_of_reader(person.address, settings)
        morning = Morning(seen_by(Limited(person.id, markets=markets), store), settings)
        edition = edition_of(store, person, settings, now=now())
        stop = stop_address(settings, person)
        digest = make_digest(morning, settings, now=now(), person=person, edition=edition, stop=stop)
        click.echo(printable(f"{person.id}: {digest.subject}"))
        target = folder or settings.data_dir / "digests"
        for path in write_digest(digest, target, name=f"{edition.day}-{person.id}", to=person.address):
            click.echo(f"  {path}")


def _list(store: Reader, settings: Settings, people: list[Person]) -> None:
    from groundswell.index.records import Delivery
    from groundswell.ui.report import wording
    from groundswell.ui.report.delivery.news import delivery_id
    from groundswell.ui.report.editions.ledger import edition_of, stopped_people
    from groundswell.ui.report.editions.people import zone_of

    stopped, rows = stopped_people(store, settings), []
    for person in people:
        edition = edition_of(store, person, settings, now=now())
        row = store.get(Delivery, delivery_id(person.id, f"digest:{edition.day}", "edition"))
        state = "ended" if person.id in stopped else row.status if row else "due"
        upto = wording.stamp(edition.upto, zone_of(person, settings.digest))
        rows.append((person.id, person.frequency, person.language, edition.day, upto, state))
    table(("person", "frequency", "language", "edition", "tells up to", "state"), rows)


def _stop(store: Store, settings: Settings, people: list[Person], *, start: bool) -> None:
    from groundswell.ui.report.editions.ledger import start_again, stop

    for person in people:
        took(settings, "digest again" if start else "digest ended", person.id)
        (start_again if start else stop)(store, person, now=now())
        click.echo(f"{person.id} gets the digest again" if start else f"{person.id} gets no more digests")
