import pytest

from tests.concurrency.races import ALWAYS, Race
from tests.conftest import DEEP

CLIENTS = 20


@pytest.fixture
def rounds():
    """How often a race is run: each as often as promised when tests run deep, otherwise one
    `part` of twenty, so that all of them together take less than a minute."""
    return lambda part: 200 if DEEP else 20 // part


@pytest.fixture
def race(real_db):
    """Up to twenty at the same moment."""
    running = Race(CLIENTS)
    yield running
    running.close()


@pytest.fixture
def instrument(real_cast):
    """Always open, so that every round has a time of its own."""
    return real_cast.instrument(name="Always open", hours=ALWAYS)
