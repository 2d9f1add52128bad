"""The examples for users can be read by what they are for."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from groundswell.configs.load import load_settings
from groundswell.configs.schema import ElasticSettings
from tests.elastic.server import VERSIONS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "configs" / "examples"


def test_the_example_configuration_is_one() -> None:
    """Every key is known, and the secrets are only named."""
    settings = load_settings(EXAMPLES / "elastic.yaml")
    assert isinstance(settings.store, ElasticSettings)
    assert settings.store.prefix == ElasticSettings().prefix


def test_the_container_runs_the_version_that_is_tested() -> None:
    """The image is pinned to the server of the test run; no password stands in the file."""
    text = (EXAMPLES / "elastic" / "compose.yaml").read_text("utf-8")
    service = YAML(typ="safe").load(text)["services"]["elasticsearch"]
    assert service["image"].endswith(f":{VERSIONS['9']}")
    assert VERSIONS["8"] in text
    assert service["environment"]["ELASTIC_PASSWORD"].startswith("${ELASTIC_PASSWORD:?")


def test_no_example_holds_a_secret() -> None:
    """Secrets come from the environment."""
    for path in EXAMPLES.rglob("*.*"):
        text = path.read_text("utf-8").lower()
        assert "api_key:" not in text
        assert "password: " not in text.replace("elastic_password: ${elastic_password:?", "")
