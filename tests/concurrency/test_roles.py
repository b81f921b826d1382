"""Two roles at the same moment; the last two managers leaving at the same moment."""

from datetime import timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress

from accounts.domain.roles import PLATFORM, By
from accounts.models import Invitation, Membership, RoleGrant
from accounts.services.invitations import invitation_accept, invitation_send
from accounts.services.memberships import membership_end, role_grant, role_revoke
from tests.concurrency.races import codes, won
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency


def test_of_duties_that_exclude_one_another_only_one_is_given(race, real_cast, rounds):
    cast = real_cast
    sun = cast.people["sun"]
    zhao, admin = cast.actor("zhao"), cast.actor("admin")
    for _ in range(rounds(4)):
        results = race(
            [
                lambda: role_grant(By(zhao, NOW), user=sun, role="finance", organisation=cast.ustc),
                lambda: role_grant(By(admin, NOW), user=sun, role="auditor", region=cast.anhui),
                lambda: role_grant(By(admin, NOW), user=sun, role="coordinator", region=cast.anhui.parent),
            ]
        )
        held = set(RoleGrant.objects.filter(user=sun, revoked_at=None).values_list("role", flat=True)) - {
            "researcher"
        }
        assert held in ({"auditor"}, {"finance", "coordinator"})
        assert codes(results) == ["duties-conflict"] * (3 - len(won(results)))
        RoleGrant.objects.filter(user=sun, revoked_at=None).exclude(role="researcher").update(revoked_at=NOW)


def test_of_the_last_two_managers_one_stays(race, real_cast, rounds):
    cast = real_cast
    role_grant(By(PLATFORM, NOW), user=cast.lin, role="manager", organisation=cast.fudan)
    people = {"chen": cast.chen, "lin": cast.lin}
    for round_ in range(rounds(4)):
        actors = {name: cast.actor(name) for name in people}
        grants = {
            name: RoleGrant.objects.get(user=user, role="manager", revoked_at=None)
            for name, user in people.items()
        }
        ends = {name: Membership.objects.get(user=user, ended_at=None) for name, user in people.items()}

        def lay_down(name, actors=actors, grants=grants):
            return role_revoke(By(actors[name], NOW), grant_id=grants[name].pk, reason="leaves")

        def leave(name, actors=actors, ends=ends):
            return membership_end(By(actors[name], NOW), membership_id=ends[name].pk, reason="")

        second = leave if round_ % 2 else lay_down
        results = race([lambda: lay_down("chen"), lambda second=second: second("lin")])
        assert len(won(results)) == 1 and codes(results) == ["last-manager"]
        assert RoleGrant.objects.filter(role="manager", organisation=cast.fudan, revoked_at=None)
        # As before for the next round.
        Membership.objects.filter(user__in=people.values()).update(ended_at=None)
        for name, user in people.items():
            if not RoleGrant.objects.filter(user=user, role="manager", revoked_at=None).exists():
                RoleGrant.objects.filter(pk=grants[name].pk).update(revoked_at=None)


def test_an_invitation_is_accepted_once(race, real_cast):
    cast = real_cast
    alice = cast.people["alice"]
    alice.emailaddress_set.create(email=alice.email, verified=True, primary=True)
    row = invitation_send(
        By(cast.actor("chen"), NOW), organisation=cast.fudan, email=alice.email, roles=["researcher"]
    )
    actor = cast.actor("alice")

    def accept():
        return invitation_accept(By(actor, NOW), invitation_id=row.pk)

    results = race([accept] * 5)
    assert len(won(results)) == 1 and codes(results) == ["invitation-used"] * 4
    assert Membership.objects.filter(user=alice).count() == 1


def test_of_invitations_to_one_address_at_the_same_moment_five_are_sent(race, real_cast, rounds):
    cast = real_cast
    role_grant(By(PLATFORM, NOW), user=cast.lin, role="manager", organisation=cast.fudan)
    senders = [("chen", cast.fudan), ("lin", cast.fudan), ("zhao", cast.ustc)]
    actors = [(cast.actor(who), organisation) for who, organisation in senders]
    for round_ in range(rounds(2)):
        email = f"new{round_}@nowhere.example"
        results = race(
            [
                lambda actor=actor, organisation=organisation, email=email: invitation_send(
                    By(actor, NOW), organisation=organisation, email=email, roles=[]
                )
                for actor, organisation in actors * 3
            ]
        )
        assert (len(won(results)), set(codes(results))) == (5, {"invited-too-often"})
        assert Invitation.objects.filter(email=email).count() == 5


def test_of_two_first_managers_one_comes_second(race, real_cast, rounds):
    cast = real_cast
    for name in ("alice", "sun"):
        person = cast.people[name]
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    for round_ in range(rounds(4)):
        now = NOW + round_ * timedelta(days=1)
        rows = {
            name: invitation_send(
                By(cast.actor("coordinator"), now),
                organisation=cast.optics,
                email=cast.people[name].email,
                roles=["manager"],
            )
            for name in ("alice", "sun")
        }
        actors = {name: cast.actor(name) for name in rows}
        results = race(
            [partial(invitation_accept, By(actors[name], now), invitation_id=rows[name].pk) for name in rows]
        )
        assert len(won(results)) == 1 and codes(results) == ["invitation-withdrawn"]
        RoleGrant.objects.filter(organisation=cast.optics, role="manager").update(revoked_at=now)
        Membership.objects.filter(organisation=cast.optics, ended_at=None).update(ended_at=now)
        Invitation.objects.filter(accepted_at=None).update(withdrawn_at=now)
