"""What a store refused can be sent again, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

from groundswell.index.dead_letters import keep, path_of, send
from groundswell.index.records import Mention
from groundswell.index.sqlite.write import SqliteStore
from groundswell.index.store import Refused
from tests.index.makers import mention


def test_a_letter_is_one_line_whatever_stands_in_it(tmp_path: Path) -> None:
    """Texts from the web hold every sign that some program takes for the end of a line."""
    odd = mention("odd", "one\u2028two\u2029three\x85four\x0bfive\x1csix\nseven")
    keep(tmp_path, [odd, mention("plain")], [Refused(id="odd", reason="not today")])
    with SqliteStore(tmp_path / "any.db") as store:
        assert send(store, tmp_path).taken == 1
        assert store.get(Mention, "odd") == odd
    assert not path_of(tmp_path).exists()
