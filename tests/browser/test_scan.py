"""Every page of the permission table in a real Chromium, as a person who may see it.

`SCAN=hours make test ARGS=tests/browser/test_scan.py` looks only at pages of such a name.
"""

import os
import re
from collections import defaultdict
from contextlib import contextmanager
from datetime import date, timedelta
from time import perf_counter

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.selectors import waits
from bookings.hours.services.hours import hours_roll_up
from instruments.vocabulary.selectors.needs import load_parameters, load_vocabulary
from tests.architecture.permission_table import ASKED, MORE_STATEMENTS, PAGES, PEOPLE, SEEN_BY
from tests.architecture.test_permissions import address, rows, world  # noqa: F401 (a fixture)
from tests.architecture.test_translations import CATALOGUE, PLACEHOLDER, SAME, read_po
from tests.bookings.statistics.addresses import HOURS
from tests.browser.scanning import FOCUS, LOOK, WATCH, WIDE, Site, View, texts, weight
from tests.conftest import DEEP
from tests.factories.cast import NOW, at, reserve
from tests.factories.hours import ALWAYS, HoursWorld

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
SHARDS = 4  # which two workers share

WIDTHS = (360, 768, 1440, 2560)
# Bytes of script and style, compressed.
HEAVIEST, HEAVIEST_WITH_CHARTS = 250_000, 500_000
STATEMENTS = 8


# Who has most to see on a page: the first who may.
LOOKS = ("zhao", "wang", "chen", "lin", "auditor", "coordinator", "xu", "admin", "alice", "")
# The same pages to others, and with another question.
BESIDES = [
    ("bookings:catalogue", "", ""),
    ("bookings:catalogue", "wang", "?q=nothing+of+this+name"),
    ("bookings:instrument", "", ""),
    ("bookings:reservation", "zhao", ""),
    ("bookings:calendar", "wang", "?view=month"),
    ("bookings:board", "zhao", "?view=day&date=2026-03-06"),
    ("bookings:hours", "admin", f"?by=month&{HOURS}"),
    ("bookings:money-charges", "alice", ""),
    ("bookings:mine", "alice", ""),
    *(("bookings:home", who, "") for who in ("wang", "lin", "auditor", "coordinator", "admin")),
    ("bookings:home", "alice", ""),
    ("accounts:organisations", "wang", ""),
    ("accounts:members", "admin", ""),
    ("docs", "", "?q=idempotency"),
]
# allauth's pages, which are restyled.
SIGN_IN = {
    "": (
        *("account_login", "account_signup", "account_reset_password", "account_inactive"),
        *("account_reset_password_done", "account_reset_password_from_key_done"),
        *("account_email_verification_sent", "account_request_login_code"),
        *("socialaccount_login_cancelled", "socialaccount_login_error"),
    ),
    "wang": (
        *("account_email", "account_change_password", "account_logout", "account_reauthenticate"),
        *("mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn"),
        *("socialaccount_connections", "usersessions_list", "mfa_generate_recovery_codes"),
    ),
}
NOWHERE = "an address that leads nowhere"
EXPECTED = {NOWHERE: 404, "socialaccount_login_error": 401}
NO_PAGES = {
    *("healthz", "readyz", "readyz-web", "metrics", "robots", "sitemap", "sitemap-part", "oai"),
    "doc-picture",
}
# Written before by somebody, in the language of theirs; descriptions of the API's fields and documentation,
# which are English; names that styles have.
WRITTEN_BEFORE = {
    *("accounts:unsubscribe", "bookings:story", "bookings:trail", "api-docs", "docs", "doc", "components")
}
# What a page that draws must have drawn.
DRAWN = {
    "bookings:hours": ("[data-drawn]", 2),
    "bookings:hours-weeks": ("[data-drawn]", 1),
    "bookings:hours-payers": ("[data-drawn]", 2),
    "bookings:hours-flows": ("[data-drawn]", 1),
    "bookings:instrument": (".ec-event, .ec-bg-event", 1),
    "bookings:calendar": (".ec-event", 1),
    "bookings:board": (".ec-event", 1),
}


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    # What waits is counted on the first page of each person, however long the pages take.
    monkeypatch.setattr(waits, "KEPT", 86_400)


@pytest.fixture(scope="module")
def grown(world):  # noqa: F811
    """More than one of what lists show, so that a question asked for each of them is seen."""
    cast, things = world
    for day in (17, 18, 19):
        reserve(cast, f"2026-03-{day} 10:00", f"2026-03-{day} 11:00")
        asks = type(cast.microscope).objects.get(pk=things["asks-first"])
        reserve(cast, f"2026-03-{day} 12:00", f"2026-03-{day} 13:00", instrument=asks)
    hours = HoursWorld(NOW)
    for number in range(2):
        since = date(2026, 2, 10)
        instrument = hours.instrument(hours=ALWAYS, since=since, name=f"Counted {number}")
        for day in range(2, 14):
            start = at("2026-02-14 08:00") + timedelta(days=day)
            payer = hours.stranger if day % 2 else hours.host
            hours.session(instrument, start, start + timedelta(hours=5), payer=payer)
    hours_roll_up(since=None, until=None, now=NOW)
    return cast, things


def views(things):
    """Each page that the table names, once, and some of them for others too."""
    for method, name, cells in rows(PAGES):
        if method != "GET" or name in NO_PAGES:
            continue
        may = [who for who in LOOKS if cells[PEOPLE.index(who)] == "200"]
        if may:
            yield View(name, SEEN_BY.get(name, may[0]), address(name, things) + ASKED.get(name, ""))
    for name, person, query in BESIDES:
        yield View(name, person, address(name, things) + query)
    for person, names in SIGN_IN.items():
        for name in names:
            yield View(name, person, reverse(name))
    yield View("api-docs", "", reverse("api-docs"))
    yield View(NOWHERE, "wang", "/nowhere/")


@contextmanager
def looking(chromium, site):
    """A page, its size, and what it says on its console or asks of other hosts."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", base_url=site.address
    )
    context.clock.set_fixed_time(NOW)
    context.add_init_script(WATCH)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    said = []
    page.on("console", lambda message: said.append(f"said {message.text}"))
    page.on("pageerror", lambda error: said.append(f"failed with {error}"))

    def asked(request):
        if not request.url.startswith((site.address, "data:", "blob:")):
            said.append(f"asked {request.url}")

    page.on("request", asked)

    def resize(width):
        shape = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        devtools.send("Emulation.setDeviceMetricsOverride", shape)

    yield page, resize, said
    context.close()


TOOK = defaultdict(float)


@contextmanager
def timed(what):
    start = perf_counter()
    yield
    TOOK[what] += perf_counter() - start


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_page(chromium, grown, shard):
    cast, things = grown
    load_vocabulary(), load_parameters()  # else the first page that needs them reads them
    site = Site(cast.people)
    known = sentences()
    wrong = []
    with site.serving(), looking(chromium, site) as (page, resize, said):
        chosen = [view for view in views(things) if os.environ.get("SCAN", "") in view.name]
        for view in chosen[shard::SHARDS]:
            with timed("render"):
                answer = site.see(view, "en")
            if not answer.is_page:
                continue
            found = of_answer(view, answer)
            with timed("load"):
                resize(1440)
                if answer.status >= 400:
                    said.clear()
                page.goto(view.path)
            with timed("axe"):
                found += page.evaluate(LOOK, {"full": True, "language": "en"})
            with timed("focus"):
                found += page.evaluate(FOCUS)
            place, least = DRAWN.get(view.name, ("", 0))
            if place and page.locator(place).count() < least:
                found.append(f"shows no {place}")
            with timed("widths"):
                found += widths(page, resize, WIDTHS)
            with timed("chinese render"):
                answer = site.see(view, "zh-hans")
                if answer.status != EXPECTED.get(view.name, 200):
                    found.append(f"answers {answer.status} in Chinese")
                if view.name not in WRITTEN_BEFORE and (english := texts(answer.html) & known):
                    found.append(f"says in Chinese {sorted(english)}")
            with timed("chinese load"):
                resize(360)
                page.goto(view.path)
                shown = widths(page, resize, WIDTHS if DEEP else (360,))
                if DEEP:
                    shown += page.evaluate(LOOK, {"full": True, "language": "zh-hans"})
                found += [f"in Chinese {one}" for one in shown]
            if answer.status >= 400:  # which Chromium says, too
                said[:] = [one for one in said if "the server responded with" not in one]
            found += said
            said.clear()
            TOOK["pages"] += 1
            wrong += [f"{view}: {one}" for one in found]
    print(dict(TOOK), sum(TOOK.values()))
    assert TOOK["pages"], "no page was looked at"
    assert not wrong, "\n".join(wrong)


def sentences():
    """What is said otherwise in Chinese, word for word."""
    return {
        entry.singular
        for entry in read_po((CATALOGUE / "django.po").read_text("utf-8"))
        if entry.singular not in SAME
        and entry.singular not in entry.texts
        and all(entry.texts)
        and not PLACEHOLDER.search(entry.singular)
        and not entry.context
        and re.search("[A-Za-z]{3}", entry.singular)
    }


def of_answer(view, answer):
    """What is wrong with a page before it is drawn."""
    found = []
    most = MORE_STATEMENTS.get(view.name, STATEMENTS)
    if answer.statements > most:
        found.append(f"{answer.statements} statements, more than {most}")
    if answer.status != EXPECTED.get(view.name, 200):
        found.append(f"answers {answer.status}")
    heavy = weight(answer.html)
    if heavy > (HEAVIEST_WITH_CHARTS if "echarts" in answer.html else HEAVIEST):
        found.append(f"{heavy} bytes of script and style")
    return found


def widths(page, resize, asked):
    found = []
    for width in asked:
        resize(width)
        if far := page.evaluate(WIDE):
            found.append(f"scrolls sideways at {width}: {far}")
    return found
