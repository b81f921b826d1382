"""Requests for a role after a refused page: who may answer them, and that both sides are told."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import AccessRequest, Message, RoleGrant
from accounts.selectors.access import access_requests_to_decide, load_access_requests
from accounts.services.access import access_ask, access_decline, access_grant
from accounts.services.memberships import role_grant
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import NOW


def ask(cast, who="wang", organisation="fudan", capability="read-money", now=NOW):
    place = getattr(cast, organisation) if organisation else None
    return access_ask(By(cast.actor(who), now), organisation=place, capability=capability, path="/money/")


def waiting_for(cast, who):
    return [row.pk for row in access_requests_to_decide(cast.actor(who))]


def test_it_waits_for_those_who_may_give_the_role_and_for_nobody_else(cast):
    row = ask(cast)
    assert [who for who in cast.people if waiting_for(cast, who)] == ["chen"]
    assert load_access_requests(cast.actor("chen"), 5)[0].roles == ["manager", "finance"]
    RoleGrant.objects.filter(role="manager", organisation=cast.fudan).update(revoked_at=NOW)
    assert waiting_for(cast, "admin") == [row.pk] and waiting_for(cast, "chen") == []


def test_a_role_of_a_region_waits_for_administrators_with_the_regions_of_the_person(cast):
    ask(cast, organisation=None, capability="coordinate")
    [row] = load_access_requests(cast.actor("admin"), 5)
    assert (row.roles, [region.code for region in row.regions]) == (["coordinator"], ["CN", "CN-SH"])
    by = By(cast.actor("admin"), NOW)
    with pytest.raises(Invalid):
        access_grant(by, request_id=row.pk, role="coordinator")  # of which region?
    access_grant(by, request_id=row.pk, role="coordinator", region=cast.shanghai)
    assert RoleGrant.objects.get(user=cast.wang, role="coordinator").region == cast.shanghai


def test_asked_twice_is_one_request_until_the_day_after_the_answer(cast):
    row = ask(cast)
    for later in (timedelta(minutes=1), timedelta(days=3)):
        with pytest.raises(WrongState) as refused:
            ask(cast, now=NOW + later)
        assert refused.value.code == "access-asked"
    effects_carry_out(now=NOW + timedelta(minutes=5))
    assert Message.objects.filter(kind="people.access-asked").count() == 1
    access_decline(By(cast.actor("chen"), NOW), request_id=row.pk, reason="Ask Lin")
    with pytest.raises(WrongState):
        ask(cast, now=NOW + timedelta(hours=23))
    assert ask(cast, now=NOW + timedelta(days=2)).state == "requested"


def test_granting_gives_the_role_and_tells_the_person(cast):
    row = ask(cast)
    access_grant(By(cast.actor("chen"), NOW), request_id=row.pk, role="finance")
    assert RoleGrant.objects.filter(user=cast.wang, role="finance", organisation=cast.fudan).exists()
    row.refresh_from_db()
    assert (row.state, row.role, row.decided_by) == ("approved", "finance", cast.chen)
    effects_carry_out(now=NOW + timedelta(minutes=5))
    told = Message.objects.filter(user=cast.wang, kind="people.role-given")
    assert told.count() == 1 and waiting_for(cast, "chen") == []
    with pytest.raises(WrongState):
        access_decline(By(cast.actor("chen"), NOW), request_id=row.pk, reason="no")


def test_declining_needs_a_reason_which_the_person_reads(cast):
    row = ask(cast)
    by = By(cast.actor("chen"), NOW)
    with pytest.raises(Invalid):
        access_decline(by, request_id=row.pk, reason=" ")
    access_decline(by, request_id=row.pk, reason="Your work does not need it.")
    effects_carry_out(now=NOW + timedelta(minutes=5))
    told = Message.objects.get(user=cast.wang, kind="people.access-declined")
    assert "Your work does not need it." in told.text
    assert not RoleGrant.objects.filter(user=cast.wang, role="finance").exists()


@pytest.mark.parametrize("who", ["zhao", "lin", "coordinator", "auditor", "hu"])
def test_who_may_not_give_the_role_cannot_answer(cast, who):
    row, by = ask(cast), By(cast.actor(who), NOW)
    for answer in (
        lambda: access_grant(by, request_id=row.pk, role="finance"),
        lambda: access_decline(by, request_id=row.pk, reason="x"),
    ):
        with pytest.raises((NotFound, NotPermitted)):
            answer()
    assert AccessRequest.objects.get().state == "requested"


def test_nobody_answers_their_own_and_only_what_was_asked_for_is_given(cast):
    role_grant(By(PLATFORM, NOW), user=cast.wang, role="manager", organisation=cast.fudan)
    row = ask(cast, capability="account")
    assert waiting_for(cast, "wang") == []
    with pytest.raises(WrongState) as refused:
        access_grant(By(cast.actor("wang"), NOW), request_id=row.pk, role="finance")
    assert refused.value.code == "own-request"
    with pytest.raises(Invalid):
        access_grant(By(cast.actor("chen"), NOW), request_id=row.pk, role="manager")
