"""What people decide about themes stays: through later runs of the stage, and until they take it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Lineage, Theme
from groundswell.index.store import Store
from groundswell.nlp.themes.by_hand import centres_of
from groundswell.nlp.themes.stage import update_themes
from groundswell.ui.desk import DeskError
from groundswell.ui.theme_desk import ThemeDesk, follows
from tests.nlp.test_themes_stage import START, filled, records

NOW = START + timedelta(days=9)


def _themes(store: Store) -> dict[str, Theme]:
    """Return the living themes by what their documents are about."""
    found = {}
    for theme in store.recent(Theme):
        if theme.state == "living":
            first = next(store.scan(Query(where={"theme": (theme.id,)})))
            found[first.mention.text.rsplit(" ", 1)[1][0]] = theme
    return found


def _count(store: Store, theme: str) -> int:
    return sum(1 for _ in store.scan(Query(where={"theme": (theme,)})))


def _later(store: Store, settings: object, days: int = 10) -> None:
    """Let more come of every subject, and place it."""
    store.put(records(days=days)[2 * 72 :])
    update_themes(store, settings, now=NOW + timedelta(days=days))  # type: ignore[arg-type]  # settings of the store


def test_a_name_by_hand_stays_and_a_merge_holds_for_what_comes_later(tmp_path: Path) -> None:
    """Renamed and merged; more comes and all is named anew; both stay, with who did it; both go back."""
    settings = filled(tmp_path / "one", records())
    with open_store(settings) as store:
        update_themes(store, settings, now=NOW)
        before = _themes(store)
        payout, deepfake, skip = before["p"], before["d"], before["s"]
        desk = ThemeDesk(store)
        desk.rename(payout.id, " Payouts  · late ", by="mei", now=NOW)
        moved = desk.merge(skip.id, deepfake.id, by="arif", now=NOW)
        assert moved == 24
        _later(store, settings)
        named, one, gone = (store.get(Theme, t.id) for t in (payout, deepfake, skip))
        assert named is not None and one is not None and gone is not None  # noqa: PT018  for the type checker
        assert (named.label, set(named.titles.values())) == ("Payouts · late", {"Payouts · late"})
        assert (gone.state, gone.children, _count(store, skip.id)) == ("merged", (deepfake.id,), 0)
        assert _count(store, deepfake.id) == 80
        assert {e.why for e in store.recent(Lineage) if "by " in e.why} >= {"by arif", f"by mei; was “{payout.label}”"}
        assert desk.undo(skip.id, by="mei", now=NOW) == moved
        assert desk.rename(payout.id, "", by="mei", now=NOW).label == payout.label
        assert (_count(store, skip.id), store.get(Theme, skip.id).state) == (24, "living")  # type: ignore[union-attr]
        with pytest.raises(DeskError, match="nothing to take back"):
            desk.undo(skip.id, by="mei", now=NOW)


def test_a_part_is_split_off_stays_apart_and_goes_back(tmp_path: Path) -> None:
    """Its documents stay in it through later runs; all or none of a theme cannot be split off."""
    settings = filled(tmp_path / "one", records())
    with open_store(settings) as store:
        update_themes(store, settings, now=NOW)
        skip, desk = _themes(store)["s"], ThemeDesk(store)
        chosen = [d.id for d in store.scan(Query(where={"theme": (skip.id,)})) if "froze" in d.mention.text]
        new = desk.split(skip.id, chosen, "Skip button · video freezes", by="mei", now=NOW)
        _later(store, settings)
        later = list(store.scan(Query(where={"theme": (new.id,)})))
        assert set(chosen) <= {d.id for d in later}
        kept, left = store.get(Theme, new.id), store.get(Theme, skip.id)
        assert kept is not None
        assert left is not None
        assert (kept.size, left.size) == (len(later), _count(store, skip.id))
        assert (kept.label, kept.parents, kept.state) == ("Skip button · video freezes", (skip.id,), "living")
        assert desk.undo(new.id, by="mei", now=NOW) == len(later)
        assert _count(store, new.id) == 0
        for wrong in ([], [d.id for d in store.scan(Query(where={"theme": (skip.id,)}))]):
            with pytest.raises(DeskError, match="a part of them"):
                desk.split(skip.id, wrong, "x", by="mei", now=NOW)


def test_later_documents_follow_the_part_that_they_are_nearer_to(tmp_path: Path) -> None:
    """Two subjects that were made one are parted by hand; what comes later of each goes to its own."""
    settings = filled(tmp_path / "one", records())
    with open_store(settings) as store:
        update_themes(store, settings, now=NOW)
        before = _themes(store)
        desk = ThemeDesk(store)
        desk.merge(before["s"].id, before["d"].id, by="mei", now=NOW)
        whole = list(store.scan(Query(where={"theme": (before["d"].id,)})))
        chosen = [d.id for d in whole if d.mention.text.rsplit(" ", 1)[1][0] == "s"]
        new = desk.split(before["d"].id, chosen, "Skip button", by="mei", now=NOW)
        assert follows(store, new.id)
        _later(store, settings)
        kinds = {
            theme: {d.mention.text.rsplit(" ", 1)[1][0] for d in store.scan(Query(where={"theme": (theme,)}))}
            for theme in (new.id, before["d"].id)
        }
        assert kinds == {new.id: {"s"}, before["d"].id: {"d"}}
        assert _count(store, new.id) > len(chosen)


def test_what_texts_do_not_tell_apart_does_not_pull_later_documents() -> None:
    """A part drawn at random has no centre of its own."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(400, 16)).astype(np.float32)
    assert centres_of(rows[:200], rows[200:]) == []
    assert centres_of(rows[:200] + 3, rows[200:]) != []


@pytest.mark.parametrize("act", ["rename", "merge", "undo"])
def test_a_theme_that_is_not_there_is_told(tmp_path: Path, act: str) -> None:
    """The message says how to find its id."""
    with open_store(filled(tmp_path / "one", [])) as store, pytest.raises(DeskError, match="themes --list"):
        _act(ThemeDesk(store), act, NOW)


def _act(desk: ThemeDesk, act: str, now: datetime) -> None:
    if act == "rename":
        desk.rename("never", "x", by="mei", now=now)
    elif act == "merge":
        desk.merge("never", "other", by="mei", now=now)
    else:
        desk.undo("never", by="mei", now=now)
