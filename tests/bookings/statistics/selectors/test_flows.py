"""What somebody adds up who reads flows as the public, a manager, a coordinator, or as several."""

import random
from datetime import date

import pytest
from django.conf import settings

from accounts.domain.roles import Actor
from accounts.models import Region
from bookings.statistics.selectors import flows as selectors
from tests.bookings.record.domain.test_disclosure import solved

MARCH = {"since": date(2026, 3, 1), "until": date(2026, 4, 1), "measure": "hours"}


@pytest.fixture
def regions(cast):
    for code in ("CN-JS", "CN-ZJ", "CN-HB"):
        Region.objects.create(
            scheme="ISO 3166-2", code=code, name=code, time_zone="Asia/Shanghai", currency="CNY",
            parent=cast.anhui.parent, lineage=[],
        )  # fmt: skip
    for region in Region.objects.filter(lineage=[]):
        region.lineage = [region.pk, *cast.anhui.lineage[1:]]
        region.save()
    return list(Region.objects.exclude(code="CN").order_by("code"))


@pytest.mark.parametrize("seed", range(12))
def test_nobody_finds_out_a_hidden_cell(cast, regions, monkeypatch, seed):
    draw = random.Random(seed)
    least = settings.PUBLIC_LEAST_ORGANISATIONS
    truth = {
        (payer.pk, host.pk): (draw.randrange(60, 9000), 1 if draw.random() < 0.15 else least + 3)
        for payer in regions
        for host in regions
        if draw.random() < 0.9
    }
    rows = [(*cell, "", *values) for cell, values in truth.items()]
    monkeypatch.setattr(selectors, "_cells", lambda *_: rows)

    def shown(actor):
        found = selectors.flows(actor, **MARCH)
        told = {(c.payer.pk, c.host.pk): c.value for c in found.cells}
        assert all(value in (None, truth[cell][0]) for cell, value in told.items())
        for region, sums in found.regions:
            row = [told[cell] for cell in told if cell[0] == region.pk]
            column = [told[cell] for cell in told if cell[1] == region.pk]
            assert sums.used == (None if None in row else sum(row))
            assert sums.hosted == (None if None in column else sum(column))
            assert sums.used is not None or sums.openness is None
            assert sums.hosted is not None or sums.external_share is None
        for first, second, pair in found.pairs:
            both = {told.get((first.pk, second.pk), 0), told.get((second.pk, first.pk), 0)}
            assert (pair.reciprocity is None) == (None in both)
        return {cell for cell, value in told.items() if value is not None}

    public = shown(Actor(user_id=None))
    few = {cell for cell, (_, number) in truth.items() if number < least}
    assert not few & public
    for who in (None, "zhao", "wang", "coordinator", "xu", "auditor"):
        actor = Actor(user_id=None) if who is None else cast.actor(who)
        known = public | shown(actor)
        # Even who knows the sums of all rows and columns from elsewhere.
        assert solved({(str(a), str(b)) for a, b in truth.keys() - known}) == set(), who
    assert shown(cast.actor("admin")) == set(truth)
