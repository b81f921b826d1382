"""What somebody holds, and which rows lie in its scope."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.roles import PLATFORM, Actor, By, Grant
from accounts.models import RoleGrant
from accounts.selectors.memberships import in_scope, place_of
from instruments.managing.services.registry import facility_create
from instruments.rates.models import RateCard
from instruments.register.models import Instrument
from tests.factories.moments import NOW

CAPABILITY = "operate-instruments"


@pytest.fixture
def instruments(cast):
    """Four instruments in three facilities of two organisations."""
    values = {"time_zone": "Asia/Shanghai", "address": "1 Road", "name_zh": ""}
    yard, away = (
        facility_create(By(PLATFORM, NOW), organisation=organisation, name=name, **values)
        for organisation, name in ((cast.ustc, "Yard"), (cast.fudan, "Away"))
    )
    cast.instrument(name="Laser")
    for facility in (yard, away):
        row = cast.instrument(name=f"Of {facility.name}")
        Instrument.objects.filter(pk=row.pk).update(facility=facility, organisation=facility.organisation)
    rows = Instrument.objects.select_related("organisation__region").order_by("name")
    assert rows.count() == 4
    return list(rows)


@given(data=st.data())
@settings(max_examples=60)
def test_rows_in_a_scope_are_those_whose_place_is_allowed(instruments, data):
    host = st.sampled_from(sorted({row.organisation_id for row in instruments}))
    facility = st.sampled_from(sorted({row.facility_id for row in instruments}))
    one = st.sampled_from([row.pk for row in instruments])
    role = st.sampled_from(["operator", "manager", "researcher"])
    grants = st.one_of(
        st.builds(Grant, role, host),
        st.builds(Grant, role, host, facility_id=facility),
        st.builds(Grant, role, host, instrument_id=one),
    )
    actor = Actor(uuid4(), tuple(data.draw(st.lists(grants, max_size=4))))
    allowed = [row for row in instruments if actor.may(CAPABILITY, place_of(row.organisation, row))]
    reach = in_scope(actor.scope_where(CAPABILITY), "organisation", None)
    assert list(Instrument.objects.filter(reach).order_by("name")) == allowed
    of_cards = in_scope(actor.scope_where(CAPABILITY), "instrument__organisation")
    cards = RateCard.objects.filter(of_cards).values_list("instrument", flat=True)
    assert set(cards) == {row.pk for row in allowed}


def test_a_person_is_loaded_with_their_scopes(cast, django_assert_num_queries):
    common = {"user": cast.sun, "organisation": cast.ustc, "granted_at": NOW}
    RoleGrant.objects.create(role="operator", facility_id=cast.facility.pk, **common)
    RoleGrant.objects.create(role="manager", instrument_id=cast.microscope.pk, **common)
    with django_assert_num_queries(2):  # one reads the person
        actor = cast.actor("sun")
    assert set(actor.grants) == {
        Grant("researcher", cast.ustc.pk),
        Grant("operator", cast.ustc.pk, facility_id=cast.facility.pk),
        Grant("manager", cast.ustc.pk, instrument_id=cast.microscope.pk),
    }
    at_microscope = place_of(cast.ustc, cast.microscope)
    assert actor.may("operate-instruments", at_microscope) and actor.may("manage-instruments", at_microscope)
    assert not actor.may("operate-instruments", place_of(cast.ustc))
    assert actor.may("operate-instruments", place_of(cast.ustc, facility_id=cast.facility.pk))


def test_the_database_refuses_a_scope_that_does_not_fit(cast):
    facility, instrument = cast.facility.pk, cast.microscope.pk
    for values in (
        {"role": "operator", "facility_id": facility, "instrument_id": instrument},
        {"role": "finance", "facility_id": facility},
        {"role": "researcher", "instrument_id": instrument},
    ):
        with pytest.raises(IntegrityError, match="rolegrant_one_scope"), transaction.atomic():
            RoleGrant.objects.create(user=cast.hu, organisation=cast.ustc, granted_at=NOW, **values)
    twice = {"user": cast.hu, "role": "operator", "organisation": cast.ustc, "granted_at": NOW}
    RoleGrant.objects.create(**twice)
    RoleGrant.objects.create(**twice, facility_id=facility)
    with pytest.raises(IntegrityError, match="rolegrant_once_a_scope"), transaction.atomic():
        RoleGrant.objects.create(**twice, facility_id=facility)
