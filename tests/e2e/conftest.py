"""One stack for all end-to-end tests: each test has organisations of its own and leaves both engines running."""

from collections.abc import Iterator

import pytest

from tests.e2e.running import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
