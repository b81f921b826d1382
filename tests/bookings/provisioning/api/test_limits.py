"""What a directory must not do: take long, answer for others, bring back what was taken, reach further."""

import json
import uuid

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from scim2_models import Group, PatchOp
from scim2_server.conditions import Conditions

from accounts.domain.errors import WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Directory, DirectoryPerson, Invitation, RoleGrant, User
from accounts.services.invitations import invitation_accept
from accounts.services.memberships import role_grant, role_revoke
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.privacy.selectors.persons import load_person
from bookings.programs.services.accounts import account_make, token_make
from bookings.provisioning.adapters import scim
from bookings.provisioning.domain import directory as rules
from tests.bookings.provisioning.api.test_scim import PATCH, USER, Idp, accept, confirmed, roles, token_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def idp(cast):
    return Idp(token_of(cast.zhao), cast.ustc)


def directory_of_program(cast):
    by = By(cast.actor("zhao"), NOW)
    account = account_make(
        by,
        organisation_id=cast.ustc.pk,
        name="IdP",
        purpose="People",
        roles=["manager"],
        scopes=["provision"],
    )
    return Idp(token_make(by, account_id=account.pk, label="x", scopes=["provision"])[1], cast.ustc)


def group(ids):
    return scim.group_of("researcher", [(pk, "x") for pk in ids], "")


def changed(current, *operations):
    op = PatchOp[Group].model_validate({"schemas": PATCH, "Operations": operations})
    found = scim.SERVICE.apply_patch(current, op, Conditions())
    return found and {one.value for one in found.members or ()}


def test_members_change_as_directories_ask(monkeypatch):
    """Without the library looking at each of them for each operation."""
    monkeypatch.setattr(PatchOp, "patch", lambda *_: pytest.fail("it takes minutes"))
    ids = [str(uuid.uuid4()) for _ in range(5)]
    removing = [{"op": "Remove", "path": f'members[value eq "{pk}"]'} for pk in ids[:2]]
    assert changed(group(ids), *removing) == set(ids[2:])
    by_value = {"op": "remove", "path": "members", "value": [{"value": pk} for pk in ids[:4]]}
    assert changed(group(ids), by_value) == {ids[4]}
    added = {"op": "Add", "path": "members", "value": [{"value": ids[0]}, {"value": ids[1].upper()}]}
    assert changed(group(ids[1:3]), added) == set(ids[:3])
    assert changed(group(ids), removing[0], added | {"value": [{"value": ids[0]}]}) is None
    assert (
        changed(group(ids), *[{"op": "remove", "path": f'members[value eq "{pk}"]'} for pk in ids]) == set()
    )


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "remove", "path": f'members[display eq "{n}"]'} for n in range(200)],
        [{"op": "remove", "path": "members", "value": [{"display": str(n)} for n in range(200)]}],
        [{"op": "add", "path": "displayName", "value": "x"}] * 1000,
    ],
)
def test_what_would_take_minutes_is_refused(operations):
    with pytest.raises(scim.PayloadTooLargeException):
        changed(group(str(uuid.uuid4()) for _ in range(400)), *operations)


def test_a_long_list_of_addresses_is_not_searched_again_and_again(cast, idp):
    person = idp.add("wu@ustc.example")
    many = [{"value": f"{n}@ustc.example", "type": "work"} for n in range(300)]
    operations = [{"op": "add", "path": "emails", "value": many}]
    operations += [{"op": "remove", "path": f'emails[value eq "x{n}"]'} for n in range(300)]
    idp("PATCH", f"/Users/{person['id']}", {"schemas": PATCH, "Operations": operations}, 413)


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
def test_characters_that_cannot_be_stored_do_no_harm(cast, idp, bad):
    for n, more in enumerate(
        (
            {"externalId": bad},
            {"userName": f"{bad}@ustc.example"},
            {"displayName": bad},
            {"emails": [{"value": "a@ustc.example", "type": bad}]},
        )
    ):
        body = {"schemas": USER, "userName": f"wu{n}@ustc.example", "active": False} | more
        answer = raw(idp, "POST", "/Users", json.dumps(body))
        assert answer.status_code in (201, 400), (more, answer.content)
    operations = [{"op": "replace", "path": "externalId", "value": bad}]
    answer = raw(idp, "PATCH", "/Groups/researcher", json.dumps({"schemas": PATCH, "Operations": operations}))
    assert answer.status_code in (200, 204, 400), answer.content
    for name in ("userName", "externalId", "emails.value", "displayName", "id"):
        answer = raw(idp, "POST", "/Users/.search", json.dumps({"filter": f'{name} eq "{bad}"'}))
        assert answer.status_code in (200, 400), answer.content
    for query in ("filter=externalId%20eq%20%22%00%22", "startIndex=99999999999999999999&count=1"):
        answer = raw(idp, "GET", f"/Users?{query}", "")
        assert answer.status_code in (200, 400), answer.content


def raw(idp, method, path, body):
    return Client(raise_request_exception=False).generic(
        method, idp.base + path, body, "application/scim+json", headers=idp.headers
    )


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"userName": ' + "1" * 5000 + "}", '{"a":' * 50_000, "\xff", "null"]
)
def test_bodies_that_break_readers_are_refused(cast, idp, body):
    assert raw(idp, "POST", "/Users", body).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/Users/.search", {"attributes": [f"a{n}" for n in range(101)]}),
        ("POST", "/.search", {"excludedAttributes": [f"a{n}" for n in range(101)]}),
        ("POST", "/Users", {"schemas": USER, "userName": "a@b.example"} | {f"a{n}": 1 for n in range(101)}),
        ("PUT", "/Groups/researcher", {"schemas": [f"urn:a:{n}" for n in range(101)]}),
    ],
)
def test_many_names_are_not_parsed(cast, idp, method, path, body):
    idp(method, path, body, 413)


def test_a_directory_has_so_many_people(cast, idp, monkeypatch):
    monkeypatch.setattr(rules, "MOST_PEOPLE", 2)
    idp.add("a@ustc.example")
    idp.add("b@ustc.example", active=False)
    idp("POST", "/Users", {"schemas": USER, "userName": "c@ustc.example"}, 409)


def test_the_name_that_a_group_has_there_is_short(cast, idp):
    operations = [{"op": "replace", "path": "externalId", "value": "x" * 300}]
    idp("PATCH", "/Groups/researcher", {"schemas": PATCH, "Operations": operations}, 400)


def test_nobody_adds_a_role_to_an_invitation_of_others_and_accepts_it(cast, idp):
    """She has a second address, which the directory of another manager invites."""
    zhao, other = cast.people["zhao"], cast.people["sun"]
    confirmed(zhao)
    role_grant(By(PLATFORM, NOW), user=other, role="manager", organisation=cast.ustc)
    theirs = Idp(token_of(User.objects.get(pk=other.pk)), cast.ustc)
    person = theirs.add("zhao@home.example")
    idp.patch(
        "/Groups/finance", {"op": "add", "path": "members", "value": [{"value": person["id"]}]}, status=204
    )
    EmailAddress.objects.create(user=zhao, email="zhao@home.example", verified=True)
    asked = Invitation.objects.get(email="zhao@home.example")
    with pytest.raises(WrongState) as refused:
        invitation_accept(By(cast.actor("zhao"), NOW), invitation_id=asked.pk)
    assert refused.value.code == "own-role"
    assert "finance" not in roles(zhao, cast.ustc)


def test_a_program_adds_no_role_to_an_invitation_that_it_may_not_give(cast, idp):
    person = idp.add("new@home.example")
    program = directory_of_program(cast)
    adding = {"op": "add", "path": "members", "value": [{"value": person["id"]}]}
    program("PATCH", "/Groups/manager", {"schemas": PATCH, "Operations": [adding]}, 403)
    assert Invitation.objects.get().roles == ["researcher"]
    program.patch("/Groups/operator", adding, status=204)
    assert Invitation.objects.get().roles == ["researcher", "operator"]


def test_what_a_manager_took_back_does_not_come_back_with_the_person(cast, idp):
    person = idp.add(cast.alice.email)
    accept(cast, "alice")
    idp.patch(
        "/Groups/finance", {"op": "add", "path": "members", "value": [{"value": person["id"]}]}, status=204
    )
    user = cast.alice
    assert "finance" in roles(user, cast.ustc)
    grant = RoleGrant.objects.get(user=user, organisation=cast.ustc, role="finance", revoked_at=None)
    role_revoke(By(cast.actor("zhao"), NOW), grant_id=grant.pk, reason="not needed")
    for active in (False, True):
        idp.patch(f"/Users/{person['id']}", {"op": "replace", "path": "active", "value": active})
    assert roles(user, cast.ustc) == {"researcher"}


@pytest.mark.parametrize("is_merged", [False, True])
def test_an_organisation_that_is_gone_keeps_nobody_of_its_directory(cast, idp, is_merged):
    idp.add("stays@home.example")
    role_grant(By(PLATFORM, NOW), user=cast.hu, role="manager", organisation=cast.optics)
    theirs = Idp(token_of(User.objects.get(pk=cast.hu.pk)), cast.optics)
    theirs.add("new@home.example")
    theirs.add("gone@home.example", active=False)
    by = By(cast.actor("admin"), NOW)
    if is_merged:
        organisations_merge(by, organisation_id=cast.optics.pk, into=cast.ustc)
    else:
        organisation_close(by, organisation_id=cast.optics.pk)
    assert DirectoryPerson.objects.get().user_name == "stays@home.example"
    assert Directory.objects.get().organisation == cast.ustc


def test_nobody_reads_what_a_directory_says_of_an_address_that_they_only_claim(cast, idp):
    idp.add("victim@home.example", displayName="Viktor")
    claims = cast.wang
    EmailAddress.objects.create(user=claims, email="victim@home.example", verified=False)
    assert "Viktor" not in str(load_person(claims))
