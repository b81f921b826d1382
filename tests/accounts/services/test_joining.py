"""Invitations and requests to join."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from accounts.domain import joining
from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By, DutiesConflict, Place
from accounts.models import Invitation, JoinRequest, Membership, RoleGrant, TrailEntry, User
from accounts.permissions import actor_of
from accounts.selectors.joining import invitation_token
from accounts.selectors.memberships import place_of
from accounts.selectors.secrets import digest_of
from accounts.services.invitations import invitation_accept, invitation_send, invitation_withdraw
from accounts.services.joining import join_ask, join_decide, join_withdraw, joining_set
from accounts.services.memberships import role_grant, role_revoke
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
def alice(cast):
    user = cast.people["alice"]
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def invite(cast, email="alice@nowhere.example", roles=("researcher",), **values):
    return invitation_send(
        By(cast.actor(values.pop("who", "chen")), values.pop("now", NOW)),
        organisation=values.pop("organisation", cast.fudan),
        email=email,
        roles=roles,
        **values,
    )


def accept(cast, row, who="alice", now=NOW):
    return invitation_accept(By(cast.actor(who), now), invitation_id=row.pk)


def belongs(user):
    return set(
        Membership.objects.filter(user=user, ended_at=None).values_list("organisation__code", flat=True)
    )


def roles_of(user):
    rows = RoleGrant.objects.filter(user=user, revoked_at=None)
    return {(row.role, row.granted_by_id) for row in rows}


# Invitations


def test_one_address_is_invited_five_times_a_day_whoever_invites(cast):
    people = ({"who": "chen"}, {"who": "zhao", "organisation": cast.ustc})
    rows = [invite(cast, now=NOW + n * MINUTE, **people[n % 2]) for n in range(5)]
    assert len({row.pk for row in rows}) == 5
    entries = TrailEntry.objects.count()
    for by in people:
        with pytest.raises(WrongState, match="invited-too-often"):
            invite(cast, " ALICE@nowhere.example", now=NOW + 5 * MINUTE, **by)
    assert (Invitation.objects.count(), TrailEntry.objects.count()) == (5, entries)
    assert invite(cast, "bob@nowhere.example", now=NOW + 5 * MINUTE)
    assert invite(cast, now=NOW + timedelta(days=1)), "the first is a day old"


def test_an_organisation_and_a_person_invite_two_hundred_a_day(cast, monkeypatch):
    monkeypatch.setattr(joining, "MOST_A_DAY", 2)
    role_grant(By(PLATFORM, NOW), user=cast.lin, role="manager", organisation=cast.fudan)
    invite(cast, "one@nowhere.example")
    invite(cast, "two@nowhere.example")
    for by in ({"who": "lin"}, {"who": "chen"}):
        with pytest.raises(WrongState, match="too-many-invitations-today"):
            invite(cast, "three@nowhere.example", **by)
    # In another organisation, too: the person has sent as many as they may.
    role_grant(By(PLATFORM, NOW), user=cast.chen, role="manager", organisation=cast.ustc)
    with pytest.raises(WrongState, match="too-many-invitations-today"):
        invite(cast, "three@nowhere.example", organisation=cast.ustc)
    assert Invitation.objects.count() == 2
    assert invite(cast, "three@nowhere.example", now=NOW + timedelta(days=1))


def test_an_invitation_goes_out_and_is_accepted_once(cast, alice):
    row = invite(cast, " Alice@Nowhere.example ")
    effects_carry_out(now=NOW)
    letter = mail.outbox[-1]
    assert letter.to == [alice.email] and "Fudan University" in letter.subject
    token = re.search(r"/invitations/([\w-]{43})/", letter.body)[1]
    assert bytes(row.digest) == digest_of(token) and "once" in letter.body
    # The table and the outbox know nothing that opens.
    assert token not in str(list(Invitation.objects.values()))
    membership = accept(cast, row)
    assert belongs(alice) == {"fudan"} and membership.started_at == NOW
    assert roles_of(alice) == {("researcher", cast.chen.pk)}
    assert actor_of(User.objects.get(pk=alice.pk)).may("book", place_of(cast.fudan))
    with pytest.raises(WrongState, match="invitation-used"):
        accept(cast, row)
    actions = list(TrailEntry.objects.order_by("at", "id").values_list("action", flat=True))
    assert actions[-4:] == ["invitation.send", "membership.start", "role.grant", "invitation.accept"]


def test_a_stranger_is_invited_to_make_an_account(cast):
    invite(cast, "new@nowhere.example")
    effects_carry_out(now=NOW)
    assert "create an account with this mail address" in mail.outbox[-1].body


def test_only_the_owner_of_the_address_accepts(cast, alice):
    row = invite(cast)
    with pytest.raises(NotPermitted, match="another-address"):
        accept(cast, row, "hu")
    EmailAddress.objects.update(verified=False)
    with pytest.raises(NotPermitted, match="another-address"):
        accept(cast, row)
    assert belongs(alice) == set() and belongs(cast.people["hu"]) == {"optics"}


def test_an_invitation_ends(cast, alice):
    row = invite(cast, lifetime=timedelta(days=3))
    with pytest.raises(WrongState, match="invitation-expired"):
        accept(cast, row, now=NOW + timedelta(days=3))
    invitation_withdraw(By(cast.actor("chen"), NOW), invitation_id=row.pk)
    with pytest.raises(WrongState, match="invitation-withdrawn"):
        accept(cast, row)
    assert belongs(alice) == set() and roles_of(alice) == set()


def test_a_second_invitation_takes_the_place_of_the_first(cast, alice):
    first, second = invite(cast), invite(cast, roles=["finance"])
    with pytest.raises(WrongState, match="invitation-withdrawn"):
        accept(cast, first)
    accept(cast, second)
    assert roles_of(alice) == {("finance", cast.chen.pk)}
    assert invitation_token(first.pk) != invitation_token(second.pk)


def test_what_a_former_manager_promised_no_longer_holds(cast, alice):
    row = invite(cast)
    role_grant(By(PLATFORM, NOW), user=cast.people["lin"], role="manager", organisation=cast.fudan)
    grant = RoleGrant.objects.get(user=cast.chen, role="manager")
    role_revoke(By(cast.actor("lin"), NOW), grant_id=grant.pk, reason="left")
    with pytest.raises(WrongState, match="invitation-withdrawn"):
        accept(cast, row)


@pytest.mark.parametrize(
    ("who", "change", "error"),
    [
        ("wang", {}, NotPermitted),
        ("zhao", {}, NotPermitted),
        ("auditor", {}, NotPermitted),
        ("chen", {"email": "nothing"}, Invalid),
        ("chen", {"roles": ["administrator"]}, Invalid),
        ("chen", {"roles": ["auditor"]}, Invalid),
        ("chen", {"lifetime": timedelta(days=61)}, Invalid),
        ("chen", {"email": "wang@fudan.example"}, WrongState),
    ],
)
def test_who_invites_whom(cast, who, change, error):
    with pytest.raises(error):
        invite(cast, who=who, **change)
    assert not Invitation.objects.exists()


def test_nobody_invites_themselves(cast):
    admin = cast.people["admin"]
    EmailAddress.objects.create(user=admin, email=admin.email, verified=True)
    with pytest.raises(WrongState, match="own-role"):
        invite(cast, admin.email, who="admin", roles=["manager"])


def test_an_auditor_accepts_no_role_at_what_they_audit(cast):
    auditor = cast.people["auditor"]
    EmailAddress.objects.create(user=auditor, email=auditor.email, verified=True)
    row = invitation_send(
        By(cast.actor("zhao"), NOW), organisation=cast.ustc, email=auditor.email, roles=["finance"]
    )
    with pytest.raises(DutiesConflict):
        accept(cast, row, "auditor")
    assert belongs(auditor) == set()
    row.refresh_from_db()
    assert row.accepted_at is None


# Requests


def ask(cast, who="alice", organisation=None, text="", now=NOW):
    return join_ask(By(cast.actor(who), now), organisation=organisation or cast.fudan, text=text)


def test_managers_hear_of_a_request_and_approve(cast, alice):
    row = ask(cast, text="Group of Prof. Li")
    effects_carry_out(now=NOW)
    assert mail.outbox[-1].to == ["chen@fudan.example"]
    assert "Group of Prof. Li" in mail.outbox[-1].body and belongs(alice) == set()
    join_decide(By(cast.actor("chen"), NOW), request_id=row.pk, approve=True, roles=["researcher"])
    assert belongs(alice) == {"fudan"} and roles_of(alice) == {("researcher", cast.chen.pk)}
    effects_carry_out(now=NOW)
    assert mail.outbox[-1].to == [alice.email] and "accepted" in mail.outbox[-1].body
    with pytest.raises(WrongState):
        join_decide(By(cast.actor("chen"), NOW), request_id=row.pk, approve=True)
    with pytest.raises(WrongState, match="already-member"):
        ask(cast)


def test_refusing_owes_a_reason(cast, alice):
    row = ask(cast)
    with pytest.raises(Invalid):
        join_decide(By(cast.actor("chen"), NOW), request_id=row.pk, approve=False)
    join_decide(By(cast.actor("chen"), NOW), request_id=row.pk, approve=False, reason="Not ours")
    effects_carry_out(now=NOW)
    assert belongs(alice) == set() and "Not ours" in mail.outbox[-1].body
    entry = TrailEntry.objects.get(action="joinrequest.reject")
    assert entry.text.content == {"reason": "Not ours"} and "Not ours" not in str(entry.after)


def test_only_managers_of_the_organisation_decide_and_never_on_their_own(cast, alice):
    row = ask(cast)
    for who in ("wang", "zhao", "lin", "auditor", "alice"):
        with pytest.raises(NotPermitted if who == "alice" else NotFound):
            join_decide(By(cast.actor(who), NOW), request_id=row.pk, approve=True)
    own = ask(cast, "admin")
    with pytest.raises(WrongState, match="own-request"):
        join_decide(By(cast.actor("admin"), NOW), request_id=own.pk, approve=True)
    assert belongs(alice) == belongs(cast.people["admin"]) == set()


def test_asking_twice_and_withdrawing(cast, alice):
    row = ask(cast)
    with pytest.raises(WrongState, match="already-asked"):
        ask(cast)
    join_withdraw(By(cast.actor("alice"), NOW), request_id=row.pk)
    with pytest.raises(WrongState):
        join_decide(By(cast.actor("chen"), NOW), request_id=row.pk, approve=True)
    assert ask(cast).pk != row.pk
    effects_carry_out(now=NOW)
    assert len([m for m in mail.outbox if m.to == ["chen@fudan.example"]]) == 1


def domains(cast, given, admits):
    return joining_set(
        By(cast.actor("chen"), NOW), organisation=cast.fudan, mail_domains=given, admits_by_mail=admits
    )


def test_a_confirmed_address_opens_where_the_organisation_says_so(cast, alice):
    domains(cast, ["@Nowhere.Example"], admits=True)
    assert cast.fudan.mail_domains == ["nowhere.example"]
    row = ask(cast)
    assert row.state == "approved" and row.by_mail == alice.email
    assert belongs(alice) == {"fudan"} and roles_of(alice) == {("researcher", None)}
    assert not mail.outbox


@pytest.mark.parametrize(
    ("address", "verified", "admits", "state"),
    [
        ("alice@lab.nowhere.example", True, True, "approved"),
        ("alice@notnowhere.example", True, True, "requested"),
        ("alice@nowhere.example.evil.example", True, True, "requested"),
        ("alice@nowhere.example", False, True, "requested"),
        ("alice@nowhere.example", True, False, "requested"),
    ],
)
def test_which_address_opens(cast, alice, address, verified, admits, state):
    EmailAddress.objects.update(email=address, verified=verified)
    domains(cast, ["nowhere.example"], admits)
    assert ask(cast).state == state
    assert belongs(alice) == ({"fudan"} if state == "approved" else set())


@pytest.mark.parametrize("given", [["nonsense"], ["qq.com"], ["a b.example"], ["-x.example"], []])
def test_domains_that_are_none(cast, given):
    with pytest.raises(Invalid):
        domains(cast, given, admits=True)
    cast.fudan.refresh_from_db()
    assert cast.fudan.mail_domains == [] and not cast.fudan.admits_by_mail


def test_an_organisation_without_managers_asks_the_administrators(cast, alice):
    RoleGrant.objects.filter(role="manager").update(revoked_at=NOW)
    row = ask(cast)
    effects_carry_out(now=NOW)
    assert mail.outbox[-1].to == ["admin@commons.example"]
    join_decide(By(cast.actor("admin"), NOW), request_id=row.pk, approve=True)
    assert JoinRequest.objects.get().state == "approved"
    assert actor_of(User.objects.get(pk=alice.pk)).may("book", Place(cast.fudan.pk))


# The first manager


@pytest.fixture
def unmanaged(cast):
    """Hefei Optics, which nobody manages, in the coordinator's region."""
    return cast.optics


def first(cast, organisation, who="coordinator", **values):
    return invite(cast, **{"who": who, "organisation": organisation, "roles": ["manager"]} | values)


def test_a_coordinator_invites_the_first_manager_of_an_organisation(cast, alice, unmanaged):
    row = first(cast, unmanaged)
    accept(cast, row)
    coordinator = cast.people["coordinator"]
    assert roles_of(alice) == {("manager", coordinator.pk)}
    assert belongs(alice) == {"optics"}
    with pytest.raises(NotPermitted):
        first(cast, unmanaged, email="second@nowhere.example")
    assert invite(cast, email="third@nowhere.example", who="alice", organisation=unmanaged)


@pytest.mark.parametrize("roles", [["researcher"], ["manager", "finance"], []])
def test_a_coordinator_invites_nobody_but_a_manager(cast, unmanaged, roles):
    with pytest.raises(NotPermitted):
        first(cast, unmanaged, roles=roles)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("who", ["xu", "auditor", "hu", "wang", "zhao", "alice"])
def test_nobody_elsewhere_invites_a_first_manager(cast, unmanaged, who):
    with pytest.raises(NotPermitted):
        first(cast, unmanaged, who=who, email="new@nowhere.example")
    assert not Invitation.objects.exists()


def test_a_coordinator_does_not_become_the_manager_they_invite(cast, unmanaged):
    coordinator = cast.people["coordinator"]
    EmailAddress.objects.create(user=coordinator, email=coordinator.email, verified=True, primary=True)
    with pytest.raises(WrongState, match="own-role"):
        first(cast, unmanaged, email=coordinator.email)
    # An address that becomes theirs afterwards opens nothing either.
    row = first(cast, unmanaged, email="later@anhui.example")
    EmailAddress.objects.create(user=coordinator, email="later@anhui.example", verified=True)
    with pytest.raises(WrongState, match="own-role"):
        accept(cast, row, "coordinator")
    assert roles_of(coordinator) == {("coordinator", None)}


def test_the_invitation_of_a_coordinator_ends_with_the_first_manager(cast, alice, unmanaged):
    row = first(cast, unmanaged)
    role_grant(By(cast.actor("admin"), NOW), user=cast.hu, role="manager", organisation=unmanaged)
    with pytest.raises(WrongState, match="invitation-withdrawn"):
        accept(cast, row)
    with pytest.raises(NotPermitted):
        invitation_withdraw(By(cast.actor("coordinator"), NOW), invitation_id=row.pk)
    assert roles_of(alice) == set()


def test_it_ends_with_the_coordinators_role_and_can_be_withdrawn(cast, alice, unmanaged):
    row = first(cast, unmanaged)
    RoleGrant.objects.filter(user=cast.people["coordinator"]).update(revoked_at=NOW)
    with pytest.raises(WrongState, match="invitation-withdrawn"):
        accept(cast, row)
    RoleGrant.objects.filter(user=cast.people["coordinator"]).update(revoked_at=None)
    for who in ("xu", "hu"):
        with pytest.raises(NotFound):
            invitation_withdraw(By(cast.actor(who), NOW), invitation_id=row.pk)
    invitation_withdraw(By(cast.actor("coordinator"), NOW), invitation_id=row.pk)
    row.refresh_from_db()
    assert row.withdrawn_at == NOW
