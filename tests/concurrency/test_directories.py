"""A directory and people at the same moment."""

import pytest
from allauth.account.models import EmailAddress

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.models import DirectoryPerson, Invitation, Membership, RoleGrant
from accounts.services.invitations import invitation_accept
from bookings.provisioning.domain.directory import Wanted
from bookings.provisioning.services.directory import group_set, person_add, person_change, person_remove
from tests.concurrency.races import codes, won
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency


def wanted(active=True, name="alice@nowhere.example"):
    return Wanted(user_name=name, external_id="", display_name="", emails=(), active=active)


@pytest.fixture
def by(real_cast, monkeypatch):
    monkeypatch.setattr("accounts.domain.joining.MOST_TO_ADDRESS", 1000)
    EmailAddress.objects.create(
        user=real_cast.alice, email=real_cast.alice.email, verified=True, primary=True
    )
    return By(real_cast.actor("zhao"), NOW)


def test_one_person_is_entered_once(race, real_cast, by, rounds):
    at = {"organisation_id": real_cast.ustc.pk}
    for number in range(rounds(3)):
        name = f"p{number}@nowhere.example"
        results = race([lambda name=name: person_add(by, **at, wanted=wanted(name=name)) for _ in range(3)])
        assert len(won(results)) == 1 and codes(results) == ["directory-name-taken"] * 2
        assert Invitation.objects.filter(email=name).count() == 1


def test_who_accepts_has_the_roles_that_their_directory_gives(race, real_cast, by, rounds):
    """Whichever comes first: the role is in the invitation, or is given to the member."""
    at, alice = {"organisation_id": real_cast.ustc.pk}, real_cast.actor("alice")
    for _ in range(rounds(3)):
        row = person_add(by, **at, wanted=wanted())
        asked = Invitation.objects.get(accepted_at=None, withdrawn_at=None)
        results = race(
            [
                lambda pk=asked.pk: invitation_accept(By(alice, NOW), invitation_id=pk),
                lambda pk=row.pk: group_set(by, **at, role="operator", members=[pk]),
            ]
        )
        assert codes(results) == []
        grants = RoleGrant.objects.filter(user=real_cast.alice, revoked_at=None)
        assert set(grants.values_list("role", flat=True)) == {"researcher", "operator"}
        person_remove(by, **at, person_id=row.pk)
        assert not grants.exists()


def test_who_accepts_while_they_are_let_go_is_out_in_the_end(race, real_cast, by, rounds):
    at, alice = {"organisation_id": real_cast.ustc.pk}, real_cast.actor("alice")
    for _ in range(rounds(3)):
        row = person_add(by, **at, wanted=wanted())
        asked = Invitation.objects.get(accepted_at=None, withdrawn_at=None)
        results = race(
            [
                lambda pk=asked.pk: invitation_accept(By(alice, NOW), invitation_id=pk),
                lambda pk=row.pk: person_change(by, **at, person_id=pk, wanted=wanted(active=False)),
            ]
        )
        assert set(codes(results)) <= {"invitation-withdrawn"}
        assert not Membership.objects.filter(user=real_cast.alice, ended_at=None).exists()
        person_remove(by, **at, person_id=row.pk)
    assert not DirectoryPerson.objects.exists()
    with pytest.raises(NotFound):
        person_remove(by, **at, person_id=row.pk)
