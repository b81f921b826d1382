"""Roles with a scope give what they give at a facility or an instrument, and nothing elsewhere."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.roles import CAPABILITIES, MANAGER, OPERATOR, Actor, Grant, Place, Scope, allows

HOST, OTHER = UUID(int=1), UUID(int=2)
HALL, YARD = UUID(int=11), UUID(int=12)
LENS, LASER = UUID(int=21), UUID(int=22)

hosts, facilities, instruments = (
    st.sampled_from(ids) for ids in ((HOST, OTHER), (HALL, YARD), (LENS, LASER))
)
scopes = st.one_of(
    facilities.map(lambda one: {"facility_id": one}), instruments.map(lambda one: {"instrument_id": one})
)
scoped = st.builds(
    lambda role, host, scope: Grant(role, host, **scope), st.sampled_from([MANAGER, OPERATOR]), hosts, scopes
)
places = st.builds(Place, hosts, facility_id=st.none() | facilities, instrument_id=st.none() | instruments)
capabilities = st.sampled_from(sorted(CAPABILITIES))


@pytest.mark.parametrize(
    "place,is_allowed",
    [
        (Place(HOST), False),
        (Place(HOST, facility_id=HALL), True),
        (Place(HOST, facility_id=HALL, instrument_id=LENS), True),
        (Place(HOST, facility_id=YARD, instrument_id=LENS), False),
        (Place(OTHER, facility_id=HALL, instrument_id=LENS), False),
        (Place(None), False),
    ],
)
def test_staff_of_a_facility_act_in_it_alone(place, is_allowed):
    grant = Grant(OPERATOR, HOST, facility_id=HALL)
    assert allows([grant], "operate-instruments", place) == is_allowed
    assert not allows([grant], "manage-instruments", place)


@pytest.mark.parametrize(
    "place,is_allowed",
    [
        (Place(HOST), False),
        (Place(HOST, facility_id=HALL), False),  # the facility is more than the instrument
        (Place(HOST, facility_id=HALL, instrument_id=LENS), True),
        (Place(HOST, facility_id=HALL, instrument_id=LASER), False),
        (Place(OTHER, facility_id=HALL, instrument_id=LENS), False),
    ],
)
def test_staff_of_an_instrument_act_on_it_alone(place, is_allowed):
    assert allows([Grant(MANAGER, HOST, instrument_id=LENS)], "manage-instruments", place) == is_allowed


def test_an_operator_reads_no_money_and_manages_nothing():
    assert {name for name, roles in CAPABILITIES.items() if OPERATOR in roles} == {"operate-instruments"}


@given(scoped, capabilities, places)
def test_a_scope_never_adds(grant, capability, place):
    """What a role with a scope allows, the same role for the whole organisation allows too."""
    whole = replace(grant, facility_id=None, instrument_id=None)
    assert not allows([grant], capability, place) or allows([whole], capability, place)


@given(st.lists(scoped), capabilities, places)
def test_a_scope_gives_nothing_at_a_whole_organisation(grants, capability, place):
    actor = Actor(UUID(int=9), tuple(grants))
    assert not actor.may(capability, replace(place, facility_id=None, instrument_id=None))
    assert not actor.organisations_where(capability)
    assert not any(actor.has(role) for role in (MANAGER, OPERATOR))


@given(st.lists(scoped | st.builds(Grant, st.sampled_from([MANAGER, OPERATOR]), hosts)), capabilities)
def test_the_scope_of_a_capability_names_what_its_roles_name(grants, capability):
    scope = Actor(UUID(int=9), tuple(grants)).scope_where(capability)
    carrying = [grant for grant in grants if grant.role in CAPABILITIES[capability]]
    assert bool(scope) == bool(carrying)
    assert scope.hosts == {grant.organisation_id for grant in carrying}
    assert scope.organisations == {grant.organisation_id for grant in carrying if not grant.is_scoped}
    assert not Scope()
