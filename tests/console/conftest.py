"""The console fixture."""

from collections.abc import Iterator

import pytest
from console import Console, booted

from modthread import boards


@pytest.fixture
def console(request: pytest.FixtureRequest) -> Iterator[Console]:
    """The prompt of a freshly booted emulated board."""
    with booted(boards.load(boards.DEFAULT), request.node.nodeid) as console:
        yield console
