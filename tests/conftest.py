"""Profiles, and a fixed cast of people in a small world."""

import os
from collections.abc import Iterator

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings

from tests.factories.cast import Cast, build_cast

DEEP = os.environ.get("TEST_PROFILE") == "deep"
ROUNDS = 200 if DEEP else 50  # of a race

settings.register_profile(
    "quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "deep", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("deep" if DEEP else "quick")


@pytest.fixture
def rounds() -> int:
    """How often a race is run."""
    return ROUNDS


@pytest.fixture
def cast(db: None) -> Cast:
    """Two regions, three organisations, one person per role, one instrument that can be booked."""
    return build_cast()


@pytest.fixture
def trail_may_be_flushed() -> Iterator[None]:
    """Tests with real transactions end with TRUNCATE, which the trail refuses: only the flush
    itself runs without triggers."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")


@pytest.fixture
def real_cast(trail_may_be_flushed: None, transactional_db: None) -> Cast:
    """The cast, committed: for tests with several connections."""
    return build_cast()
