"""The examples for users can be read by what they are for."""

from __future__ import annotations

from pathlib import Path

import compose_spec
import kubernetes_validate
import pytest
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


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("kubernetes.yaml")), ids=lambda path: path.parent.name)
def test_the_manifests_are_what_the_kubernetes_api_knows(path: Path) -> None:
    """Every key of every resource, against the API's own schema."""
    for resource in YAML(typ="safe").load_all(path):
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("compose.yaml")), ids=lambda path: path.parent.name)
def test_the_compose_files_are_what_its_specification_knows(path: Path) -> None:
    """Every key, and services that wait for each other exist."""
    services = compose_spec.PyCompose.from_yaml(path.read_text("utf-8")).to_dict()["services"]
    for service in services.values():
        assert set(service.get("depends_on") or {}) <= set(services)
        assert service["image"]


def test_no_example_holds_a_secret() -> None:
    """Secrets come from the environment."""
    for path in EXAMPLES.rglob("*.*"):
        text = path.read_text("utf-8").lower()
        assert "api_key:" not in text
        assert "password: " not in text.replace("elastic_password: ${elastic_password:?", "")
