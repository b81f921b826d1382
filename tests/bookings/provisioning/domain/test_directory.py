"""Rules for what a directory does to people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from accounts.domain.roles import ORGANISATION_ROLES
from bookings.provisioning.domain.directory import (
    GROUPS,
    Standing,
    Step,
    address_of,
    group_named,
    in_order,
    step,
)


@pytest.mark.parametrize(
    ("standing", "active", "done"),
    [
        (Standing.MEMBER, True, Step.NOTHING),
        (Standing.INVITED, True, Step.NOTHING),
        (Standing.SUSPENDED, True, Step.RESTORE),
        (Standing.OUT, True, Step.INVITE),
        (Standing.MEMBER, False, Step.END),
        (Standing.INVITED, False, Step.WITHDRAW),
        (Standing.SUSPENDED, False, Step.NOTHING),
        (Standing.OUT, False, Step.NOTHING),
    ],
)
def test_what_is_done_for_a_standing(standing, active, done):
    assert step(standing, active=active) == done


AFTER = {
    Step.INVITE: Standing.INVITED,
    Step.RESTORE: Standing.MEMBER,
    Step.END: Standing.SUSPENDED,
    Step.WITHDRAW: Standing.OUT,
}


@given(st.sampled_from(Standing), st.booleans())
def test_what_was_done_is_not_done_again(standing, active):
    done = step(standing, active=active)
    assert step(AFTER.get(done, standing), active=active) == Step.NOTHING


@given(st.lists(st.sampled_from([Standing.OUT, Standing.INVITED]), min_size=1), st.booleans())
def test_nobody_who_has_not_accepted_becomes_a_member(standings, active):
    assert all(AFTER.get(step(one, active=active)) != Standing.MEMBER for one in standings)


HOME, WORK = {"value": "h@x.example", "type": "home"}, {"value": "w@x.example", "type": "work"}


@pytest.mark.parametrize(
    ("name", "emails", "found"),
    [
        ("a@x.example", [], "a@x.example"),
        ("a@x.example", [HOME], "h@x.example"),
        ("a@x.example", [HOME, WORK], "w@x.example"),
        ("a@x.example", [WORK, HOME | {"primary": True}], "h@x.example"),
        ("a@x.example", [{"type": "work", "primary": True}], "a@x.example"),
        ("hr-7", [{"type": "work"}, HOME], "h@x.example"),
    ],
)
def test_the_address_of_a_person(name, emails, found):
    assert address_of(name, emails) == found


def test_who_has_no_address_cannot_be_asked():
    with pytest.raises(Invalid):
        address_of("hr-7", [])


def test_groups_are_the_roles_of_organisations():
    assert set(GROUPS) == ORGANISATION_ROLES
    assert group_named(" Manager ") == "manager"
    assert group_named("administrator") == group_named("auditor") == group_named("") == ""
    assert in_order(["finance", "researcher", "finance", "auditor"]) == ["researcher", "finance"]
