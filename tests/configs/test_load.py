"""Settings come from file, environment and flags, and a mistake is named where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from groundswell.configs.load import find_config, load_settings
from groundswell.configs.schema import ElasticSettings, Settings, SqliteSettings
from groundswell.configs.template import commented
from groundswell.configs.yaml_lines import ConfigError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a configuration file."""

    def _write(text: str) -> Path:
        path = tmp_path / "groundswell.yaml"
        path.write_text(text, "utf-8")
        return path

    return _write


def _message(path: Path | None, overrides: Mapping[str, object] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, overrides, environ={})
    return str(caught.value)


def test_without_any_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing needs to be configured to begin."""
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}) == Settings()


def test_the_environment_wins_over_the_file_and_a_flag_over_both(write: Write) -> None:
    """File, then environment, then flags."""
    path = write("board:\n  port: 1111\n  host: 127.0.0.2\ncrawl: {delay_seconds: 3}\n")
    environ = {"GROUNDSWELL_BOARD__PORT": "2222", "GROUNDSWELL_CRAWL__DELAY_SECONDS": "4"}
    settings = load_settings(path, {"board.port": 3333}, environ)
    assert (settings.board.port, settings.board.host, settings.crawl.delay_seconds) == (3333, "127.0.0.2", 4)


def test_a_wrong_key_is_named_with_file_line_and_the_nearest_key(write: Write) -> None:
    """A typing error is never silently a default."""
    said = _message(write("crawl:\n  obey_robots: true\n  delay: 2\n"))
    assert "groundswell.yaml:3" in said
    assert "did you mean 'delay_seconds'?" in said


def test_a_wrong_unit_is_named_with_what_the_setting_means(write: Write) -> None:
    """Seconds are a number; "2s" is not."""
    said = _message(write("crawl:\n  delay_seconds: 2s\n"))
    assert "groundswell.yaml:2" in said
    assert "Pause between two requests" in said


def test_a_missing_file_is_named_where_it_is_asked_for(write: Write) -> None:
    """The taxonomy that is not there is missed before the first crawl, not after it."""
    said = _message(write("board: {}\ntaxonomy: risks.yaml\n"))
    assert "groundswell.yaml:2" in said
    assert "risks.yaml" in said


def test_paths_mean_the_same_from_any_folder(write: Write) -> None:
    """They are relative to the file that states them."""
    path = write("data_dir: data\n")
    assert load_settings(path, environ={}).data_dir == path.parent / "data"


def test_a_variable_of_an_unknown_section_is_refused_with_its_name(write: Write) -> None:
    """The same care as for the file."""
    with pytest.raises(ConfigError, match=r"GROUNDSWELL_CRAWLER__DELAY.*did you mean 'crawl'"):
        load_settings(write(""), environ={"GROUNDSWELL_CRAWLER__DELAY": "1"})


def test_a_bad_flag_is_named_as_the_flag_it_was(write: Write) -> None:
    """The user who typed it looks for it on the command line."""
    assert "--port" in _message(write(""), overrides={"board.port": "many"})


@pytest.mark.parametrize(
    ("text", "said"),
    [("board: [", "groundswell.yaml:1"), ("- a\n- b\n", "expected settings"), ("store: {backend: oracle}\n", "store")],
)
def test_what_is_no_configuration_is_refused_in_a_sentence(write: Write, text: str, said: str) -> None:
    """Broken YAML, a list, an unknown store."""
    assert said in _message(write(text))


def test_a_store_is_the_embedded_one_unless_another_is_named(write: Write) -> None:
    """Only the path needs to be said to move the database."""
    assert isinstance(load_settings(write("store: {path: x.db}\n"), environ={}).store, SqliteSettings)
    elastic = load_settings(write("store: {backend: elastic, replicas: 1}\n"), environ={}).store
    assert isinstance(elastic, ElasticSettings)


def test_init_writes_every_setting_and_the_file_means_the_defaults(write: Write) -> None:
    """Uncommenting any line of it changes nothing."""
    text = commented()
    assert load_settings(write(text), environ={}).model_copy(update={"data_dir": Settings().data_dir}) == Settings()
    setting = re.compile(r"^( *)# (?=[a-z_]+: )")
    bare = "\n".join(setting.sub(r"\1", line) for line in text.splitlines() if "# data_dir" not in line)
    uncommented = load_settings(write(bare), environ={})
    assert uncommented.model_copy(update={"data_dir": Settings().data_dir}) == Settings()


def test_the_demos_configuration_is_found_after_ones_own(tmp_path: Path) -> None:
    """A user's file in the same folder takes precedence."""
    (tmp_path / ".groundswell").mkdir()
    (tmp_path / ".groundswell" / "config.yaml").write_text("", "utf-8")
    assert find_config(tmp_path) == tmp_path / ".groundswell/config.yaml"
    (tmp_path / "groundswell.yaml").write_text("", "utf-8")
    assert find_config(tmp_path) == tmp_path / "groundswell.yaml"
