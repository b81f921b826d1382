"""Unmet demand of searches."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.catalogue.services.demand import demand_searched
from bookings.models import UnmetDemand
from bookings.record.domain.refusals import RulesRefuse
from instruments.search.domain.search import Criteria
from tests.factories.cast import NOW, at, reserve


def test_once_a_person_query_and_day(cast):
    criteria = Criteria(
        text="冷冻", free_from=at("2026-03-06 10:00"), free_until=at("2026-03-07 10:00"), minutes=120
    )

    def search(who="wang", now=NOW, **changes):
        demand_searched(
            By(cast.actor(who), now), organisation=cast.fudan, criteria=replace(criteria, **changes)
        )

    search()
    search()
    assert UnmetDemand.objects.count() == 1
    row = UnmetDemand.objects.get()
    assert (row.kind, row.minutes, row.region, row.instrument) == ("search", 120, cast.shanghai, None)
    assert "text=冷冻" in row.query
    search(minutes=60)
    search(who="sun")
    search(now=NOW + timedelta(days=1))
    assert UnmetDemand.objects.count() == 4
    search(free_from=None)  # a search that names no time is no wish for capacity
    assert UnmetDemand.objects.count() == 4


def test_the_catalogue_remembers_a_search_without_a_result(cast, client):
    client.force_login(cast.wang)
    client.get("/?q=nothing-of-the-kind&free_from=2026-12-01T10:00&free_until=2026-12-02T10:00")
    assert UnmetDemand.objects.get().kind == "search"
    client.logout()
    client.get("/?q=nothing-of-the-kind&free_from=2026-12-01T10:00&free_until=2026-12-02T10:00")
    assert UnmetDemand.objects.count() == 1


def test_of_a_wish_that_a_rule_refuses_only_one_booking_counts_and_nothing_of_the_host(cast):
    for who in ("sun", "wang"):
        with pytest.raises(RulesRefuse):
            reserve(cast, "2026-03-06 10:00", "2026-04-20 12:00", who=who)
    row = UnmetDemand.objects.get()  # Sun is of the host
    assert (row.user, row.minutes, row.wanted_from) == (cast.wang, 480, at("2026-03-06 10:00"))
