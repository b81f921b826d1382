"""What the pages of failures say: what happened, why, and what to do."""

from typing import Any

from django.test import Client, RequestFactory

from config.pages import errors
from tests.accounts.pages import page_of
from tests.factories.cast import Cast


def test_an_address_without_a_page_offers_to_sign_in_and_come_back(
    client: Client, db: None
) -> None:
    html = page_of(client.get("/nowhere/?q=1"), 404)
    assert "The address may be mistyped or out of date" in html
    assert 'href="/accounts/login/?next=/nowhere/%3Fq%3D1"' in html


def test_a_page_for_other_roles_says_who_one_is_and_who_gives_roles(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/requests/"), 403)
    assert "You are signed in as Wang Li." in html and 'href="/organisations/"' in html


def test_a_failure_names_its_number(rf: RequestFactory, monkeypatch: Any, db: None) -> None:
    monkeypatch.setattr(errors, "get_contextvars", lambda: {"request_id": "4711"})
    request = rf.get("/")
    answer = errors.failed(request)
    assert answer.status_code == 500
    assert "<code>4711</code>" in answer.content.decode()


def test_without_a_database_there_is_still_a_page(rf: RequestFactory, monkeypatch: Any) -> None:

    def broken(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(errors, "page", broken)
    answer = errors.failed(rf.get("/"))
    html = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong on the server" in html and 'href="/"' in html
