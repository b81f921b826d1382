"""Requests for a role after a refused page: who may answer them, and that both sides are told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import AccessRequest, Membership, Message, RoleGrant, User
from accounts.selectors.access import access_requests_to_decide, load_access_requests
from accounts.services import memberships
from accounts.services.access import access_ask, access_decline, access_grant
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
    assert (row.roles, [region.code for region in row.regions]) == (["coordinator"], ["CN-SH", "CN"])
    by = By(cast.actor("admin"), NOW)
    with pytest.raises(Invalid):
        access_grant(by, request_id=row.pk, role="coordinator")  # of which region?
    access_grant(by, request_id=row.pk, role="coordinator", region=cast.shanghai)
    assert RoleGrant.objects.get(user=cast.wang, role="coordinator").region == cast.shanghai


def test_a_role_of_the_platform_has_no_region_to_choose(cast):
    row = ask(cast, organisation=None, capability="administer")
    assert load_access_requests(cast.actor("admin"), 5)[0].regions == []
    unknown = ask(cast, organisation=None, capability="")
    [_, shown] = load_access_requests(cast.actor("admin"), 5)
    assert "administrator" in shown.roles and shown.regions  # sent with whatever role is chosen
    by = By(cast.actor("admin"), NOW)
    access_grant(by, request_id=unknown.pk, role="administrator", region=cast.shanghai)
    row.refresh_from_db()
    assert row.state == "approved" and cast.actor("wang").has("administrator")


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
    memberships.role_grant(By(PLATFORM, NOW), user=cast.wang, role="manager", organisation=cast.fudan)
    row = ask(cast, capability="account")
    assert waiting_for(cast, "wang") == []
    with pytest.raises(WrongState) as refused:
        access_grant(By(cast.actor("wang"), NOW), request_id=row.pk, role="finance")
    assert refused.value.code == "own-request"
    with pytest.raises(Invalid):
        access_grant(By(cast.actor("chen"), NOW), request_id=row.pk, role="manager")


def leave(cast, who="wang", organisation="fudan"):
    membership = Membership.objects.get(
        user=cast.people[who], organisation=getattr(cast, organisation), ended_at=None
    )
    memberships.membership_end(By(cast.actor(who), NOW), membership_id=membership.pk, reason="")


def state_of(row):
    row.refresh_from_db()
    return row.state


def test_who_leaves_asks_for_nothing_any_more(cast):
    memberships.role_grant(By(PLATFORM, NOW), user=cast.wang, role="coordinator", region=cast.shanghai)
    there, anywhere = ask(cast), ask(cast, organisation=None, capability="read-trail")
    leave(cast)
    assert (state_of(there), state_of(anywhere)) == ("withdrawn", "requested")
    assert waiting_for(cast, "chen") == [] and there.decided_by is None
    grant = RoleGrant.objects.get(user=cast.wang, role="coordinator")
    memberships.role_revoke(By(cast.actor("wang"), NOW), grant_id=grant.pk, reason="")
    assert state_of(anywhere) == "withdrawn" and waiting_for(cast, "admin") == []


def test_who_leaves_one_of_two_organisations_still_asks_at_the_other(cast):
    Membership.objects.create(user=cast.wang, organisation=cast.ustc, started_at=NOW)
    asked = [ask(cast, organisation=where, capability=what) for where, what in
             (("fudan", "account"), ("ustc", "account"), (None, "coordinate"))]  # fmt: skip
    leave(cast)
    assert [state_of(row) for row in asked] == ["withdrawn", "requested", "requested"]


def test_an_organisation_that_is_closed_leaves_no_request_of_its_members(cast):
    asked = [ask(cast), ask(cast, organisation=None, capability="coordinate")]
    memberships.members_let_go(By(cast.actor("admin"), NOW), organisation=cast.fudan, into=None)
    assert [state_of(row) for row in asked] == ["withdrawn", "withdrawn"]


def test_a_role_given_another_way_answers_the_requests_that_it_carries(cast):
    money, accounting = ask(cast), ask(cast, capability="account")
    other, anywhere = ask(cast, capability="book"), ask(cast, organisation=None, capability="audit")
    memberships.role_grant(
        By(cast.actor("chen"), NOW), user=cast.wang, role="finance", organisation=cast.fudan
    )
    assert [state_of(row) for row in (money, accounting)] == ["approved", "approved"]
    assert (money.role, money.decided_by) == ("finance", cast.chen)
    assert [state_of(row) for row in (other, anywhere)] == ["requested", "requested"]
    memberships.role_grant(By(PLATFORM, NOW), user=cast.wang, role="auditor", region=cast.anhui)
    assert (state_of(anywhere), anywhere.role, anywhere.decided_by) == ("approved", "auditor", None)


def test_a_role_that_was_held_before_answers_nothing_unless_it_is_granted(cast):
    asked = [ask(cast, capability="book"), ask(cast, capability="")]
    memberships.role_grant(By(PLATFORM, NOW), user=cast.wang, role="researcher", organisation=cast.fudan)
    assert [state_of(row) for row in asked] == ["requested", "requested"]
    for row in asked:
        access_grant(By(cast.actor("chen"), NOW), request_id=row.pk, role="researcher")
        assert (state_of(row), row.role) == ("approved", "researcher")


@pytest.mark.parametrize("how", ["left", "closed"])
def test_nobody_without_ground_is_given_a_role_of_the_platform(cast, how):
    row = ask(cast, organisation=None, capability="administer")
    if how == "left":
        Membership.objects.filter(user=cast.wang).update(ended_at=NOW)
        RoleGrant.objects.filter(user=cast.wang).update(revoked_at=NOW)
    else:
        User.objects.filter(pk=cast.wang.pk).update(is_active=False)
    with pytest.raises(WrongState) as refused:
        access_grant(By(cast.actor("admin"), NOW), request_id=row.pk, role="administrator")
    assert refused.value.code == "asker-left" and state_of(row) == "requested"
    access_decline(By(cast.actor("admin"), NOW), request_id=row.pk, reason="Gone")


def test_each_end_of_a_request_locks_the_person_and_then_the_request(cast):
    def locks(act):
        with CaptureQueriesContext(connection) as queries:
            act()
        said = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
        return [
            table for sql in said for table in ("user", "accessrequest") if f'FROM "accounts_{table}"' in sql
        ]

    row, by = ask(cast), By(cast.actor("chen"), NOW)
    assert locks(lambda: access_decline(by, request_id=row.pk, reason="no")) == ["user", "accessrequest"]
    assert locks(lambda: leave(cast)) == ["user", "accessrequest"]


def test_what_was_answered_meanwhile_is_not_withdrawn(cast):
    row = ask(cast)
    access_decline(By(cast.actor("chen"), NOW), request_id=row.pk, reason="no")
    memberships.access_requests_end(By(PLATFORM, NOW), people=[cast.wang.pk], organisation=cast.fudan)
    assert state_of(row) == "rejected"


def test_a_day_of_requests_is_one_letter_to_an_organisation(cast):
    rows = [ask(cast, capability=what).pk for what in ("account", "read-money", "manage-members")]
    ask(cast, organisation=None, capability="coordinate")
    effects_carry_out(now=NOW + timedelta(minutes=5))
    letters = Message.objects.filter(kind="people.access-asked")
    assert sorted(letters.values_list("user__name", flat=True)) == sorted([cast.chen.name, cast.admin.name])
    assert waiting_for(cast, "chen") == rows
    ask(cast, capability="book", now=NOW + timedelta(days=1, minutes=1))
    effects_carry_out(now=NOW + timedelta(days=1, minutes=6))
    assert letters.filter(user=cast.chen).count() == 2


def test_a_limited_role_answers_no_request_for_what_it_does_not_carry(cast):
    for capability in ("read-bookings", "manage-instruments"):
        ask(cast, "sun", "ustc", capability)
    memberships.role_grant(
        By(cast.actor("zhao"), NOW),
        user=cast.sun,
        role="manager",
        organisation=cast.ustc,
        instrument=cast.microscope.pk,
    )
    states = dict(AccessRequest.objects.values_list("capability", "state"))
    assert states == {"read-bookings": "requested", "manage-instruments": "approved"}
