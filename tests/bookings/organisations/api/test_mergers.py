"""Moving, merging and closing organisations over HTTP, by program and page."""

import pytest
from django.test import Client

from accounts.domain.roles import By
from accounts.models import Organisation, OrganisationMove
from bookings.organisations.services.mergers import organisation_close
from tests.bookings.organisations.services.test_mergers import everything
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import NOW, reserve
from tests.factories.funding import source

pytestmark = pytest.mark.django_db
AHEAD = ("2026-03-12 10:00", "2026-03-12 12:00")


@pytest.fixture
def admin(program):  # noqa: F811
    return program("admin")


@pytest.fixture
def page(cast):
    client = Client()
    client.force_login(cast.admin)
    return client


def at(organisation, what):
    return f"organisations/{organisation.pk}/{what}/"


def test_a_move_is_decided_once_and_withdrawn(cast, admin):
    asked = {"region": "CN-AH", "starts_on": "2026-04-01"}
    key = {"Idempotency_Key": "one"}
    first = admin.post(at(cast.fudan, "moves"), asked, If_Match='"1"', **key)
    again = admin.post(at(cast.fudan, "moves"), asked, If_Match='"1"', **key)
    assert (first.status, again.body) == (201, first.body)
    assert first.body | {"id": ""} == {
        "id": "", "organisation": "fudan", "from_region": "CN-SH", "region": "CN-AH",
        "starts_on": "2026-04-01", "decided_at": "2026-03-05T04:00:00Z", "carried_out_at": None,
        "withdrawn_at": None,
    }  # fmt: skip
    assert first.headers["ETag"] == '"2"'
    assert admin.post(at(cast.fudan, "moves"), asked).code == "move-ahead"
    withdraw = at(cast.fudan, f"moves/{first.body['id']}/withdraw")
    assert admin.post(withdraw, If_Match='"1"').status == 412
    assert admin.post(withdraw).body["withdrawn_at"] == "2026-03-05T04:00:00Z"
    assert admin.post(withdraw).code == "wrong-state"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"region": "XX", "starts_on": "2026-04-01"}, ("region", "unknown-region")),
        ({"region": "CN-AH", "starts_on": "2026-03-04"}, ("starts_on", "in-the-past")),
        ({"region": "CN-AH", "starts_on": "soon"}, ("starts_on", "not-a-date")),
        ({"region": "CN-SH", "starts_on": "2026-04-01"}, ("region", "same-region")),
    ],
)
def test_what_is_wrong_with_a_move_is_said_at_its_field(cast, admin, body, problem):
    answer = admin.post(at(cast.fudan, "moves"), body)
    assert (answer.status, answer.problems) == (400, [problem])
    assert not OrganisationMove.objects.exists()


def test_a_dry_run_lists_and_changes_nothing_then_it_is_done(cast, admin):
    source(cast)
    reserve(cast, *AHEAD)
    before = everything()
    said = admin.post(at(cast.fudan, "merge"), {"into": "optics", "dry_run": True})
    assert everything() == before
    assert {part["kind"]: part["count"] for part in said.body["parts"]} == {
        "bookings": 1, "people": 3, "roles": 3,
    }  # fmt: skip
    assert said.body["purses"] == [{"code": "NSFC-17", "left": {"amount": "10000.00", "currency": "CNY"}}]
    assert (said.body["carried_out"], said.body["in_the_way"]) == (False, [])
    done = admin.post(at(cast.fudan, "merge"), {"into": "optics"}, If_Match='"1"')
    assert (done.status, done.body["carried_out"], done.headers["ETag"]) == (200, True, '"2"')
    again = admin.post(at(cast.fudan, "merge"), {"into": "optics"})
    assert (again.status, again.refusals) == (422, ["organisation-closed"])


def test_what_keeps_one_from_being_closed_is_counted(cast, admin):
    reserve(cast, *AHEAD)
    answer = admin.post(at(cast.ustc, "close"))
    assert (answer.status, answer.refusals) == (422, ["bookings-ahead", "instruments-published"])
    assert [refusal["count"] for refusal in answer.body["refusals"]] == [1, 1]
    closed = admin.post(at(cast.optics, "close"))
    assert (closed.status, closed.body["organisation"]) == (200, "optics")
    assert admin.post(at(cast.optics, "close")).code == "organisation-closed"


def test_a_closed_organisation_is_found_by_nobody_who_looks_for_one_to_join(cast, client):
    client.force_login(cast.alice)
    assert "Hefei Optics" in client.get("/organisations/?q=Hefei").content.decode()
    organisation_close(By(cast.actor("admin"), NOW), organisation_id=cast.optics.pk)
    assert "Hefei Optics" not in client.get("/organisations/?q=Hefei").content.decode()
    answer = client.post(f"/organisations/{cast.optics.pk}/join/", {"text": ""})
    assert (answer.status_code, "is closed" in answer.content.decode()) == (409, True)


def test_the_page_shows_what_goes_over_and_wants_the_code(cast, page):
    reserve(cast, *AHEAD)
    address = f"/organisations/{cast.fudan.pk}/merge/"
    assert page.get(address, {"into": "nowhere"}).status_code == 400
    text = page.get(address, {"into": "optics"}).content.decode()
    assert "Upcoming bookings: 1" in text and "Wang Li" in text
    before = everything()
    assert page.post(address, {"into": "optics", "code": "optics"}).status_code == 400
    assert everything() == before
    assert page.post(address, {"into": "optics", "code": "fudan"}).status_code == 302
    assert Organisation.objects.get(pk=cast.fudan.pk).merged_into == cast.optics
    assert "It is part of Hefei Optics" in page.get(address).content.decode()


def test_the_page_of_a_move_wants_the_code_and_takes_it_back(cast, page):
    address = f"/organisations/{cast.fudan.pk}/move/"
    asked = {"act": "decide", "region": str(cast.anhui.pk), "starts_on": "2026-04-01"}
    assert page.post(address, asked | {"code": "ustc"}).status_code == 400
    assert not OrganisationMove.objects.exists()
    assert page.post(address, asked | {"code": "fudan"}).status_code == 302
    assert "1 Apr 2026" in page.get(address).content.decode()
    assert page.post(address, {"act": "withdraw", "code": "fudan"}).status_code == 302
    assert OrganisationMove.objects.get().withdrawn_at == NOW


def test_the_page_of_closing_says_what_is_open(cast, page):
    address = f"/organisations/{cast.ustc.pk}/close/"
    text = page.get(address).content.decode()
    assert "instruments-published" in text and "Close for good" not in text
    address = f"/organisations/{cast.optics.pk}/close/"
    assert page.post(address, {"code": "optics"}).status_code == 302
    assert "It was closed on" in page.get(address).content.decode()
