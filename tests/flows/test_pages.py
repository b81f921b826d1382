"""The main line on pages: published in Anhui, booked from Shanghai, used, read by an auditor."""

import re
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import OutboxMessage
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Reservation
from bookings.overview.services.effects import effects_carry_out
from instruments.register.models import Instrument
from tests.factories.cast import NOW, PASSWORD, at
from tests.flows.reader import Page


class Clock:
    """What the doors read as now; tests turn it."""

    def __init__(self):
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def people(cast, django_user_model):
    """A signed-in browser for each person, through the sign-in page."""
    browsers = {}
    for name in ("wang", "zhao", "auditor"):
        user = cast.people[name]
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        browser = Client()
        answer = browser.post("/accounts/login/", {"login": user.email.upper(), "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()[:500]
        browsers[name] = browser
    return browsers


def see(browser, path, status=200):
    answer = browser.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return Page(answer)


def send(browser, path, values, status=302):
    answer = browser.post(path, values)
    assert answer.status_code == status, Page(answer).text[:3000]
    return answer


def published_by(browser, cast, clock):
    """A manager enters, opens, prices and publishes an instrument; its id."""
    form = see(browser, "/manage/instruments/new/").form("")
    form |= {
        "facility": str(cast.facility.pk),
        "name": "Cryo electron microscope",
        "name_zh": "冷冻电子显微镜",
        "makers": ["JEOL", "", ""],
        "description": "Structures of proteins at 3 Å.",
        "service_modes": ["self", "assisted"],
        "techniques": "PaNET01198",
    }
    answer = send(browser, "/manage/instruments/new/", form)
    instrument = Instrument.objects.get(name="Cryo electron microscope")
    home = f"/manage/instruments/{instrument.pk}/"
    assert answer.url == home + "hours/"
    hours = see(browser, f"{home}hours/").form("")
    for day in range(1, 6):
        hours |= {f"day_{day}_0_opens": "09:00", f"day_{day}_0_closes": "18:00"}
    send(browser, f"{home}hours/", hours)
    policy = see(browser, f"{home}policy/").form("")
    policy |= {"slot_minutes": "60", "min_minutes": "60", "max_minutes": "8"}
    policy |= {"slot_minutes_unit": "1", "min_minutes_unit": "1", "max_minutes_unit": "60"}
    policy |= {"approval": "cross-region"}
    send(browser, f"{home}policy/", policy)
    # Not complete yet: publishing names what is missing and changes nothing.
    form = see(browser, home).form("/publication/")
    answer = browser.post(f"{home}publication/", form | {"act": "publish"})
    assert answer.status_code == 422
    instrument.refresh_from_db()
    assert instrument.publication == "draft"
    rates = see(browser, f"{home}rates/").form("")
    rates |= {
        "currency": "CNY",
        "valid_from": "2026-03-01",
        "rate_internal": "100",
        "rate_external": "300",
        "setup_fee": "50",
        "tax_percent": "6",
        "step_0_notice": "24",
        "step_0_percent": "0",
        "step_1_notice": "0",
        "step_1_percent": "100",
        "publish": "1",
    }
    send(browser, f"{home}rates/", rates)
    form = see(browser, home).form("/publication/")
    send(browser, f"{home}publication/", form | {"act": "publish"})
    instrument.refresh_from_db()
    assert instrument.publication == "published"
    return instrument


def test_the_main_line(cast, people, clock):
    wang, zhao, auditor = people["wang"], people["zhao"], people["auditor"]
    instrument = published_by(zhao, cast, clock)

    # A researcher of another region finds it, sees the price and when it is free.
    found = see(wang, "/?q=冷冻&region=CN-AH")
    assert "Cryo electron microscope" in found.text
    assert re.search(r"h: you pay CNY [1-9]", found.text)
    page = see(wang, f"/instruments/{instrument.pk}/?minutes=120&week=2026-03-06")
    slots = re.findall(r'class="slot"[^>]*href="([^"]+)"', page.html)
    link = next(s for s in slots if "2026-03-06T02" in s).replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["minutes"] == ["120"]

    # She quotes and reserves: 2 h x 300 + 50 = 650, and 6 % tax.
    page = see(wang, link)
    assert "CNY 689.00" in page.text
    form = page.form(f"/instruments/{instrument.pk}/book/")
    form |= {"purpose_text": "核糖体结构", "samples": "4 grids"}
    answer = send(wang, f"/instruments/{instrument.pk}/book/", form)
    reservation = Reservation.objects.get()
    assert answer.url == f"/bookings/{reservation.pk}/"
    assert reservation.state == "requested"
    assert reservation.start_at == at("2026-03-06 10:00")

    # The same form sent again finds the slot taken, and says what is free instead.
    answer = send(wang, f"/instruments/{instrument.pk}/book/", form, status=422)
    assert 'data-code="slot-taken"' in answer.content.decode()
    assert "Nearest time that can be booked" in answer.content.decode()
    assert Reservation.objects.count() == 1

    # The owner is told, reads everything on one screen, and accepts.
    effects_carry_out(now=clock.now)
    assert {message.to[0] for message in mail.outbox} == {cast.wang.email, cast.zhao.email}
    inbox = see(zhao, "/requests/")
    for said in ("Wang Li", "Fudan University", "Shanghai", "核糖体结构", "4 grids", "689.00"):
        assert said in inbox.text
    form = inbox.form(f"/bookings/{reservation.pk}/decide/")
    send(zhao, f"/bookings/{reservation.pk}/decide/", form | {"approve": "1"})
    reservation.refresh_from_db()
    assert reservation.state == "confirmed"

    # Both hear of it; an hour before she is reminded.
    mail.outbox.clear()
    effects_carry_out(now=clock.now)
    assert [m.subject.partition(",")[0] for m in mail.outbox] == ["Confirmed: Cryo electron microscope"]
    mail.outbox.clear()
    clock.now = reservation.start_at - timedelta(hours=1)
    effects_carry_out(now=clock.now)
    assert [m.subject.partition(",")[0] for m in mail.outbox] == ["Starting soon: Cryo electron microscope"]

    # She checks in and out; the rest of the time is free and the charge is the quote.
    clock.now = at("2026-03-06 10:02")
    page = see(wang, f"/bookings/{reservation.pk}/")
    send(wang, f"/bookings/{reservation.pk}/check-in/", page.form("/check-in/"))
    clock.now = at("2026-03-06 11:32")
    page = see(wang, f"/bookings/{reservation.pk}/")
    form = page.form("/check-out/") | {"samples": "4", "rating": "5", "remarks": "很好"}
    send(wang, f"/bookings/{reservation.pk}/check-out/", form)
    effects_carry_out(now=clock.now)
    page = see(wang, f"/bookings/{reservation.pk}/")
    assert "completed" in page.text
    assert page.text.count("CNY 689.00") == 2  # quoted and charged

    # The next morning an auditor reads the hours, down to the session and its story.
    clock.now = at("2026-03-07 09:00")
    hours_roll_up(since=None, until=None, now=clock.now)
    dates = "since=2026-03-06&until=2026-03-07"
    page = see(auditor, f"/hours/?{dates}&by=region")
    assert 'data-total="productive" data-minutes="90">' in page.html and ">1.5</a>" in page.html
    page = see(auditor, f"/hours/?{dates}&by=instrument&region=CN-AH")
    assert "Cryo electron microscope" in page.text
    page = see(auditor, f"/hours/rows/?instrument={instrument.pk}&since=2026-03-06")
    assert "1 h 30 min" in page.text
    assert f"/bookings/{reservation.pk}/" in page.html
    story = see(auditor, f"/trail/{reservation.pk}/")
    steps = re.findall(r"<dd><code>([a-z_]+\.[a-z_]+)</code>", story.html)
    assert steps == [
        "reservation.requested",
        "reservation.confirmed",
        "reservation.in_use",
        "reservation.completed",
        "charge.create",
    ]
    assert not OutboxMessage.objects.filter(outcome="failed").exists()
    # An auditor reads and changes nothing.
    assert auditor.post(f"/bookings/{reservation.pk}/cancel/", {}).status_code == 403


def test_a_closure_lists_who_is_in_the_way_first(cast, people, clock):
    wang, zhao = people["wang"], people["zhao"]
    link = f"/instruments/{cast.microscope.pk}/book/"
    start = {"start": "2026-03-06T02:00:00Z", "minutes": "120"}
    form = see(wang, f"{link}?start=2026-03-06T02:00:00Z&minutes=120").form("/book/")
    send(wang, link, form | start)
    closures = f"/manage/instruments/{cast.microscope.pk}/closures/"
    form = see(zhao, closures).form("/closures/")
    form |= {"kind": "breakdown", "start": "2026-03-06T09:00", "end": "", "reason": "pump"}
    answer = send(zhao, closures, form, status=409)
    assert "Wang Li" in answer.content.decode()
    assert Reservation.objects.get().state == "confirmed"
    send(zhao, closures, form | {"displace": "on"})
    assert Reservation.objects.get().state == "displaced"
    effects_carry_out(now=clock.now)
    assert any("Displaced: Transmission electron microscope, " in m.subject for m in mail.outbox)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("book/?start=nonsense&minutes=60", 302),
        ("book/?start=2026-03-06T02:00:00&minutes=60", 302),  # no offset
        ("book/?start=2026-03-06T02:00:00Z&minutes=-5", 302),
        ("book/?start=2026-03-06T02:10:00Z&minutes=45", 200),  # off the grid: shown, refused
        ("?week=2026-99-99&minutes=abc", 200),
        ("quote/?start=x", 400),
    ],
)
def test_links_that_make_no_sense(cast, people, clock, path, status):
    see(people["wang"], f"/instruments/{cast.microscope.pk}/{path}", status=status)
    assert not Reservation.objects.exists()


def test_days_are_the_instruments_own(cast, people, clock):
    """A reader in London sees the week in the instrument's zone, and both on the form."""
    cast.wang.time_zone = "Europe/London"
    cast.wang.save()
    page = see(people["wang"], f"/instruments/{cast.microscope.pk}/?week=2026-03-06")
    assert f"{date(2026, 3, 6):%a}" in page.text
    assert "08:00" in page.text
    page = see(
        people["wang"], f"/instruments/{cast.microscope.pk}/book/?start=2026-03-06T02:00:00Z&minutes=60"
    )
    assert "10:00" in page.text and "02:00" in page.text and "London time" in page.text
