"""What a service account may be given, and when it is looked at."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import roles
from accounts.domain.errors import Invalid
from accounts.domain.roles import CAPABILITIES, FOR_PERSONS, SERVICE_ROLES, Actor, Grant, Place
from bookings.programs.domain import accounts as rules
from tests.factories.moments import NOW

EVERY_ROLE = sorted(roles.ORGANISATION_ROLES | roles.REGION_ROLES | roles.PLATFORM_ROLES)


@pytest.mark.parametrize(
    ("held", "given"),
    [
        ([], []),
        (["researcher", "finance", "operator"], []),
        (["manager"], ["manager", "operator"]),
        (["manager", "finance"], ["finance", "manager", "operator"]),
        (["auditor", "coordinator"], []),
        (["administrator"], ["finance", "manager", "operator"]),
    ],
)
def test_roles_to_give(held: list[str], given: list[str]) -> None:
    assert sorted(rules.roles_to_give(held)) == given


@given(st.sets(st.sampled_from(EVERY_ROLE)))
def test_never_more_than_an_organisations(held: set[str]) -> None:
    assert rules.roles_to_give(held) <= SERVICE_ROLES


@given(st.sets(st.sampled_from(EVERY_ROLE)), st.sampled_from(sorted(CAPABILITIES)))
def test_a_service_account_never_does_more_than_a_person(held: set[str], capability: str) -> None:
    grants = tuple(Grant(role) for role in held)
    person, program = Actor(None, grants), Actor(None, grants, is_service=True)
    place = Place(None)
    assert program.may(capability, place) == (person.may(capability, place) and capability not in FOR_PERSONS)
    assert bool(program.scope_where(capability)) <= bool(person.scope_where(capability))


def test_when_it_is_looked_at() -> None:
    assert not rules.is_to_ask(NOW - timedelta(days=364), NOW)
    assert rules.is_to_ask(NOW - timedelta(days=365), NOW)
    assert rules.stops_at(NOW) == NOW + timedelta(days=60)


def test_how_long_the_old_token_works() -> None:
    assert rules.old_until(None, NOW) == NOW + timedelta(days=7)
    assert rules.old_until(NOW + timedelta(days=30), NOW) == NOW + timedelta(days=7)
    assert rules.old_until(NOW + timedelta(days=2), NOW) == NOW + timedelta(days=2)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        rules.checked(name="", purpose="x" * 201, roles=["auditor"], scopes=[], known=["read"])
    told = [(problem.field, problem.code) for problem in caught.value.problems]
    assert told == [
        ("name", "required"), ("purpose", "too-long"), ("roles", "unknown-value"), ("scopes", "required"),
    ]  # fmt: skip


def test_a_directory_needs_who_manages_members() -> None:
    scopes = ["read", "provision"]
    given = {"name": "IdM", "purpose": "People", "scopes": scopes, "known": scopes}
    rules.checked(roles=["manager"], **given)
    with pytest.raises(Invalid) as caught:
        rules.checked(roles=["operator"], **given)
    assert [problem.code for problem in caught.value.problems] == ["provision-needs-manager"]
