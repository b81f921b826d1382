"""An organisation's directory, as scim2-client and scim2-tester, which nobody here wrote, and the documented
sequences of Entra ID and Okta speak SCIM 2.0."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import ScimProvider, SearchRequest
from scim2_tester import Status, check_server, filling
from scim2_tester.checkers import patch_add, patch_replace

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.models import (
    ApiToken,
    Directory,
    DirectoryPerson,
    Invitation,
    JoinRequest,
    Membership,
    RoleGrant,
    TrailEntry,
    User,
)
from accounts.services.invitations import invitation_accept
from accounts.services.joining import join_ask
from accounts.services.memberships import membership_end, role_grant
from accounts.services.tokens import token_issue, token_revoke
from bookings.models import Reservation
from bookings.programs.services.accounts import account_end, account_make, token_make
from tests.factories.cast import NOW, reserve

pytestmark = pytest.mark.django_db
PATCH = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
USER = ["urn:ietf:params:scim:schemas:core:2.0:User"]
GROUP = ["urn:ietf:params:scim:schemas:core:2.0:Group"]


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def token_of(user, scopes=("provision",)):
    return token_issue(user=user, label="directory", lifetime=timedelta(days=30), now=NOW, scopes=scopes)[1]


class Idp:
    """A directory that sends what it is told to send."""

    def __init__(self, token, organisation):
        self.base = f"/scim/v2/{organisation.pk}"
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method, path, body=None, status=None):
        answer = Client().generic(
            method,
            self.base + path,
            "" if body is None else json.dumps(body),
            "application/scim+json",
            headers=self.headers,
        )
        assert status is None or answer.status_code == status, answer.content
        if status and status >= 400:
            told = answer.json()
            assert answer["Content-Type"] == "application/scim+json"
            assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert told["status"] == str(status) and told["detail"]
        return answer.json() if answer.content else None

    def add(self, name, **more):
        return self("POST", "/Users", {"schemas": USER, "userName": name, "active": True} | more, 201)

    def patch(self, path, *operations, status=200):
        body = {"schemas": PATCH, "Operations": list(operations)}
        return self("PATCH", path, body, status)


@pytest.fixture
def idp(cast):
    return Idp(token_of(cast.zhao), cast.ustc)


def confirmed(user):
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def accept(cast, name):
    confirmed(cast.people[name])
    asked = Invitation.objects.get(email=cast.people[name].email, accepted_at=None, withdrawn_at=None)
    return invitation_accept(By(cast.actor(name), NOW), invitation_id=asked.pk)


def roles(user, organisation):
    grants = RoleGrant.objects.filter(user=user, organisation=organisation, revoked_at=None)
    return set(grants.values_list("role", flat=True))


def served(environ, start_response):
    """Answer as the platform does, on the connection of the test."""
    response = ClientHandler(enforce_csrf_checks=False)(environ)
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


def test_the_checks_of_scim2_tester_find_nothing(cast, idp, monkeypatch):
    """It makes people whose name is no address: they could not be invited. Groups cannot be made, as they are
    the roles; of them it checks what is read."""
    made = filling.generate_random_value

    def with_address(context, path, **more):
        value = made(context, path, **more)
        return f"{value}@ustc.example" if str(path).endswith("userName") else value

    monkeypatch.setattr(filling, "generate_random_value", with_address)
    for module in (patch_add, patch_replace):
        monkeypatch.setattr(module, "generate_random_value", with_address)
    client = WSGISCIMClient(
        served, base_url=settings.SITE_URL + idp.base, headers=idp.headers, provider=ScimProvider()
    )
    results = check_server(client, resource_types=["User"])
    assert len(results) > 40
    bad = {(r.title, str(r.reason)) for r in results if r.status not in {Status.SUCCESS, Status.SKIPPED}}
    # Who is not said to be inactive is active.
    assert bad == {("check_remove_attribute", "PATCH modify() did not remove attribute 'active'")}


def test_scim2_client_brings_a_person_in_and_lets_them_go(cast, idp):
    client = WSGISCIMClient(served, base_url=settings.SITE_URL + idp.base, headers=idp.headers)
    client.discover()
    assert client.provider.config.bulk.supported is False
    user_model, group_model = client.get_resource_model("User"), client.get_resource_model("Group")
    user = client.create(user_model(user_name="alice@nowhere.example", external_id="e-1"))
    assert user.active and user.meta.location.endswith(f"{idp.base}/Users/{user.id}")
    accept(cast, "alice")
    assert roles(cast.alice, cast.ustc) == {"researcher"}
    finance = client.query(group_model, "finance")
    finance.members = [group_model.Members(value=user.id)]
    client.replace(finance)
    assert roles(cast.alice, cast.ustc) == {"researcher", "finance"}
    found = client.query(user_model, query_parameters=SearchRequest(filter='externalId eq "e-1"'))
    assert [(one.user_name, [g.value for g in one.groups]) for one in found.resources] == [
        ("alice@nowhere.example", ["researcher", "finance"])
    ]
    client.delete(user_model, user.id)
    assert not Membership.objects.filter(user=cast.alice, ended_at=None).exists()
    assert roles(cast.alice, cast.ustc) == set()


# Entra ID, as "Tutorial: Develop and plan provisioning for a SCIM endpoint" documents its requests

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def entra_user(name, **more):
    return {
        "schemas": [*USER, ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": name,
        "active": True,
        "emails": [{"primary": True, "type": "work", "value": name}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        "roles": [],
        ENTERPRISE: {"department": "Physics"},
    } | more


def test_entra(cast, idp):
    asked = 'filter=userName eq "alice@nowhere.example"'
    assert idp("GET", f"/Users?{asked}", status=200)["totalResults"] == 0
    made = idp("POST", "/Users", entra_user("alice@nowhere.example"), 201)
    assert idp("GET", f"/Users?{asked}", status=200)["Resources"] == [idp("GET", f"/Users/{made['id']}")]
    person = f"/Users/{made['id']}"
    accept(cast, "alice")

    idp.patch(
        person,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "other@ustc.example"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Chemistry"},
    )
    idp.patch(person, {"op": "Replace", "path": "userName", "value": "5b50642d@nowhere.example"})
    told = idp("GET", person, status=200)
    assert (told["userName"], told["emails"][0]["value"]) == (
        "5b50642d@nowhere.example",
        "other@ustc.example",
    )
    alice = User.objects.get(pk=cast.alice.pk)
    assert (alice.email, alice.name) == ("alice@nowhere.example", "Alice"), "the account is hers"

    group = idp("GET", '/Groups?excludedAttributes=members&filter=displayName eq "Manager"', status=200)
    assert [one["id"] for one in group["Resources"]] == ["manager"]
    added = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": made["id"]}]}
    idp.patch("/Groups/manager", added, status=204)
    idp.patch("/Groups/manager", added, status=204)
    assert roles(cast.alice, cast.ustc) == {"researcher", "manager"}
    assert [m["value"] for m in idp("GET", "/Groups/manager")["members"]] == [made["id"]]
    assert "members" not in idp("GET", "/Groups/manager?excludedAttributes=members")
    idp.patch("/Groups/manager", {"op": "Replace", "path": "externalId", "value": "g-7"}, status=204)
    assert idp("GET", "/Groups/manager?excludedAttributes=members")["externalId"] == "g-7"
    removed = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": made["id"]}]}
    idp.patch("/Groups/manager", removed, status=204)
    assert roles(cast.alice, cast.ustc) == {"researcher"}

    for off, on in (("False", "True"), (False, True)):
        assert idp.patch(person, {"op": "Replace", "path": "active", "value": off})["active"] is False
        assert roles(cast.alice, cast.ustc) == set()
        assert idp.patch(person, {"op": "Replace", "value": {"active": on}})["active"] is True
        assert roles(cast.alice, cast.ustc) == {"researcher"}
    idp("DELETE", person, status=204)
    idp("DELETE", person, status=404)
    idp("GET", person, status=404)
    assert not Membership.objects.filter(user=cast.alice, ended_at=None).exists()


# Okta, as "SCIM 2.0 protocol reference" documents its requests


def test_okta(cast, idp):
    assert idp("GET", "/Users?startIndex=1&count=2", status=200)["Resources"] == []
    wanted = {
        "schemas": USER,
        "userName": "alice@nowhere.example",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": True, "value": "alice@nowhere.example", "type": "work"}],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    made = idp("POST", "/Users", wanted, 201)
    assert "password" not in made
    idp("POST", "/Users", wanted, 409)
    person = f"/Users/{made['id']}"
    accept(cast, "alice")
    idp("PUT", person, wanted | {"id": made["id"], "displayName": "Another Name"}, 200)
    assert idp("GET", person)["displayName"] == "Another Name"
    assert [g["id"] for g in idp("GET", "/Groups?startIndex=1&count=100")["Resources"]] == [
        *("researcher", "operator", "manager", "finance")
    ]
    renamed = {"op": "replace", "value": {"id": "operator", "displayName": "Core facility staff"}}
    idp.patch("/Groups/operator", renamed, status=204)
    members = {"op": "replace", "path": "members", "value": [{"value": made["id"], "display": "x"}]}
    idp.patch("/Groups/operator", members, status=204)
    assert roles(cast.alice, cast.ustc) == {"researcher", "operator"}
    idp.patch("/Groups/operator", {"op": "remove", "path": f'members[value eq "{made["id"]}"]'}, status=204)
    assert roles(cast.alice, cast.ustc) == {"researcher"}
    idp.patch(person, {"op": "replace", "value": {"active": False}})
    assert not Membership.objects.filter(user=cast.alice, ended_at=None).exists()
    idp("PUT", person, wanted | {"id": made["id"], "active": True}, 200)
    assert roles(cast.alice, cast.ustc) == {"researcher"}
    # What it does not say stays as it is.
    idp.patch(person, {"op": "replace", "value": {"active": False}})
    silent = {name: value for name, value in wanted.items() if name != "active"}
    assert idp("PUT", person, silent | {"displayName": "Third Name"}, 200)["active"] is False


# What a directory may do, and what it may not


def test_who_has_an_account_elsewhere_is_asked_and_nothing_of_it_is_seen_or_changed(cast, idp):
    made = idp.add("wang@fudan.example", displayName="Somebody Else")
    assert set(made) == {"schemas", "id", "userName", "displayName", "active", "groups", "meta"}
    assert not Membership.objects.filter(user=cast.wang, organisation=cast.ustc).exists()
    person = f"/Users/{made['id']}"
    # Before they accept it, the directory may take it back, and leaves nothing behind.
    idp.patch(person, {"op": "replace", "value": {"active": False}})
    assert idp("GET", person)["active"] is False
    idp.patch(person, {"op": "replace", "value": {"active": True}})
    accept(cast, "wang")
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", organisation=str(cast.fudan.pk))
    idp("DELETE", person, status=204)
    wang = User.objects.get(pk=cast.wang.pk)
    assert (wang.name, wang.email, wang.is_active) == ("Wang Li", "wang@fudan.example", True)
    assert Membership.objects.filter(user=wang, organisation=cast.fudan, ended_at=None).exists()
    assert roles(wang, cast.fudan) == {"researcher"} and roles(wang, cast.ustc) == set()
    assert Reservation.objects.get(pk=booked.pk).state == "confirmed"


def test_a_present_member_is_linked_and_keeps_their_roles(cast, idp):
    made = idp.add("hr-1234", emails=[{"value": "SUN@ustc.example"}])
    assert made["active"] and "groups" not in made
    assert roles(cast.sun, cast.ustc) == {"researcher"}
    assert not Invitation.objects.exists()
    idp("POST", "/Users", {"schemas": USER, "userName": "sun@ustc.example"}, 409)
    # The last day of a person is the last of their tokens' rights.
    mine = Idp(token_of(cast.sun, ["read"]), cast.ustc)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    assert roles(cast.sun, cast.ustc) == set()
    own = Client().get("/api/v1/memberships/?state=active", headers=mine.headers)
    assert own.status_code in {200, 400} and cast.ustc.code not in own.content.decode()
    assert Reservation.objects.get(user=cast.sun).state == "confirmed", "managers decide on it"


def test_who_asked_to_join_is_admitted(cast, idp):
    confirmed(cast.alice)
    join_ask(By(cast.actor("alice"), NOW), organisation=cast.ustc, text="")
    assert idp.add("alice@nowhere.example")["active"]
    assert roles(cast.alice, cast.ustc) == {"researcher"}
    assert JoinRequest.objects.get().state == "approved"


def test_who_left_by_themselves_is_asked_again(cast, idp):
    made = idp.add("alice@nowhere.example")
    here = accept(cast, "alice")
    membership_end(By(cast.actor("alice"), NOW), membership_id=here.pk, reason="")
    assert idp("GET", f"/Users/{made['id']}")["active"] is False
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": True}})
    assert roles(cast.alice, cast.ustc) == set()
    assert Invitation.objects.filter(accepted_at=None, withdrawn_at=None).count() == 1


def test_roles_of_who_is_invited_come_with_the_invitation(cast, idp):
    made = idp.add("alice@nowhere.example")
    added = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
    idp.patch("/Groups/operator", added, status=204)
    idp.patch("/Groups/researcher", {"op": "remove", "path": "members"}, status=204)
    accept(cast, "alice")
    assert roles(cast.alice, cast.ustc) == {"operator"}


def test_the_last_manager_stays_until_there_is_another(cast, idp):
    made = idp.add("zhao@ustc.example")
    person, off = f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}}
    told = idp.patch(person, off, status=409)
    assert "Nobody else manages this organisation" in told["detail"]
    idp("DELETE", person, status=409)
    assert roles(cast.zhao, cast.ustc) == {"manager"}
    role_grant(By(cast.actor("zhao"), NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    idp.patch(person, off)
    assert roles(cast.zhao, cast.ustc) == set()
    idp("GET", person, status=403)  # the token's person manages nothing any more


def test_nobody_gives_themselves_a_role_by_their_directory(cast, idp):
    made = idp.add("zhao@ustc.example")
    members = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
    idp.patch("/Groups/finance", members, status=403)
    assert roles(cast.zhao, cast.ustc) == {"manager"}
    idp.patch("/Groups/manager", members, status=204)  # they are one


def test_a_service_account_brings_in_people_and_makes_no_managers(cast):
    by = By(cast.actor("zhao"), NOW)
    account = account_make(
        by, organisation_id=cast.ustc.pk, name="Directory", purpose="People", roles=["manager"],
        scopes=["provision"],
    )  # fmt: skip
    _, token = token_make(by, account_id=account.pk, label="IdM", scopes=["provision"])
    idp = Idp(token, cast.ustc)
    new = idp.add("new@ustc.example")
    assert Invitation.objects.get(email="new@ustc.example").invited_by == account.user
    groups = {group["displayName"]: group["id"] for group in idp("GET", "/Groups", status=200)["Resources"]}
    add = {"op": "add", "path": "members", "value": [{"value": new["id"]}]}
    idp.patch(f"/Groups/{groups['operator']}", add, status=204)
    idp.patch(f"/Groups/{groups['manager']}", add, status=403)
    account_end(by, account_id=account.pk)
    idp("GET", "/Users", status=401)


def test_groups_are_the_roles_of_the_organisation_and_no_others(cast, idp):
    for name, status in (("administrator", 400), ("auditor", 400), ("All staff", 400), ("manager", 409)):
        idp("POST", "/Groups", {"schemas": GROUP, "displayName": name}, status)
    for role in ("administrator", "auditor", "coordinator"):
        idp("GET", f"/Groups/{role}", status=404)
        idp.patch(f"/Groups/{role}", {"op": "add", "path": "members", "value": []}, status=404)
        idp("DELETE", f"/Groups/{role}", status=404)


def test_no_directory_reaches_into_another_organisation(cast, idp):
    made = idp.add("alice@nowhere.example")
    theirs = Idp(token_of(cast.chen), cast.fudan)
    assert theirs("GET", "/Users", status=200)["totalResults"] == 0
    for method, body in (
        ("GET", None),
        ("PUT", {"schemas": USER, "userName": "x@y.example"}),
        ("DELETE", None),
    ):
        theirs(method, f"/Users/{made['id']}", body, 404)
    members = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
    theirs.patch("/Groups/manager", members, status=400)
    # A token opens the organisations whose members its person manages.
    elsewhere = Idp(token_of(cast.chen), cast.ustc)
    elsewhere("GET", "/Users", status=403)
    elsewhere("POST", "/Users", {"schemas": USER, "userName": "chen@fudan.example"}, 403)
    assert DirectoryPerson.objects.get().organisation == cast.ustc


def test_only_who_manages_members_gives_the_scope_and_no_other_scope_does(cast, idp):
    for name in ("sun", "gao", "auditor", "coordinator", "alice", "admin"):
        with pytest.raises(NotPermitted, match="scope-for-managers"):
            token_of(cast.people[name])
    Idp(token_of(cast.zhao, ["read", "book", "manage", "upload"]), cast.ustc)("GET", "/Users", status=403)
    only = Client().get("/api/v1/me/", headers=idp.headers)
    assert only.status_code == 403
    Idp("ic_unknown", cast.ustc)("GET", "/Users", status=401)
    assert Client().get(f"{idp.base}/Users").status_code == 401
    row = ApiToken.objects.get(scopes=["provision"])
    token_revoke(By(cast.actor("zhao"), NOW), token_id=row.pk)
    idp("GET", "/Users", status=401)


def test_bodies_and_filters_that_mean_harm_are_refused(cast, idp, monkeypatch):
    made = idp.add("alice@nowhere.example")
    deep = "(" * 500 + 'userName eq "a"' + ")" * 500
    for asked in (deep, 'userName eq "' + "x" * 1000 + '"', 'displayName co "a"', 'userName eq "a', "id pr"):
        told = idp("GET", f"/Users?filter={asked}", status=400)
        assert told["scimType"] == "invalidFilter"
    idp("GET", "/Users?sortBy=userName", status=501)
    idp("POST", "/Bulk", {"schemas": []}, 501)
    idp("GET", "/Me", status=501)
    idp("GET", "/Nothing", status=404)
    nested = {"schemas": USER, "userName": "a@b.example", "x": {}}
    inner = nested["x"]
    for _ in range(200):
        inner["x"] = {}
        inner = inner["x"]
    idp("POST", "/Users", nested, 400)
    idp("POST", "/Users", {"schemas": USER, "userName": "nobody"}, 400)
    idp("POST", "/Users", {"schemas": USER, "userName": "x" * 300 + "@b.example"}, 400)
    idp("POST", "/Users", {"schemas": USER, "userName": "nul\0@b.example"}, 400)
    idp("POST", "/Users", {"schemas": USER}, 400)
    idp("POST", "/Users", [], 400)
    many = [{"value": f"0197a1de-0000-7000-8000-{n:012}"} for n in range(10_000)]
    idp.patch("/Groups/manager", {"op": "add", "path": "members", "value": many}, status=400)
    some = [{"op": "add", "path": "members", "value": many[:1]}] * 1001
    idp.patch("/Groups/manager", *some, status=413)
    # Names are read in whatever case, and there is another way to search.
    path = "members[" + "(" * 300 + 'value eq "a"' + ")" * 300 + "]"
    sent = {"Op": "remove", "PATH": path}
    idp("PATCH", "/Groups/manager", {"schemas": PATCH, "OPERATIONS": [sent]}, 400)
    idp("PATCH", "/Groups/manager", {"schemas": PATCH, "operations": some}, 413)
    idp("POST", "/Users/.search", {"schemas": [], "FILTER": deep}, 400)
    nul = idp("GET", "/Users?filter=" + quote('userName eq "\\u0000"'), status=None)
    assert nul["totalResults"] == 0 if "totalResults" in nul else nul["status"] == "400"
    assert DirectoryPerson.objects.count() == 1
    assert roles(cast.zhao, cast.ustc) == {"manager"} and made["active"]


def test_a_day_has_its_limit_of_invitations_and_the_directory_comes_again(cast, idp, monkeypatch):
    monkeypatch.setattr("accounts.domain.joining.MOST_A_DAY", 1)
    idp.add("one@elsewhere.example")
    answer = Client().post(
        f"{idp.base}/Users",
        json.dumps({"schemas": USER, "userName": "two@elsewhere.example"}),
        "application/scim+json",
        headers=idp.headers,
    )
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert DirectoryPerson.objects.count() == 1, "nothing of it stays"
    # Of its own scope, which an administrator gave it, a directory may bring in many.
    cast.ustc.scopes = ["ustc.example"]
    cast.ustc.save(update_fields=["scopes"])
    idp.add("two@ustc.example")


def test_the_trail_names_the_token_s_person_and_no_address(cast, idp):
    made = idp.add("alice@nowhere.example", displayName="Alice Liddell")
    idp("DELETE", f"/Users/{made['id']}", status=204)
    acts = TrailEntry.objects.filter(action__startswith="directoryperson.").order_by("id")
    assert [one.action for one in acts] == ["directoryperson.add", "directoryperson.remove"]
    for one in acts:
        assert one.actor_id == cast.zhao.pk and one.organisation_ids == [cast.ustc.pk]
        assert "alice" not in json.dumps([one.before, one.after]).lower()
    assert Directory.objects.get().seen_at == NOW


def test_what_a_directory_asks_twice_changes_nothing_the_second_time(cast, idp):
    made = idp.add("sun@ustc.example")
    off = {"op": "replace", "value": {"active": False}}
    first = idp.patch(f"/Users/{made['id']}", off)
    entries = TrailEntry.objects.count()
    assert idp.patch(f"/Users/{made['id']}", off) == first
    idp("PUT", f"/Users/{made['id']}", first, 200)
    assert TrailEntry.objects.count() == entries


def test_a_closed_organisation_has_no_directory(cast, idp):
    cast.ustc.closed_at = NOW
    cast.ustc.save(update_fields=["closed_at"])
    idp("POST", "/Users", {"schemas": USER, "userName": "a@ustc.example"}, 409)


def test_pages_of_people(cast, idp):
    for n in range(5):
        idp.add(f"p{n}@ustc.example")
    for asked in (
        'emails.value eq "P3@ustc.example"',
        'emails[type eq "work" and value eq "p3@ustc.example"]',
    ):
        (found,) = idp("GET", f"/Users?filter={asked}", status=200)["Resources"]
        assert found["userName"] == "p3@ustc.example"
    idp("GET", '/Users?filter=emails.type eq "work"', status=400)
    page = idp("GET", "/Users?startIndex=2&count=2", status=200)
    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (5, 2, 2)
    assert [one["userName"] for one in page["Resources"]] == ["p1@ustc.example", "p2@ustc.example"]
    assert idp("GET", "/Users?count=0", status=200)["totalResults"] == 5
