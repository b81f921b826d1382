"""What a page answers to a method it does not know, and to a form without its secret."""

import re
from typing import Any

import pytest
from django.db import OperationalError
from django.http import StreamingHttpResponse
from django.test import Client

from config.web.middleware import CutShortMiddleware, OtherSitesMiddleware
from tests.accounts.pages import page_of
from tests.architecture import permission_table
from tests.factories.cast import Cast

ID = "01920000-0000-7000-8000-000000000000"


@pytest.fixture
def zhao(client: Client, cast: Cast) -> Client:
    client.force_login(cast.people["zhao"])
    return client


@pytest.mark.parametrize(
    ("path", "page"),
    [
        *((f"/bookings/{ID}/{act}/", f"/bookings/{ID}/") for act in ("cancel", "decide")),
        *((f"/bookings/{ID}/check-{way}/", f"/bookings/{ID}/") for way in ("in", "out")),
        (f"/manage/instruments/{ID}/publication/", f"/manage/instruments/{ID}/"),
        *((f"/manage/closures/{ID}/{act}/", "/manage/") for act in ("end", "delete")),
        (f"/profile/tokens/{ID}/revoke/", "/profile/"),
        (f"/money/charges/{ID}/dispute/", f"/money/charges/{ID}/"),
        (f"/money/charges/corrections/{ID}/agree/", "/money/charges/"),
        (f"/people/roles/{ID}/take/", "/people/roles/"),
        ("/language/", "/"),
    ],
)
def test_where_forms_are_sent_leads_to_their_page(zhao: Client, path: str, page: str) -> None:
    for answer in (zhao.get(path), zhao.head(path)):
        assert (answer.status_code, answer["Location"]) == (302, page)
    other = zhao.put(path)
    assert other["Allow"] == "POST"
    assert "This address does not support that method." in page_of(other, 405)


def test_any_other_method_is_answered_by_a_page(zhao: Client) -> None:
    assert "To the catalogue" in page_of(zhao.post("/requests/"), 405)


def test_programs_get_no_page(client: Client, db: None) -> None:
    answer = client.options("/api/v1/regions/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    ("came", "back"),
    [
        ("http://testserver/accounts/login/?next=/bookings/", "/accounts/login/?next=/bookings/"),
        ("https://evil.example/accounts/login/", None),
        ("http://testserver//evil.example/", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_a_form_without_its_secret_leads_back(db: None, came: str, back: str | None) -> None:
    browser = Client(enforce_csrf_checks=True)
    sent = {"language": "en", "next": "/"}
    html = page_of(browser.post("/language/", sent, headers={"referer": came}), 403)
    assert "The page was open too long." in html
    found = re.findall(r'href="([^"]*)">Back to the page<', html)
    assert found == ([back] if back else [])


def test_it_is_said_in_the_readers_language(db: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    html = page_of(browser.post("/language/", headers={"accept-language": "zh-CN"}), 403)
    assert '<html lang="zh-hans"' in html and "页面打开过久" in html


@pytest.mark.parametrize("path", ["/accounts/saml/%00/login/", "/accounts/oidc/%00/login/", "/%00"])
def test_nothing_has_an_address_with_a_nul(client: Client, db: None, path: str) -> None:
    assert "nothing here" in page_of(client.get(path), 404)


def test_a_value_that_nothing_can_store_is_said_to_be_wrong(zhao: Client) -> None:
    answer = zhao.get("/manage/export/?organisation=%00")
    assert "The request is malformed." in page_of(answer, 400)


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_day_that_nobody_can_mean_is_said_at_its_field(client: Client, cast: Cast, day: str) -> None:
    client.force_login(cast.people["auditor"])
    for name in ("since", "until"):
        assert "This is not a time." in page_of(client.get(f"/trail/?{name}={day}"), 200)


def test_a_host_that_is_not_ours_is_a_bad_request_before_anything_else(
    client: Client, db: None, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True  # which asks for the host first of all
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    html = response.content.decode()
    assert "You came by evil.example" in html  # as a text: no address leads there
    assert not re.search(r'="[^"]*evil', html)


@pytest.mark.parametrize("path", ["/", "/nothing-is-here/", "/?q=microscope"])
def test_no_cache_in_front_keeps_a_page_that_gives_the_secret_of_forms(
    client: Client, cast: Cast, path: str
) -> None:
    """Else a cache in front gives one visitor's secret, and the cookie for it, to the next."""
    answer = client.get(path)
    assert "csrftoken" in answer.cookies
    assert answer["Cache-Control"] == "private"


def test_a_table_that_is_cut_short_says_so(rf: Any) -> None:
    """The database goes away while it is sent, which the server ends as it ends a whole one."""

    def pieces() -> Any:
        yield b"a,b\r\n1,2\r\n"
        raise OperationalError

    answer = CutShortMiddleware(lambda _: StreamingHttpResponse(pieces(), content_type="text/csv"))
    told = b"".join(answer(rf.get("/")).streaming_content).decode()
    assert told == "a,b\r\n1,2\r\n\r\n\r\nThis file is incomplete. Download it again.\r\n"


def test_scripts_of_other_sites_read_what_anybody_may_read_and_nothing_else(
    client: Client, cast: Cast
) -> None:
    at = f"/api/v1/instruments/{cast.microscope.pk}/"
    origin = {"origin": "https://portal.example"}
    answer = client.get(at, headers=origin)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    assert client.get(at, headers={"if-none-match": answer["ETag"]}).has_header("Access-Control-Allow-Origin")
    asks = {"access-control-request-method": "GET", "access-control-request-headers": "if-none-match"}
    before = client.options(at, headers=origin | asks)
    assert (before.status_code, before["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    assert "authorization" not in before["Access-Control-Allow-Headers"].lower()
    for path in ("/api/v1/reservations/", "/api/v1/me/", "/", "/catalogue/", "/no/such/"):
        for answer in (client.get(path, headers=origin), client.options(path, headers=origin | asks)):
            assert not answer.has_header("Access-Control-Allow-Origin"), path
    written = client.post("/api/v1/instruments/", {}, content_type="application/json", headers=origin)
    assert not written.has_header("Access-Control-Allow-Origin")
    assert client.post("/oai", headers=origin)["Access-Control-Allow-Origin"] == "*"


def test_other_sites_read_only_what_strangers_are_answered() -> None:
    rows = map(str.split, f"{permission_table.PAGES}\n{permission_table.API}".splitlines())
    strangers = {name: cell for method, name, cell, *_ in rows if method == "GET"}
    assert {name: strangers.get(name) for name in OtherSitesMiddleware.OPEN} == dict.fromkeys(
        OtherSitesMiddleware.OPEN, "200"
    )
