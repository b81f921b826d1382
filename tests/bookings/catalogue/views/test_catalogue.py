"""The catalogue with addresses nobody's form has sent."""

import pytest
from django.test import Client

from tests.accounts.pages import page_of
from tests.factories.cast import Cast


@pytest.mark.parametrize("year", ["0001", "1999", "2201", "9999"])
@pytest.mark.parametrize("until", ["", "&free_until=9999-12-31T23:59"])
def test_a_time_beyond_reason_is_marked(client: Client, cast: Cast, year: str, until: str) -> None:
    html = page_of(client.get(f"/?free_from={year}-12-31T00:00{until}"))
    assert "This is not a time." in html


def test_an_organisation_that_cannot_be_is_as_none(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        page_of(client.get(path, {"organisation": "\0"}))
