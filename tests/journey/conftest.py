"""One running site serves all the journeys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running_site import Site, running_site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site
