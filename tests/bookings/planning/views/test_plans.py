"""Planned purchases and the planning map on pages, without a script."""

import pytest
from django.test import Client

from bookings.planning.models import PlannedPurchase
from tests.accounts.pages import page_of
from tests.bookings.planning.selectors.test_map import unmet, year_of
from tests.factories.agreements import agree
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.cast import Cast
from tests.factories.planning import plan_of, tree_of

FORM = {
    "organisation": "fudan",
    "name": "Cryo microscope",
    "year": "2027",
    "quarter": "2",
    "price": "6500000",
    "currency": "CNY",
    "hours": "1400",
    "confidence": "likely",
}


@pytest.fixture
def at_work(cast: Cast, client: Client, clock: Clock) -> Client:  # noqa: F811
    tree_of(cast)
    client.force_login(cast.chen)
    return client


def test_entered_changed_and_dropped(cast: Cast, at_work: Client) -> None:
    assert "cryo electron microscopy (cryo)" in page_of(at_work.get("/planning/purchases/new/"))
    sent = at_work.post("/planning/purchases/new/", FORM | {"technique": "cryo electron microscopy (cryo)"})
    plan = PlannedPurchase.objects.get()
    assert sent.url == f"/planning/purchases/{plan.pk}/" and plan.technique.code == "cryo"
    html = page_of(at_work.get(sent.url))
    assert "CNY 6,500,000.00" in html and "2027 Q2" in html
    at_work.post(sent.url + "change/", FORM | {"technique": "tem", "version": "1"})
    plan.refresh_from_db()
    assert plan.technique.code == "tem"
    answer = at_work.post(sent.url + "drop/", {"reason": "", "version": "2"})
    assert answer.status_code == 400 and 'aria-invalid="true"' in answer.text
    at_work.post(sent.url + "drop/", {"reason": "shared", "version": "2"})
    plan.refresh_from_db()
    assert plan.state == "dropped"
    assert at_work.get(sent.url + "change/").status_code == 409


def test_a_form_keeps_what_was_typed(cast: Cast, at_work: Client) -> None:
    answer = at_work.post("/planning/purchases/new/", FORM | {"technique": "no-such", "year": "2027"})
    assert answer.status_code == 400 and "Cryo microscope" in answer.text
    assert not PlannedPurchase.objects.exists()


def test_neighbours_read_the_list_and_its_file(cast: Cast, at_work: Client) -> None:
    agree(cast)
    plan_of(cast, technique="cryo", name="=cmd()")
    at_work.force_login(cast.zhao)
    html = page_of(at_work.get("/planning/purchases/?technique=tem"))
    assert "Fudan University" in html and "Enter a plan" in html
    assert "Fudan" not in page_of(at_work.get("/planning/purchases/?state=dropped"))
    content = b"".join(at_work.get("/planning/purchases/?format=csv").streaming_content).decode()
    assert "fudan,Fudan University,CN-SH,cryo" in content and ",=cmd()" not in content


def test_the_map_and_what_is_behind_a_cell(cast: Cast, at_work: Client) -> None:
    year_of(cast.microscope)
    plan_of(cast, technique="cryo")
    agree(cast)
    at_work.force_login(cast.coordinator)
    cast.microscope.techniques.set([cast.technique])
    html = page_of(at_work.get("/planning/?year=2026"))
    assert "Planning map" in html and "700.0" in html  # 85 % of 2,000 hours less 1,000
    cell = f"/planning/cell/?technique={cast.technique.code}&region=CN-AH&year=2026"
    assert "2,000.0" in page_of(at_work.get(cell))
    behind = page_of(at_work.get("/planning/cell/?technique=tem&region=CN-SH&year=2026"))
    assert "Transmission electron microscope" in behind
    content = b"".join(at_work.get("/planning/?year=2026&format=csv").streaming_content).decode()
    assert "CN-AH,Anhui,1,1,120000,60000,42000" in content
    for wrong in ("?technique=x&region=CN-AH", "?technique=tem&region=XX", ""):
        assert at_work.get("/planning/cell/" + wrong).status_code == 404
    assert at_work.get("/planning/?technique=x").status_code == 404
    assert at_work.get("/planning/?year=abc").status_code == 200


@pytest.mark.parametrize(
    ("who", "told"), [("coordinator", "hidden: too few organisations"), ("xu", "0.5"), ("admin", "0.5")]
)
def test_what_named_no_technique_stands_on_the_map(cast: Cast, at_work: Client, who: str, told: str) -> None:
    unmet(cast, kind="search", instrument=None, query="what", minutes=30)
    at_work.force_login(cast.people[who])
    html = page_of(at_work.get("/planning/?year=2026"))
    _, _, without = html.partition("Unmet demand, no class named")
    assert "Shanghai" in without and told in without
    file = at_work.get("/planning/?year=2026&format=csv")
    assert "CN-SH,Shanghai,0" in b"".join(file.streaming_content).decode()
    assert at_work.get("/planning/cell/?technique=&region=CN-SH&year=2026").status_code == 404


def test_others_are_not_let_in(cast: Cast, at_work: Client) -> None:
    assert at_work.get("/planning/").status_code == 403
    assert at_work.get("/planning/cell/").status_code == 403
    at_work.force_login(cast.wang)
    assert at_work.get("/planning/purchases/new/").status_code == 403
    assert at_work.get("/planning/purchases/").status_code == 200
