"""A real Chromium against a real server.

Tests skip with a reason where no Chromium is installed; in continuous integration it must be.
"""

import os
import shutil
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.catalogue.selectors.parties import Booking
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from tests.browser.serving import cookie_of
from tests.factories.cast import CARD

ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
HOUR = timedelta(hours=1)

# The first is the same without what draws windows: a page loads for half of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("No Chromium is installed.")
        pytest.skip("No Chromium is installed (Debian: apt-get install chromium).")
    # Playwright's loop looks like an asynchronous context to Django.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=30_000)  # a busy machine answers late, as page.wait_for_url allows
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, real_cast, live_server):
    """`visit(name, width=..., locale=..., dark=..., zone=...)`: the catalogue for somebody signed
    in. At the end no page may have said anything on its console or asked another host."""
    complaints, contexts = [], []

    def open_page(name=None, *, width=1440, locale="en-GB", dark=False, js=True, zone=None):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            locale=locale,
            timezone_id=zone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # what fades in has no contrast yet
            base_url=live_server.url,
            java_script_enabled=js,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda r: (
                None if r.url.startswith((live_server.url, "data:")) else complaints.append(f"asked {r.url}")
            ),
        )
        if name:
            user = real_cast.people[name]
            user.language = "zh-hans" if locale.startswith("zh") else "en"
            user.save(update_fields=["language"])
            user.emailaddress_set.get_or_create(
                email=user.email, defaults={"verified": True, "primary": True}
            )
            # Without the two pages of signing in, which test_sign_in.py has.
            context.add_cookies([cookie_of(user, live_server.url)])
            page.goto("/")
        return page

    open_page.expected = complaints
    yield open_page
    for context in contexts:
        context.close()
    # A refused form answers 409 or 422: Chromium says so on the console, and that is right. So does htmx of
    # a question that it withdraws for a newer one.
    said = ("409", "422", "htmx:sendAbort", "htmx:afterRequest")
    left = [c for c in complaints if not any(part in c for part in said)]
    assert left == []


@pytest.fixture
def midnight():
    """The end of tomorrow in China, where the instruments are."""
    now = timezone.now() + timedelta(hours=8)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2, hours=-8)


@pytest.fixture
def instrument(real_cast):
    """Open around the clock, priced, from now on (the browser's clock cannot be turned)."""
    now = timezone.now()
    return real_cast.instrument(
        name="Scanning electron microscope",
        name_zh="扫描电子显微镜",
        hours=ALWAYS,
        card={**CARD, "valid_from": (now - timedelta(days=400)).date().isoformat()},
        now=now - timedelta(days=40),
    )


@pytest.fixture
def booked(real_cast, instrument, midnight):
    """Wang Li from 10 to 12 o'clock on the day after tomorrow."""
    period = Period(midnight + 10 * HOUR, midnight + 12 * HOUR)
    return reservation_request(
        By(actor_of(real_cast.people["wang"]), timezone.now()),
        booking=Booking(instrument.pk, period, organisation=None, service_mode="self"),
    )
