"""Keys of sessions as a cookie may carry them."""

import pytest
from django.test import Client

from config.web.sessions import SessionStore
from tests.accounts.pages import page_of
from tests.factories.cast import Cast


@pytest.mark.parametrize("key", ["abcdefgh\0ijkl", "short", "a" * 41, "ABCDEFGHIJ", "abcdefgh\n", ""])
def test_what_was_never_given_out_is_no_key(key: str) -> None:
    assert SessionStore(key).session_key is None


def test_a_key_given_out_is_kept(cast: Cast) -> None:
    store = SessionStore()
    store["word"] = "x"
    store.save()
    assert SessionStore(store.session_key)["word"] == "x"


def test_a_nul_in_the_cookie_is_nobody(client: Client, cast: Cast, settings: object) -> None:
    settings.SESSION_ENGINE = "config.web.sessions"  # type: ignore[attr-defined]
    page_of(client.get("/", headers={"Cookie": 'sessionid="abcdefgh\\000ijkl"'}))
