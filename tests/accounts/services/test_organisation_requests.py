"""Somebody's organisation is missing: who may ask, who decides, and what comes of it."""

import pytest
from django.core import mail

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import (
    JoinRequest,
    Membership,
    Message,
    Organisation,
    OrganisationRequest,
    OutboxMessage,
    RoleGrant,
    TrailEntry,
)
from accounts.services.erasure import account_close, person_forget
from accounts.services.memberships import role_grant, role_revoke
from accounts.services.organisation_requests import (
    organisation_approve,
    organisation_ask,
    organisation_reject,
    organisation_request_withdraw,
)
from accounts.services.organisations import region_close, region_create
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import NOW

ENTERED = {"code": "third", "name": "Third University", "kind": "university"}


def ask(cast, by="alice", **values):
    given = {"name": "Third University", "kind": "university", "region": cast.anhui}
    return organisation_ask(By(cast.actor(by), NOW), **given | values)


def approve(cast, row, by="coordinator", **way):
    way = way or {"entered": ENTERED}
    return organisation_approve(By(cast.actor(by), NOW), request_id=row.pk, **way)


def reject(cast, row, by="coordinator", reason="It is a part of USTC."):
    return organisation_reject(By(cast.actor(by), NOW), request_id=row.pk, reason=reason)


def state():
    return (
        list(OrganisationRequest.objects.order_by("pk").values()),
        Organisation.objects.count(),
        Membership.objects.count(),
        RoleGrant.objects.count(),
        TrailEntry.objects.count(),
        OutboxMessage.objects.count(),
    )


def refused(error_type, act, /, *args, **values):
    before = state()
    with pytest.raises(error_type) as error:
        act(*args, **values)
    assert state() == before
    return error.value


@pytest.mark.parametrize("by", ["coordinator", "admin"])
def test_approval_enters_the_organisation_and_makes_the_asker_a_researcher(cast, by):
    row = approve(cast, ask(cast, ror="05a28rw58"), by=by)
    made = Organisation.objects.get(code="third")
    assert (row.state, row.organisation, row.decided_by_id) == (
        "approved", made, cast.people[by].pk,
    )  # fmt: skip
    assert (made.region, made.name) == (cast.anhui, "Third University")
    grant = RoleGrant.objects.get(user=cast.alice, revoked_at=None)
    assert (grant.role, grant.organisation, grant.granted_by_id) == (
        "researcher", made, cast.people[by].pk,
    )  # fmt: skip
    assert Membership.objects.get(user=cast.alice).organisation == made
    actions = TrailEntry.objects.filter(action__startswith="organisationrequest.")
    assert [entry.action for entry in actions.order_by("at", "id")] == [
        "organisationrequest.create",
        "organisationrequest.approve",
    ]


def test_it_may_be_one_that_is_there(cast):
    row = approve(cast, ask(cast), organisation=cast.optics)
    assert row.organisation == cast.optics
    assert Membership.objects.get(user=cast.alice).organisation == cast.optics
    assert Organisation.objects.count() == 3


def test_where_it_has_a_manager_its_managers_decide_who_comes_in(cast):
    approve(cast, ask(cast), organisation=cast.ustc)
    request = JoinRequest.objects.get()
    assert (request.user, request.organisation, request.state) == (
        cast.alice, cast.ustc, "requested",
    )  # fmt: skip
    assert not Membership.objects.filter(user=cast.alice).exists()
    assert not RoleGrant.objects.filter(user=cast.alice).exists()
    assert {
        (cast.zhao.email, "people.asked"), (cast.alice.email, "people.organisation-named"),
    } <= told()  # fmt: skip
    (told_alice,) = (sent for sent in mail.outbox if sent.to == [cast.alice.email])
    assert "Its managers have been asked" in told_alice.body
    # Once more, and for a member: nothing more is asked.
    approve(cast, ask(cast, name="Another name"), organisation=cast.ustc)
    approve(cast, ask(cast, by="sun"), organisation=cast.ustc)
    assert JoinRequest.objects.count() == 1


@pytest.mark.parametrize("by", ["alice", "wang", "zhao", "chen", "lin", "auditor", "xu"])
def test_others_do_not_decide(cast, by):
    row = ask(cast, by="hu")
    refused(NotFound, approve, cast, row, by=by)
    refused(NotFound, reject, cast, row, by=by)


def test_a_coordinator_makes_nobody_a_member_in_another_region(cast):
    row = ask(cast)
    refused(NotPermitted, approve, cast, row, organisation=cast.fudan)
    refused(NotPermitted, approve, cast, row, entered=ENTERED | {"region": cast.shanghai})


def test_nobody_decides_on_their_own(cast):
    row = ask(cast, by="coordinator")
    assert refused(WrongState, approve, cast, row).code == "own-request"
    assert refused(WrongState, reject, cast, row).code == "own-request"
    assert approve(cast, row, by="admin").state == "approved"


def test_it_is_decided_once(cast):
    row = ask(cast)
    reject(cast, row)
    refused(WrongState, approve, cast, row)
    refused(WrongState, reject, cast, row)
    refused(WrongState, organisation_request_withdraw, By(cast.actor("alice"), NOW), request_id=row.pk)


def test_a_reason_is_owed(cast):
    row = ask(cast)
    assert refused(Invalid, reject, cast, row, reason=" ").problems[0].code == "required"
    assert refused(Invalid, reject, cast, row, reason="x" * 501).problems[0].code == "too-long"


def test_a_code_that_is_taken_leaves_the_request_open(cast):
    row = ask(cast)
    error = refused(Invalid, approve, cast, row, entered=ENTERED | {"code": "ustc"})
    assert error.problems[0].code == "code-taken"


def test_a_closed_organisation_is_nobodys_answer(cast):
    row = ask(cast)
    Organisation.objects.filter(pk=cast.optics.pk).update(closed_at=NOW)
    cast.optics.refresh_from_db()
    error = refused(WrongState, approve, cast, row, organisation=cast.optics)
    assert error.code == "organisation-closed"


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"name": " "}, [("name", "required")]),
        ({"name": "x" * 201}, [("name", "too-long")]),
        ({"kind": "club", "ror": "x"}, [("ror", "not-a-ror"), ("kind", "unknown-value")]),
        ({"text": "x" * 501}, [("text", "too-long")]),
        ({"text": "a\x00"}, [("text", "bad-character")]),
    ],
)
def test_a_bad_request_is_refused(cast, values, problems):
    error = refused(Invalid, ask, cast, **values)
    assert [(problem.field, problem.code) for problem in error.problems] == problems


def test_one_person_asks_for_five_at_the_most_and_for_each_once(cast):
    ask(cast)
    assert refused(WrongState, ask, cast, name="THIRD University").code == "already-asked"
    for number in range(4):
        ask(cast, name=f"Number {number}")
    error = refused(WrongState, ask, cast, name="One more")
    assert (error.code, error.numbers) == ("too-many-organisation-requests", {"most": 5})
    ask(cast, by="hu")


def test_it_is_for_a_region_that_shares_and_is_open(cast):
    error = refused(Invalid, ask, cast, region=cast.anhui.parent)
    assert error.problems[0].code == "region-shares-nothing"
    admin = cast.actor("admin")
    region = region_create(By(admin, NOW), scheme="ISO 3166-2", code="CN-JS", shares=True)
    region = region_close(By(admin, NOW), region_id=region.pk)
    assert refused(WrongState, ask, cast, region=region).code == "region-closed"


def test_one_takes_back_ones_own_alone(cast):
    row = ask(cast)
    refused(NotFound, organisation_request_withdraw, By(cast.actor("hu"), NOW), request_id=row.pk)
    organisation_request_withdraw(By(cast.actor("alice"), NOW), request_id=row.pk)
    row.refresh_from_db()
    assert row.state == "withdrawn"


# Messages


def told():
    effects_carry_out(now=NOW)
    return {(message.user.email, message.kind) for message in Message.objects.all()}


def test_who_coordinates_the_region_is_told_and_the_asker_of_the_answer(cast):
    role_grant(By(PLATFORM, NOW), user=cast.hu, role="coordinator", region=cast.anhui.parent)
    row = ask(cast)
    asked = {(cast.people[n].email, "people.organisation-asked") for n in ("coordinator", "hu")}
    assert told() == asked
    reject(cast, row)
    assert told() == asked | {(cast.alice.email, "people.organisation-rejected")}
    assert "Third University" in mail.outbox[-1].subject
    assert "It is a part of USTC." in mail.outbox[-1].body


def test_without_a_coordinator_the_administrators_are_told(cast):
    grant = RoleGrant.objects.get(user=cast.coordinator)
    role_revoke(By(cast.actor("admin"), NOW), grant_id=grant.pk, reason="left")
    row = ask(cast)
    assert told() == {
        (cast.coordinator.email, "people.role-ended"),
        (cast.admin.email, "people.organisation-asked"),
    }
    approve(cast, row, by="admin")
    assert (cast.alice.email, "people.organisation-approved") in told()


def test_what_is_withdrawn_is_told_nobody(cast):
    row = ask(cast)
    organisation_request_withdraw(By(cast.actor("alice"), NOW), request_id=row.pk)
    assert told() == set()


def test_who_leaves_takes_their_requests_and_words_along(cast):
    row = ask(cast, text="I am Alice, call me.")
    alice = cast.actor("alice")
    account_close(actor=alice, by=alice, reason="", now=NOW)
    row.refresh_from_db()
    assert row.state == "withdrawn"
    person_forget(user_id=cast.alice.pk, now=NOW)
    row.refresh_from_db()
    assert row.text == ""
