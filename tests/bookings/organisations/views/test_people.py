"""Inviting the people of a file: page, API, command; giving roles for parts of an organisation."""

import base64
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Invitation, OutboxMessage, RoleGrant, TrailEntry
from bookings.overview.services.effects import effects_carry_out
from tests.accounts.pages import page_of
from tests.factories.api import Program
from tests.factories.cast import NOW, Cast

GOOD = b"email,roles\na@new.example,manager\nwang@fudan.example,finance\n"
BAD = b"email,roles\na@new.example,\nnobody,\n"


def written() -> list[int]:
    return [model.objects.count() for model in (Invitation, OutboxMessage, TrailEntry)]


def send(client: Client, path: str, content: bytes, act: str) -> Any:
    if act == "preview":
        return client.post(path, {"file": SimpleUploadedFile("people.csv", content), "act": act})
    return client.post(path, {"content": base64.b64encode(content).decode(), "act": act})


def test_a_page_shows_each_row_and_then_invites(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["chen"])
    path, before = f"/organisations/{cast.fudan.pk}/members/import/", written()
    html = page_of(send(client, path, GOOD, "preview"))
    assert 'data-verdict="invite"' in html and "already a member" in html
    assert "These roles are given on the members page" in html
    assert "Invite 1 person" in html and written() == before
    answer = send(client, path, GOOD, "invite")
    assert answer["Location"] == f"/organisations/{cast.fudan.pk}/members/"
    assert Invitation.objects.get().roles == ["manager"]
    again = page_of(send(client, path, GOOD, "preview"))
    assert "Everybody in this file is already a member or invited." in again
    send(client, path, GOOD, "invite")
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "act", "status", "said"),
    [
        (BAD, "preview", 200, 'data-code="not-a-mail-address"'),
        (BAD, "invite", 422, "Nobody was invited"),
        (b"", "preview", 400, "The submitted file is empty."),
        (b"name\nA\n", "preview", 400, "email"),
        (b"email\n\x00\n", "preview", 400, "NUL"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_invited(
    client: Client, cast: Cast, content: bytes, act: str, status: int, said: str
) -> None:
    client.force_login(cast.people["chen"])
    before = written()
    path = f"/organisations/{cast.fudan.pk}/members/import/"
    html = page_of(send(client, path, content, act), status)
    assert said in html and 'value="invite"' not in html
    assert written() == before


def test_an_administrator_names_organisations_in_the_rows(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["admin"])
    content = b"email,organisation\na@new.example,ustc\nb@new.example,fudan\n"
    assert send(client, "/people/import/", content, "invite")["Location"] == "/people/import/"
    codes = Invitation.objects.order_by("email").values_list("organisation__code", flat=True)
    assert list(codes) == ["ustc", "fudan"]


def test_a_program_does_the_same(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["chen"])

    def post(content: bytes, **more: Any) -> Any:
        body = {"file": base64.b64encode(content).decode(), "organisation": "fudan"} | more
        return client.post("/api/v1/imports/people/", body, content_type="application/json")

    before = written()
    dry = post(GOOD, dry_run=True)
    assert (dry.status_code, dry.json()["invited"], dry.json()["unchanged"]) == (200, 1, 1)
    assert dry.json()["rows"][1] == {
        "line": 3,
        "email": "wang@fudan.example",
        "organisation": "fudan",
        "roles": ["finance"],
        "result": "member",
        "lacking": ["finance"],
        "problems": [],
    }
    bad = post(BAD)
    assert (bad.status_code, bad.json()["code"], bad.json()["refused"]) == (*(422, "people-refused"), 1)
    assert bad.json()["rows"][1]["problems"][0]["code"] == "not-a-mail-address"
    for body in ({"file": "?"}, {"organisation": "nowhere"}, {"file": "eA=="}, {"more": 1}):
        assert post(GOOD, **body).status_code == 400
    assert written() == before
    assert [post(GOOD).status_code, post(GOOD).status_code] == [201, 200]
    assert Invitation.objects.count() == 1


def test_a_command_does_the_same(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(BAD)
    out, before = io.StringIO(), written()
    words = ["import_people", str(path), "--person", "chen@fudan.example", "--organisation"]
    with pytest.raises(CommandError, match=r"Nobody was invited\."):
        call_command(*words, "fudan", stdout=out)
    assert "line 3: email: not-a-mail-address" in out.getvalue()
    path.write_bytes(GOOD)
    call_command(*words, "fudan", "--dry-run", stdout=out)
    assert written() == before
    with pytest.raises(CommandError, match="no organisation nowhere"):
        call_command(*words, "nowhere", stdout=out)
    call_command(*words, "fudan", stdout=out)
    assert Invitation.objects.get().email == "a@new.example"


# The first manager


def test_a_coordinator_invites_and_withdraws_on_a_page(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["coordinator"])
    path = f"/organisations/{cast.optics.pk}/members/invite/"
    html = page_of(client.get(path))
    assert "has no manager yet" in html and 'name="roles"' not in html
    answer = client.post(path, {"email": "m@new.example", "days": "14", "roles": ["finance"]})
    assert answer["Location"] == path
    row = Invitation.objects.get()
    assert row.roles == ["manager"]
    assert "m@new.example" in page_of(client.get(path))
    client.post(f"/organisations/{cast.optics.pk}/members/invitations/{row.pk}/withdraw/")
    row.refresh_from_db()
    assert row.withdrawn_at is not None
    page_of(client.post(path, {"email": cast.people["hu"].email, "days": "14"}), 409)
    managed = page_of(client.get(f"/organisations/{cast.ustc.pk}/members/invite/"))
    assert "This organisation already has a manager" in managed
    client.force_login(cast.people["admin"])
    page = page_of(client.get(f"/organisations/{cast.optics.pk}/members/"))
    assert "This organisation has no manager yet" in page
    assert "no manager yet" not in page_of(client.get(f"/organisations/{cast.ustc.pk}/members/"))


def test_a_role_is_given_for_what_is_ticked(client: Client, cast: Cast, mailoutbox: list[Any]) -> None:
    client.force_login(cast.people["zhao"])
    path = f"/organisations/{cast.ustc.pk}/members/{cast.people['sun'].pk}/limits/"
    html = page_of(client.get(path))
    assert "Instruments Centre" in html and "Transmission electron microscope" in html
    page_of(client.post(path, {"role": "operator"}), 400)
    for wrong in ({"role": "finance"}, {"facilities": [str(cast.fudan.pk)]}):
        page_of(client.post(path, {"role": "operator"} | wrong), 400)
    assert not RoleGrant.objects.filter(role="operator").exists()
    ticked = {"facilities": [str(cast.facility.pk)], "instruments": [str(cast.microscope.pk)]}
    assert client.post(path, {"role": "operator"} | ticked).status_code == 302
    held = RoleGrant.objects.filter(user=cast.people["sun"], role="operator")
    assert {(one.facility_id, one.instrument_id) for one in held} == {
        (cast.facility.pk, None),
        (None, cast.microscope.pk),
    }
    members = page_of(client.get(f"/organisations/{cast.ustc.pk}/members/"))
    assert "Remove: operator" in members and "(Instruments Centre)" in members
    effects_carry_out(now=NOW + timedelta(hours=1))
    (letter,) = [mail for mail in mailoutbox if cast.people["sun"].email in mail.to]
    assert "Limited to: Instruments Centre, Transmission electron microscope" in letter.body
    client.force_login(cast.people["sun"])
    assert "Instruments Centre" in page_of(client.get("/organisations/"))
    assert client.get(path).status_code == 403


def test_a_program_gives_a_role_for_an_instrument(cast: Cast, program: Callable[..., Program]) -> None:
    body = {"user": "sun@ustc.example", "role": "manager", "organisation": "ustc"}
    limited = body | {"instrument": str(cast.microscope.pk)}
    zhao = program("zhao")
    both = limited | {"facility": str(cast.facility.pk)}
    assert zhao.post("roles/", both).body["errors"][0]["code"] == "one-limit"
    made = zhao.post("roles/", limited)
    assert (made.status, made.body["instrument"], made.body["facility"]) == (
        201,
        str(cast.microscope.pk),
        None,
    )
    assert program("sun").post("roles/", body | {"user": "gao@ustc.example"}).status == 403
    ended = zhao.post(f"roles/{made.body['id']}/revoke/", {"reason": "Left the group"})
    assert ended.status == 200 and ended.body["revoked_at"]
