from __future__ import annotations

import pytest

from tests.api import fake


@pytest.fixture
def house():
    return fake.reading_house()
