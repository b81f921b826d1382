"""Who sees which reservations and charges: the statements that indexes serve give the same rows, in
the same order, as the plain rule."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.roles import Actor, Grant
from accounts.models.keys import new_id
from accounts.selectors.rows import first_of
from bookings.models import Charge, Reservation
from bookings.pricing.selectors.charges import (
    charges_for,
    first_charges_for,
    listed_charges,
    parties_of_charges,
)
from bookings.record.selectors.reservations import first_visible_to, reservations_for, visible_among
from tests.factories.moments import NOW

ORDER = ("-start_at", "-id")


def plain_rule(actor: Actor) -> Q:
    """As the rule reads: one's own, those of one's organisations, those of one's regions."""
    seen = Q(user_id=actor.person) | Q(made_by_id=actor.person)
    organisations = actor.organisations_where("read-bookings")
    seen |= Q(organisation_id__in=organisations) | Q(host_id__in=organisations)
    regions = list(actor.regions_where("read-bookings"))
    seen |= Q(host_region__lineage__overlap=regions) | Q(payer_region__lineage__overlap=regions)
    return seen


@pytest.fixture
def places(cast):
    return [cast.ustc, cast.fudan, cast.optics]


def reservation(cast, user, maker, payer, host, days):
    start = NOW - timedelta(days=days)
    return Reservation(
        instrument=cast.microscope,
        start_at=start,
        end_at=start + timedelta(hours=1),
        state="completed",
        user=user,
        made_by=maker,
        organisation=payer,
        payer_region=payer.region,
        host=host,
        host_region=host.region,
        service_mode="self",
        price_group="external",
        rate_card=cast.microscope.rate_cards.first(),
        requested_at=start,
    )


def charge(row):
    parties = ("organisation_id", "host_id", "payer_region_id", "host_region_id")
    return Charge(
        reservation=row,
        kind="use",
        state="open",
        **{name: getattr(row, name) for name in parties},
        inputs={},
        result={},
        currency="CNY",
        tax=Decimal(0),
        total=Decimal(10),
        payable=Decimal(10),
        created_at=row.start_at,
    )


PEOPLE = ("wang", "chen", "zhao", "sun")


@given(data=st.data())
@settings(max_examples=25)
def test_every_role_sees_what_the_plain_rule_says(cast, places, data):
    Charge.objects.all().delete()
    Reservation.objects.all().delete()
    person, place = st.sampled_from(PEOPLE), st.sampled_from(places)
    facts = st.tuples(person, person, place, place, st.integers(0, 5))
    rows = [
        reservation(cast, cast.people[user], cast.people[maker], payer, host, days)
        for user, maker, payer, host, days in data.draw(st.lists(facts, max_size=12))
    ]
    Reservation.objects.bulk_create(rows)
    Charge.objects.bulk_create(charge(row) for row in rows if data.draw(st.booleans()))
    country = cast.anhui.parent
    grants = st.one_of(
        st.builds(
            Grant, st.sampled_from(["researcher", "manager", "finance"]), place.map(lambda one: one.pk)
        ),
        st.builds(
            Grant,
            st.sampled_from(["coordinator", "auditor"]),
            st.none(),
            st.sampled_from([cast.anhui.pk, cast.shanghai.pk, country.pk]),
        ),
        st.just(Grant("administrator")),
    )
    user = data.draw(st.sampled_from([cast.people[name].pk for name in PEOPLE] + [new_id()]))
    actor = Actor(user, tuple(data.draw(st.lists(grants, max_size=3))))
    number = data.draw(st.integers(1, 12))

    seen = Reservation.objects.filter(plain_rule(actor)).order_by(*ORDER)
    expected = list(seen.values_list("pk", flat=True))
    assert list(reservations_for(actor).values_list("pk", flat=True)) == expected
    first = first_of(Reservation.objects.all(), first_visible_to(actor), ORDER, number)
    assert [row.pk for row in first] == expected[:number]
    assert visible_among(actor, [row.pk for row in rows]) == frozenset(expected)

    charges = Charge.objects.filter(reservation__in=seen.order_by().values("pk"))
    charges = charges.select_related("organisation", "host").order_by("-created_at", "-id")
    assert list(charges_for(actor)) == list(charges)
    first = first_of(listed_charges(), first_charges_for(actor), ("-created_at", "-id"), number)
    assert list(first) == list(charges[:number])
    parties = {one.organisation for one in charges} | {one.host for one in charges}
    assert parties_of_charges(actor) == [
        (one.code, one.name, one.name_zh) for one in sorted(parties, key=lambda one: one.name)
    ]
