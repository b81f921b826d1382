"""Every address in the permission table, every cell of it tried."""

import functools
import json
import logging
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.domain.roles import By
from accounts.letters.mails import unsubscribe_address
from accounts.letters.words import zone_name
from accounts.models import Message, TrailEntry, User
from accounts.selectors.joining import invitation_token
from accounts.selectors.waits import load_counts
from accounts.services.invitations import invitation_send
from accounts.services.jobs import run_begin
from accounts.services.joining import join_ask
from accounts.services.organisation_requests import organisation_ask
from accounts.services.saved_views import view_save
from bookings.availability.services.kept_hours import kept_hours_grant
from bookings.browsing.services.lists import entry_keep, list_create
from bookings.browsing.services.searches import search_save
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.services.charges import charge_make
from bookings.messaging.selectors.feeds import feed_token
from bookings.messaging.services.feeds import busy_calendar_set, feed_make
from bookings.messaging.services.webhooks import webhook_add
from bookings.models import WebhookDelivery
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.questions.services.meters import counter_add, meter_add, meter_read
from bookings.questions.services.questions import questionnaire_set
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservation_cancel
from bookings.samples.services.samples import photo_add
from bookings.samples.services.sheets import sheet_put
from bookings.series.services.series import series_book
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.faults import fault_report
from bookings.usage.services.kiosks import kiosk_create
from bookings.usage.services.usage import reservation_answer_file
from config.pages import context, errors
from config.templatetags import display
from instruments.capabilities.services.capabilities import capability_add, question_ask
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.search.domain.search import Criteria
from instruments.training.models import CourseSession
from instruments.training.services.enrolments import enrolment_result
from tests.architecture import permission_table
from tests.conftest import as_served
from tests.factories.alarms import alarm_of
from tests.factories.attachments import PDF, photo, picture
from tests.factories.capabilities import parameters_of
from tests.factories.cast import CARD, NOW, at, reserve
from tests.factories.conversations import propose, say
from tests.factories.jobs import failed
from tests.factories.needs import measurand_of, need_of
from tests.factories.planning import plan_of
from tests.factories.qualifications import certify
from tests.factories.samples import announce, join
from tests.factories.things import money_things
from tests.factories.training import course, enrol, session
from tests.factories.waiting import wait


def rows(table):
    for line in table.strip().splitlines():
        method, name, *cells = line.split()
        yield method, name, cells


pytestmark = pytest.mark.django_db


counted_once = functools.cache(load_counts)


def bare(request, status, title, text, back, lacks=None):
    """An error page without what surrounds it: tests/config/pages has the real ones."""
    return HttpResponse(f"{title} {text}", status=status)


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    # As every request is rolled back, the same waits for a person on each page.
    monkeypatch.setattr(context, "load_counts", lambda actor, now, anew: counted_once(actor, now))
    monkeypatch.setattr(errors, "_answer", bare)
    monkeypatch.setattr(Client, "request", as_served)  # nobody reads its lines: a twentieth of the time
    # Nor what templates were given, of which the client keeps a copy for each.
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *given, **more: None)
    logging.disable(logging.WARNING)  # what nobody reads is not written
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def world(shared_cast):
    """One of each thing the addresses name, and the ids by the words of the table; made once,
    as every request is rolled back."""
    cast = shared_cast
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    given = cast.instrument(name="Submitted")
    type(given).objects.filter(pk=given.pk).update(publication="submitted")
    draft = cast.instrument(name="Draft", card={"valid_from": "2026-01-01"})
    type(draft).objects.filter(pk=draft.pk).update(publication="draft")
    closure = closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=draft.pk,
        outage=Outage("maintenance", at("2026-03-09 10:00"), at("2026-03-09 12:00")),
        displace=False,
    )
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    talked = say(cast, booked, files=[("grid.jpg", picture())])
    asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asks)
    now = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    draft_card = rate_card_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        card=parse_rate_card(CARD | {"valid_from": "2026-06-01"}),
        publish=False,
    )
    cancelled = reserve(cast, "2026-03-05 16:00", "2026-03-05 17:00", now=NOW - timedelta(minutes=11))
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=cancelled.pk, reason="")
    wish = wait(cast, cast.instrument(name="Waited for"), minutes=60)
    series = series_book(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            cast.microscope.pk, Period(at("2026-03-11 10:00"), at("2026-03-11 11:00")), None, "self"
        ),
        rule="FREQ=DAILY;COUNT=2",
        on_conflict="refuse",
    )
    chain = chain_book(
        By(cast.actor("wang"), NOW),
        steps=[StepWish(cast.microscope.pk, 60, "self"), StepWish(asks.pk, 60, "self")],
        organisation=None,
        purpose="research",
        purpose_text="",
        within=Period(at("2026-03-10 00:00"), at("2026-03-11 00:00")),
    )
    search = search_save(
        By(cast.actor("wang"), NOW), name="Titan", criteria=Criteria(text="titan"), organisation=cast.fudan
    )
    view = view_save(By(cast.actor("wang"), NOW), page="/money/charges/", query="", name="all")
    listed = list_create(By(cast.actor("wang"), NOW), name="For the thesis")
    entry = entry_keep(By(cast.actor("wang"), NOW), instrument_id=cast.microscope.pk, list_id=listed.pk)
    money = money_things(cast)
    held = hold_take(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            cast.microscope.pk, Period(at("2026-03-13 10:00"), at("2026-03-13 12:00")), None, "self"
        ),
    )
    alice = cast.people["alice"]
    alice.emailaddress_set.create(email=alice.email, verified=True, primary=True)
    invited = invitation_send(
        By(cast.actor("chen"), NOW), organisation=cast.fudan, email=alice.email, roles=["researcher"]
    )
    joining = join_ask(By(cast.actor("alice"), NOW), organisation=cast.fudan, text="")
    missing = organisation_ask(
        By(cast.actor("alice"), NOW), name="Third University", kind="university", region=cast.shanghai
    )
    taught, plain = course(cast), course(cast, name="Another")
    coming = session(cast, taught, places=3)
    led = session(cast, taught, trainers=(cast.sun.pk,))
    today = session(cast, course(cast, name="Begun"), "2026-03-05 12:30", trainers=(cast.sun.pk,))
    began = enrol(cast, today, by="zhao")
    over = session(cast, course(cast, name="Over"), "2026-03-05 13:00", trainers=(cast.sun.pk,))
    passed = enrol(cast, over, by="zhao")
    CourseSession.objects.filter(pk__in=[began.session_id, over.pk]).update(
        start_at=NOW - timedelta(hours=1), deadline_at=NOW - timedelta(hours=1)
    )
    enrolment_result(By(cast.actor("zhao"), NOW), enrolment_id=passed.pk, result="passed")
    parameters_of(cast)
    capability = capability_add(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        parameter="accelerating_voltage",
        maximum=Decimal(30),
    )
    question = question_ask(
        By(cast.actor("wang"), NOW), instrument_id=cast.microscope.pk, parameter="spatial_resolution"
    )
    fault = fault_report(
        By(cast.actor("wang"), NOW),
        instrument_id=asks.pk,
        severity="usable",
        text="The stage drifts.",
        photo=picture(),
    )
    kiosk, kiosk_code = kiosk_create(
        By(cast.actor("zhao"), NOW), name="Room 214", instrument_ids=[cast.microscope.pk]
    )
    by_host = By(cast.actor("zhao"), NOW)
    ruled = cast.instrument(name="With rules and questions")
    house_rules_set(by_host, instrument_id=ruled.pk, text="Gloves.", text_zh="")
    questionnaire_set(
        by_host,
        instrument_id=ruled.pk,
        moment="before",
        fields=[
            {"key": "clean", "kind": "yes_no", "label": "Clean?", "required": True},
            {"key": "stage", "kind": "file", "label": "Stage"},
        ],
    )
    questioned = reserve(cast, "2026-03-12 10:00", "2026-03-12 12:00", instrument=ruled, house_rules=1)
    answer_file = reservation_answer_file(
        By(cast.actor("wang"), NOW),
        reservation_id=questioned.pk,
        moment="before",
        key="stage",
        name="Stage",
        content=picture(),
    )
    meter = meter_add(by_host, instrument_id=cast.microscope.pk, name="Filament")
    counter = counter_add(
        by_host, instrument_id=cast.microscope.pk, meter=meter.pk, name="Tip", limit=Decimal(500)
    )
    kept = kept_hours_grant(
        by_host,
        instrument=cast.microscope,
        holder=cast.fudan,
        minutes=60,
        starts_at=at("2026-06-01 00:00"),
        ends_at=at("2026-06-06 00:00"),
        price=None,
        released_minutes=0,
        reason="test",
    )
    effects_carry_out(now=NOW)
    feed = feed_make(By(cast.actor("wang"), NOW), instrument_id=None)
    busy_calendar_set(By(cast.actor("wang"), NOW), address="https://calendar.example/")
    webhook = webhook_add(
        By(cast.actor("zhao"), NOW),
        organisation_id=cast.ustc.pk,
        address="https://lab.example/",
        events=["reservation.confirmed"],
        description="",
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=webhook, event="reservation.confirmed", cause="x", body="{}", state="failed",
        created_at=NOW,
    )  # fmt: skip
    sample = announce(cast)
    join(cast, booked, sample)
    sheet = ("a.pdf", PDF)
    sheet_put(By(cast.actor("wang"), NOW), sample_id=sample.pk, file=sheet)
    sample.refresh_from_db()
    sample_photo = photo_add(By(cast.actor("wang"), NOW), sample_id=sample.pk, content=picture())
    told = Message.objects.filter(user=cast.people["wang"]).latest("created_at", "id")
    return cast, {
        "message": str(told.pk),
        "alarm": str(alarm_of(cast.microscope).pk),
        "fault": str(fault.pk),
        "fault-note": str(fault.notes.get().pk),
        "kiosk": str(kiosk.pk),
        "kiosk-code": kiosk_code,
        "short-code": cast.microscope.short_code,
        "webhook": str(webhook.pk),
        "delivery": str(delivery.pk),
        "feed": str(feed.pk),
        "feed-token": feed_token(feed.pk),
        "unsubscribe-token": unsubscribe_address(told.user, ["reminder"]).split("/")[-2],
        **money,
        "anhui": str(cast.anhui.pk),
        "shanghai": str(cast.shanghai.pk),
        "fudan": str(cast.fudan.pk),
        "ustc": str(cast.ustc.pk),
        "member": str(cast.people["wang"].pk),
        "membership": str(cast.people["wang"].memberships.get().pk),
        "role": str(cast.people["wang"].role_grants.get().pk),
        "invitation": str(invited.pk),
        "invitation-token": invitation_token(invited.pk),
        "join-request": str(joining.pk),
        "missing": str(missing.pk),
        "held": str(held.pk),
        "draft-card": str(draft_card.version),
        "replayed": str(charge_make(reservation_id=cancelled.pk, now=NOW).pk),
        "chain": str(chain.pk),
        "asks-first": str(asks.pk),
        "series": str(series.series.pk),
        "occurrence": str(series.reservations[0].pk),
        "technique": cast.technique.code,
        "measurand": measurand_of(cast).code,
        "parameter": "spatial_resolution",
        "capability": str(capability.pk),
        "ruled": str(ruled.pk),
        "questioned": str(questioned.pk),
        "moment": "before",
        "answer-file": str(answer_file.pk),
        "meter": str(meter.pk),
        "reading": str(meter_read(by_host, meter_id=meter.pk, value="5").pk),
        "counter": str(counter.pk),
        "kept": str(kept.pk),
        "question": str(question.pk),
        "region-code": cast.shanghai.code,
        "search": str(search.pk),
        "list": str(listed.pk),
        "list-entry": str(entry.pk),
        "view": str(view.pk),
        "run": str(run_begin("hours", NOW)),  # the clock is heard
        "failure": str(failed(cast.ustc.pk).pk),
        "instrument": str(cast.microscope.pk),
        "draft": str(draft.pk),
        "submitted": str(given.pk),
        "reservation": str(booked.pk),
        "trail-entry": str(TrailEntry.objects.filter(object_id=booked.pk).latest("at").pk),
        "request": str(asked.pk),
        "present": str(now.pk),
        "closure": str(closure.pk),
        "wish": str(wish.pk),
        "need": str(need_of(cast).pk),
        **permission_table.things_of_areas(cast),
        "plan": str(plan_of(cast, "zhao", "ustc").pk),
        "sample-item": str(sample.pk),
        "sample-code": sample.code,
        "sample-sheet": str(sample.sheet_id),
        "sample-photo": str(sample_photo.pk),
        "offered": str(wish.offers.get().reservation_id),
        "attachment": str(photo(cast, cast.microscope).pk),
        "facility": str(cast.facility.pk),
        "qualification": str(certify(cast, cast.microscope).pk),
        "course": str(taught.pk),
        "plain-course": str(plain.pk),
        "course-session": str(coming.pk),
        "led-session": str(led.pk),
        "enrolment": str(enrol(cast, coming).pk),
        "begun-enrolment": str(began.pk),
        "passed-enrolment": str(passed.pk),
        "size": "small",
        "size-of-document": "file",
        "kind": "reservation",
        "comment": str(talked.pk),
        "comment-file": str(talked.files.get().pk),
        "proposal": str(propose(cast, booked, "2026-03-06 15:00", "2026-03-06 17:00").pk),
        "section": "instruments",
        "absent": "01920000-0000-7000-8000-000000000000",
    }


@pytest.fixture(scope="module")
def sessions(world):
    """Everybody is signed in once."""
    browsers = {"": Client()}
    for person in filter(None, permission_table.PEOPLE):
        browsers[person] = Client()
        browsers[person].force_login(world[0].people[person])
    return {person: browser.cookies for person, browser in browsers.items()}


WRITES = ("INSERT", "UPDATE", "DELETE", "COPY", "MERGE", "TRUNCATE")

# What everybody may keep: published records and photos.
KEPT_BY_ALL = {
    *("instruments:file", "api-catalogue-records", "oai", "doc-picture", "api-dcat", "api-availability-feed")
}

LINK = re.compile(r'<a\s[^>]*?href="(/[^"#]+)')


def filled(value, things):
    """A body with its words replaced by ids."""
    text = json.dumps(value)
    for word, pk in things.items():
        text = text.replace(f"<{word}>", pk)
    return json.loads(text)


def address(name, things, method="GET"):
    wanted = {
        argument: things[
            permission_table.THINGS.get((name, argument), permission_table.ARGUMENTS.get(argument, "absent"))
        ]
        for argument in arguments_of(name)
    }
    # The API refuses parameters that an operation does not have: these are those of the read.
    asks = method == "GET" or not name.startswith("api-")
    query = permission_table.QUERIES.get(name, "") if asks else ""
    return reverse(name, kwargs=wanted) + filled(query, things)


def arguments_of(name):
    return ROUTES[name]


def routes(resolver=None, namespace=""):
    """Every route of the project by its full name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace) if part)
            yield from routes(pattern, inner)
        else:
            name = ":".join(part for part in (namespace, pattern.name) if part)
            yield name, pattern


PATTERNS = dict(routes())
ROUTES = {name: tuple(pattern.pattern.converters) for name, pattern in PATTERNS.items()}
# Pages whose forms say which of several acts is meant, with these.
ACTS = {name: acts for name, pattern in PATTERNS.items() if (acts := getattr(pattern.callback, "acts", None))}


def answers(things, sessions, method, name, body, is_api):
    """Each person's answer as a cell and as it came."""
    path, sent = address(name, things, method), None if body is None else filled(body, things)
    for person in permission_table.PEOPLE:
        answer = answered(sessions[person], method, path, sent, is_api)
        kept = answer.get("Cache-Control", "")
        assert ("public" in kept) == (name in KEPT_BY_ALL and answer.status_code == 200), person
        if "public" not in kept:
            assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", ")), person
        if person or "token" in arguments_of(name):
            assert "public" in kept or ("private" in kept and "no-store" in kept), person
        is_door = answer.status_code == 302 and "/accounts/login/" in answer["Location"]
        yield "-" if is_door or answer.status_code == 401 else str(answer.status_code), answer


HANDLER = ClientHandler(enforce_csrf_checks=False)  # which makes its middleware once


def answered(session, method, path, body, is_api):
    """What one address answers, in a transaction that is rolled back."""
    browser = Client(headers={"Tus-Resumable": "1.0.0"})
    browser.handler = HANDLER
    browser.cookies.update(session)
    values = {} if body is None else {"data": body}
    if is_api and body is not None:
        values["content_type"] = "application/json"
    with transaction.atomic():
        answer = getattr(browser, method.lower())(path, **values)
        transaction.set_rollback(True)
    return answer


ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What differs from one answer to the same to the next.
VARIES = re.compile(r'\b[A-Za-z0-9]{64}\b|nonce="[^"]+"')


# Who may see the case, and who decides on no request at all: an empty form tells them that.
ANSWERED_OTHERWISE = {"bookings:review-experts", "bookings:decide"}


def said(answer, path):
    return VARIES.sub("", answer.content.decode()).replace(path, "")


def must_tell_nothing(things, sessions, method, name, given, body, is_api):
    """Who may not see a row is answered the same where there is none, and whatever they send."""
    column = next((n for n, (cell, _) in enumerate(given) if cell == "404"), None)
    path = address(name, things, method)
    ids = [found.span() for found in ID.finditer(path)]
    if method == "GET" or column is None or not ids:
        return
    start, end = ids[-1]  # the row; what is before it may be everybody's to see
    gone = path[:start] + things["absent"] + path[end:]
    person, seen = sessions[permission_table.PEOPLE[column]], given[column][1]
    sent = None if body is None else filled(body, things)
    nowhere = answered(person, method, gone, sent, is_api)
    assert (nowhere.status_code, said(nowhere, gone)) == (404, said(seen, path)), "there is such a row"
    if not is_api and name not in ANSWERED_OTHERWISE:
        bare = {"act": body["act"]} if "act" in body else {}
        empty = answered(person, method, path, bare, is_api)
        assert (empty.status_code, said(empty, path)) == (404, said(seen, path)), (
            "the form is looked at first"
        )


@pytest.fixture(scope="module")
def pages_by_path(world):
    """Which cells a page has that a link may lead to."""
    _, things = world
    return {
        address(name, things).partition("?")[0]: cells
        for method, name, cells in rows(permission_table.PAGES)
        if method == "GET"
    }


@pytest.fixture
def zones(world, monkeypatch):
    """The zones of the times that were printed; everybody reads from far away."""
    printed, local = set(), display.local

    def recorded(value):
        printed.add(timezone.get_current_timezone_name())
        return local(value)

    monkeypatch.setattr(display, "local", recorded)
    User.objects.update(time_zone="America/New_York")
    return printed


@pytest.mark.parametrize(("method", "name", "cells"), list(rows(permission_table.PAGES)))
def test_page(world, sessions, pages_by_path, zones, method, name, cells):
    body = permission_table.PAGE_BODIES.get(name, {}) if method == "POST" else None
    found, came, dead_ends, bare = [], [], set(), set()
    for column, (cell, answer) in enumerate(answers(world[1], sessions, method, name, body, False)):
        found.append(cell)
        came.append(answer)
        if cell == "200" and answer.get("Content-Type", "").startswith("text/html"):
            html = answer.content.decode()
            # A part of a page is read on one that names its reader's zone.
            part_of = set() if "<html" in html else {"America/New_York"}
            bare |= {zone for zone in zones - part_of if zone_name(zone) not in html}
            for href in LINK.findall(html):
                leads = pages_by_path.get(unescape(href).partition("?")[0])
                if leads and leads[column] not in {"200", "302", "-"}:
                    dead_ends.add(f"{permission_table.PEOPLE[column]}: {href} answers {leads[column]}")
        zones.clear()
    assert found == cells
    if method == "POST":
        must_tell_nothing(world[1], sessions, method, name, list(zip(found, came, strict=True)), body, False)
    assert bare == set(), "times of a zone that the page does not name"
    assert dead_ends == set(), "links that lead nowhere"


# What a refusal of this status is called where the table says nothing else.
USUAL = {
    ("400", "invalid"),
    ("403", "not-permitted"),
    ("404", "not-found"),
    ("409", "wrong-state"),
    ("415", "unsupported-media-type"),
    ("422", "rules-refuse"),
}


@pytest.mark.parametrize(("method", "name", "cells"), list(rows(permission_table.API)))
def test_api(world, sessions, method, name, cells):
    body = None if method in {"GET", "DELETE"} else permission_table.API_BODIES.get((method, name), {})
    given = list(answers(world[1], sessions, method, name, body, True))
    assert [cell for cell, _ in given] == cells
    if method not in {"GET", "HEAD"}:
        refused = {(cell, a.json()["code"]) for cell, a in given if cell >= "400"} - USUAL
        assert refused == {
            (cell, code) for m, n, (cell, code) in rows(permission_table.REFUSED) if (m, n) == (method, name)
        }
        must_tell_nothing(world[1], sessions, method, name, given, body, True)


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_that_a_page_does_not_know_is_refused(world, sessions, name):
    body = permission_table.PAGE_BODIES.get(name, {})
    assert body.get("act") in ACTS[name], "the table sends one of its acts"
    allowed = next(cells for m, other, cells in rows(permission_table.PAGES) if (m, other) == ("POST", name))
    unknown, missing = body | {"act": "unheard-of"}, {k: body[k] for k in body if k != "act"}
    for sent in unknown, missing:
        with CaptureQueriesContext(connection) as done:
            given = list(answers(world[1], sessions, "POST", name, sent, False))
        assert [cell for cell, _ in given] == ["-" if cell == "-" else "400" for cell in allowed]
        said = given[-1][1].content.decode()
        assert "out of date or incomplete" in said
        assert [q["sql"] for q in done if q["sql"].startswith(WRITES)] == []


def test_no_page_reads_its_act_otherwise():
    """Then no act is carried out for want of a better one."""
    assert {name for name, body in permission_table.PAGE_BODIES.items() if "act" in body} == set(ACTS)
    reads = re.compile(r"""POST(\.get)?[(\[]["']act["']""")
    found = {
        str(path)
        for app in ("accounts", "instruments", "bookings", "config")
        for path in Path(app).rglob("*.py")
        if reads.search(path.read_text())
    }
    assert found == {"accounts/views/pages.py"}


def test_every_address_is_in_the_table():
    named = {name for table in (permission_table.PAGES, permission_table.API) for _, name, _ in rows(table)}
    missing = {name for name in ROUTES if name and not name.startswith(permission_table.NOT_OURS)} - named
    assert missing == set()
    assert {name for name in named if name not in ROUTES} == set()
