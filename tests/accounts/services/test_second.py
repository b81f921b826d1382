"""Asking for a second person where two are needed and there is one."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, OutboxMessage, RoleGrant, TrailEntry
from accounts.services.memberships import role_grant, second_ask
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import NOW

ACCOUNTANT = "no-second-accountant"


@pytest.fixture
def alone(cast):
    """Gao keeps the accounts of USTC; nobody else may."""
    RoleGrant.objects.filter(user=cast.people["zhao"]).update(revoked_at=NOW)
    return cast


def ask(cast, who="gao", code=ACCOUNTANT, now=NOW, **place):
    second_ask(By(cast.actor(who), now), code=code, **(place or {"organisation": cast.ustc}))


def letters():
    effects_carry_out(now=NOW + timedelta(days=3))
    rows = Message.objects.filter(kind="people.second").order_by("user__email")
    return [(row.user.email, row.subject, row.link) for row in rows]


def test_whoever_may_give_the_role_is_asked(alone):
    ask(alone)
    page = f"/organisations/{alone.ustc.pk}/members/"
    assert letters() == [("admin@commons.example", "A second person is needed: USTC", page)]
    text = Message.objects.get(kind="people.second").text
    assert "Gao Lei (gao@ustc.example) cannot go on alone" in text
    assert "the role finance" in text
    entry = TrailEntry.objects.get(action="role.ask")
    assert (entry.object_id, entry.after) == (alone.ustc.pk, {"role": "finance"})


def test_once_a_day(alone):
    ask(alone)
    with pytest.raises(WrongState, match="second-asked"):
        ask(alone)
    ask(alone, now=NOW + timedelta(days=1))
    assert OutboxMessage.objects.filter(kind="people.second").count() == 2


def test_nobody_is_written_to_once_there_is_a_second(alone):
    ask(alone)
    role_grant(By(PLATFORM, NOW), user=alone.people["sun"], role="finance", organisation=alone.ustc)
    assert letters() == []
    with pytest.raises(WrongState, match="second-exists"):
        ask(alone, now=NOW + timedelta(days=1))


@pytest.mark.parametrize("who", ["wang", "alice", "auditor", "coordinator"])
def test_others_ask_for_nobody(alone, who):
    with pytest.raises(NotPermitted):
        ask(alone, who)
    assert not OutboxMessage.objects.filter(kind="people.second").exists()


def test_of_a_region_coordinators_ask_the_administrators(alone):
    RoleGrant.objects.filter(user=alone.people["xu"]).update(revoked_at=NOW)
    for who in ("wang", "gao"):
        with pytest.raises(NotPermitted):
            ask(alone, who, "no-second-coordinator", region=alone.shanghai)
    ask(alone, "coordinator", "no-second-coordinator", region=alone.shanghai)
    assert letters() == [
        ("admin@commons.example", "A second person is needed: Shanghai", "/people/roles/")
    ]


@pytest.mark.parametrize("code", ["no-second-auditor", "own-role", ""])
def test_only_for_what_a_page_says_is_lacking(alone, code):
    with pytest.raises(Invalid):
        ask(alone, code=code)
