"""Signing in with everything a browser can do: a code of the app, passkeys, recovery codes."""

import json
import os
import re

import pytest
from allauth.mfa.totp.internal import auth as totp

from accounts.models import Membership, Organisation, TrailEntry, User
from config import sign_in as configured
from tests.factories.cast import PASSWORD
from tests.providers import running

HOME = re.compile(r"//[^/]+/$")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning"),  # python3-saml
]


def code_of(secret, step=0):
    counters = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, next(iter(counters)) + step))


def with_key(page):
    """A device that keeps passkeys and knows its owner's finger."""
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    key = browser.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return browser, key["authenticatorId"]


def by_password(page, user):
    page.goto("/accounts/login/")
    page.fill("#id_login", user.email)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")


def sign_out(page):
    page.goto("/accounts/logout/")
    page.click("main button.btn-primary, main button")
    page.wait_for_url(HOME)


def test_a_manager_with_app_and_passkey(visit, real_cast, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = real_cast.people["zhao"]
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    page = visit()
    page.set_default_timeout(8000)
    browser, key = with_key(page)

    # The role asks for a second factor: nothing opens before there is one.
    by_password(page, user)
    page.wait_for_url("**/accounts/2fa/")
    assert "Your role needs a second factor." in page.inner_text("main")
    page.click("text=Turn on")
    page.wait_for_url("**/accounts/2fa/totp/activate/")
    secret = re.findall(r"[A-Z2-7]{32}", page.inner_text("main"))[0]
    page.fill("#id_code", code_of(secret))
    page.press("#id_code", "Enter")
    page.wait_for_url("**/recovery-codes/")
    codes = re.findall(r"\b\d{8}\b", page.inner_text("#codes"))
    assert len(codes) == 10

    # A passkey beside it.
    page.goto("/accounts/2fa/webauthn/add/")
    page.fill("#id_name", "Laptop")
    page.click("[data-passkey-go]")
    page.wait_for_url("**/accounts/2fa/")
    assert "1 passkey" in page.inner_text("main")
    page.goto("/accounts/2fa/webauthn/")
    assert "Laptop" in page.inner_text("main")

    # The passkey alone signs in; no password, no code.
    sign_out(page)
    page.goto("/accounts/login/?next=/profile/")
    page.click("text=Sign in with a passkey")
    page.wait_for_url(re.compile(r"//[^/]+/profile/$"))

    # Somebody who cannot show their finger stays outside, and reads why.
    sign_out(page)
    browser.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.goto("/accounts/login/")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("[data-passkey-said]:not([hidden])")
    assert "The passkey was not used." in page.inner_text("main")
    browser.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})

    # After the password: the passkey, or a recovery code.
    by_password(page, user)
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    page.click("text=Use a passkey")
    page.wait_for_url("**/home/")
    page.goto("/profile/")
    assert page.url.endswith("/profile/")
    sign_out(page)
    by_password(page, user)
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    page.fill("#id_code", codes[0])
    page.press("#id_code", "Enter")
    page.wait_for_url("**/home/")
    sign_out(page)
    by_password(page, user)
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    page.fill("#id_code", codes[0])
    page.press("#id_code", "Enter")
    assert "is wrong" in page.inner_text("main .invalid-feedback"), "each code works once"

    kinds = TrailEntry.objects.filter(object_id=user.pk, action="user.factor-add")
    assert sorted(entry.after["type"] for entry in kinds) == ["recovery_codes", "totp", "webauthn"]


def test_signing_in_at_ones_own_institution(
    chromium, real_cast, live_server, settings, monkeypatch, tmp_path
):
    """By OpenID Connect and by SAML: out of our page, through theirs, and back."""
    Organisation.objects.filter(pk=real_cast.fudan.pk).update(scopes=["fudan.example"], admits_by_scope=True)
    here = live_server.url
    client = {
        "client_id": "commons",
        "client_secret": "a secret of tests",
        "redirect_uris": [f"{here}/accounts/oidc/uni/login/callback/"],
    }
    li = {
        "name": "Li Na",
        "email": "li@fudan.example",
        "eduperson_scoped_affiliation": "member@fudan.example",
    }
    lu = {"pairwise-id": ["lu@fudan.example"], "displayName": ["卢继"], "mail": ["lu@fudan.example"]}
    with running.oidc([client], {"li": li}) as oidc, running.saml(tmp_path, {"lu": lu}) as saml:
        way = {"name": "Fudan", "scopes": ["fudan.example"]}
        ask_for = ["openid", "profile", "email", "affiliation"]
        secret = {"client_id": "commons", "secret": "a secret of tests"}
        openid = way | secret | {"id": "uni", "issuer": oidc, "ask_for": ask_for}
        metadata = f"{saml}/metadata"
        carsi = way | {"id": "carsi", "name": "CARSI"}
        carsi |= {"entity_id": metadata, "metadata_url": metadata}
        monkeypatch.setitem(os.environ, "SIGN_IN_OIDC", json.dumps([openid]))
        monkeypatch.setitem(os.environ, "SIGN_IN_SAML", json.dumps([carsi]))
        settings.SOCIALACCOUNT_PROVIDERS = configured.providers()
        context = chromium.new_context(base_url=here, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(10000)

        page.goto("/accounts/login/?next=/bookings/")
        page.click("text=Sign in with Fudan")
        page.wait_for_url(f"{oidc}/**", wait_until="domcontentloaded")
        page.fill("[name=login]", "li")
        page.fill("[name=password]", "x")
        page.click("[type=submit]")
        page.click("[type=submit]:not([disabled])")  # agrees
        page.wait_for_url(re.compile(r"//[^/]+/bookings/$"))
        user = User.objects.get(email="li@fudan.example")
        assert Membership.objects.get(user=user).organisation == real_cast.fudan
        sign_out(page)

        answer = page.request.get("/accounts/saml/carsi/metadata/")
        (tmp_path / "sp.xml").write_bytes(answer.body())
        page.goto("/accounts/login/?next=/bookings/")
        page.click("text=Sign in with CARSI")
        page.wait_for_url(f"{saml}/sso**")
        page.fill("#login", "lu")
        page.click("button")
        page.wait_for_url(re.compile(r"//[^/]+/bookings/$"))
        assert User.objects.get(email="lu@fudan.example").name in page.inner_text("body")
        context.close()
