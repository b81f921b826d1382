import pytest

from tests.concurrency.races import ALWAYS, Race

CLIENTS = 20


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
