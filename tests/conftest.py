"""What several folders of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

# A busy machine is no fault of what is tested: examples are not timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def elastic_url() -> Iterator[str]:
    """Give a real Elasticsearch of the line that the installed client speaks, started once, when first asked for."""
    import elasticsearch

    from tests.elastic.server import server

    with server(str(elasticsearch.__version__[0])) as address:
        yield address
