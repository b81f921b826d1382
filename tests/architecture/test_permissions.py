"""Every address in the permission table, every cell of it tried."""

import functools
import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.domain.roles import By
from accounts.letters.mails import unsubscribe_address
from accounts.models import Message, TrailEntry, User
from accounts.selectors.joining import invitation_token
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
from bookings.overview.selectors.home import load_counts
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.questions.services.meters import counter_add, meter_add, meter_read
from bookings.questions.services.questions import questionnaire_set
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservation_cancel
from bookings.samples.services.samples import photo_add
from bookings.series.services.series import series_book
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.faults import fault_report
from bookings.usage.services.kiosks import kiosk_create
from bookings.usage.services.usage import reservation_answer_file
from config.pages import context
from config.templatetags import display
from instruments.domain.ratecards import parse_rate_card
from instruments.domain.search import Criteria
from instruments.models import CourseSession
from instruments.services.capabilities import capability_add, question_ask
from instruments.services.house_rules import house_rules_set
from instruments.services.ratecards import rate_card_create
from tests.architecture.permission_table import (
    API,
    API_BODIES,
    NOT_OURS,
    PAGE_BODIES,
    PAGES,
    PEOPLE,
    QUERIES,
)
from tests.factories.alarms import alarm_of
from tests.factories.attachments import photo, picture
from tests.factories.audit import audit_things
from tests.factories.batches import batch_things
from tests.factories.board import board_things
from tests.factories.capabilities import parameters_of
from tests.factories.cast import CARD, NOW, at, reserve
from tests.factories.collecting import collecting_things
from tests.factories.conversations import propose, say
from tests.factories.imports import import_things
from tests.factories.jobs import failed
from tests.factories.needs import measurand_of, need_of
from tests.factories.planning import plan_of
from tests.factories.qualifications import certify
from tests.factories.results import result_things
from tests.factories.reviews import review_things
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


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    # As every request is rolled back, the same waits for a person on each page.
    monkeypatch.setattr(context, "load_counts", counted_once)


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
    cancelled = reserve(
        cast, "2026-03-05 16:00", "2026-03-05 17:00", now=NOW - timedelta(minutes=11)
    )
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
        By(cast.actor("wang"), NOW),
        name="Titan",
        criteria=Criteria(text="titan"),
        organisation=cast.fudan,
    )
    view = view_save(By(cast.actor("wang"), NOW), page="/money/charges/", query="", name="all")
    listed = list_create(By(cast.actor("wang"), NOW), name="For the thesis")
    entry = entry_keep(
        By(cast.actor("wang"), NOW), instrument_id=cast.microscope.pk, list_id=listed.pk
    )
    money = money_things(cast)
    held = hold_take(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            cast.microscope.pk,
            Period(at("2026-03-13 10:00"), at("2026-03-13 12:00")),
            None,
            "self",
        ),
    )
    alice = cast.people["alice"]
    alice.emailaddress_set.create(email=alice.email, verified=True, primary=True)
    invited = invitation_send(
        By(cast.actor("chen"), NOW),
        organisation=cast.fudan,
        email=alice.email,
        roles=["researcher"],
    )
    joining = join_ask(By(cast.actor("alice"), NOW), organisation=cast.fudan, text="")
    missing = organisation_ask(
        By(cast.actor("alice"), NOW),
        name="Third University",
        kind="university",
        region=cast.shanghai,
    )
    taught, plain = course(cast), course(cast, name="Another")
    coming = session(cast, taught, places=3)
    led = session(cast, taught, trainers=(cast.sun.pk,))
    today = session(cast, course(cast, name="Begun"), "2026-03-05 12:30", trainers=(cast.sun.pk,))
    began = enrol(cast, today, by="zhao")
    CourseSession.objects.filter(pk=began.session_id).update(
        start_at=NOW - timedelta(hours=1), deadline_at=NOW - timedelta(hours=1)
    )
    parameters_of(cast)
    capability = capability_add(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        parameter="accelerating_voltage",
        maximum=Decimal(30),
    )
    question = question_ask(
        By(cast.actor("wang"), NOW),
        instrument_id=cast.microscope.pk,
        parameter="spatial_resolution",
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
    questioned = reserve(
        cast, "2026-03-12 10:00", "2026-03-12 12:00", instrument=ruled, house_rules=1
    )
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
        **import_things(cast),
        **audit_things(cast),
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
        **review_things(cast),
        "plan": str(plan_of(cast, "zhao", "ustc").pk),
        **board_things(cast),
        **batch_things(cast),
        "sample-item": str(sample.pk),
        "sample-code": sample.code,
        "sample-photo": str(sample_photo.pk),
        **collecting_things(cast),
        **result_things(cast),
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
        "size": "small",
        "kind": "reservation",
        "comment": str(talked.pk),
        "comment-file": str(talked.files.get().pk),
        "proposal": str(propose(cast, booked, "2026-03-06 15:00", "2026-03-06 17:00").pk),
        "section": "instruments",
        "absent": "01920000-0000-7000-8000-000000000000",
    }


# Which thing an argument of an address names; the first that fits the row's name.
ARGUMENTS = {
    "bundle_id": "bundle",
    "export_id": "export",
    "exception_id": "exception",
    "finding_id": "finding",
    "sample_id": "sample",
    "instrument_id": "instrument",
    "attachment_id": "attachment",
    "size": "size",
    "section": "section",
    "version": "draft-card",
    "reservation_id": "reservation",
    "object_id": "reservation",
    "closure_id": "closure",
    "alarm_id": "alarm",
    "fault_id": "fault",
    "note_id": "fault-note",
    "kiosk_id": "kiosk",
    "series_id": "series",
    "chain_id": "chain",
    "wish_id": "wish",
    "need_id": "need",
    "case_id": "case",
    "pledge_id": "pledge",
    "expert_id": "expert",
    "scheme_id": "scheme",
    "plan_id": "plan",
    "decision": "decision-key",
    "batch_id": "batch",
    "place_id": "batch-place",
    "enquiry_id": "enquiry",
    "bid_id": "bid",
    "item_id": "sample-item",
    "photo_id": "sample-photo",
    "code": "sample-code",
    "hand_off_id": "expected-results",
    "file_id": "result-file",
    "search_id": "search",
    "list_id": "list",
    "view_id": "view",
    "failure_id": "failure",
    "token_id": "absent",
    "facility_id": "facility",
    "qualification_id": "qualification",
    "statement_id": "statement",
    "notice_id": "notice",
    "settlement_id": "settlement",
    "agreement_id": "agreement",
    "programme_id": "programme",
    "grant_id": "grant",
    "charge_id": "charge",
    "correction_id": "correction",
    "source_id": "source",
    "organisation_id": "fudan",
    "region_id": "anhui",
    "user_id": "member",
    "message_id": "message",
    "feed_id": "feed",
    "endpoint_id": "webhook",
    "delivery_id": "delivery",
    "membership_id": "membership",
    "role_id": "role",
    "invitation_id": "invitation",
    "token": "invitation-token",
    "request_id": "join-request",
    "course_id": "course",
    "session_id": "course-session",
    "enrolment_id": "enrolment",
    "entry_id": "absent",
    "import_id": "import",
    "mapping_id": "mapping",
    "harvest_id": "harvest",
    "capability_id": "capability",
    "moment": "moment",
    "meter_id": "meter",
    "reading_id": "reading",
    "counter_id": "counter",
    "kept_id": "kept",
    "question_id": "question",
    "kind": "kind",
    "subject_id": "reservation",
    "comment_id": "comment",
    "proposal_id": "proposal",
}
SPECIAL = {
    ("bookings:review-change", "case_id"): "case-draft",
    ("bookings:review-act", "case_id"): "case-draft",
    ("bookings:review-appeal", "case_id"): "case-refused",
    ("bookings:review-service", "case_id"): "case-approved",
    ("api-purchase-case-check", "case_id"): "case-draft",
    ("api-purchase-case-reopen", "case_id"): "case-checked",
    ("api-purchase-case-submit", "case_id"): "case-checked",
    ("api-purchase-case-withdraw", "case_id"): "case-draft",
    ("api-purchase-case-hosts", "case_id"): "case-submitted",
    ("api-purchase-case-review", "case_id"): "case-submitted",
    ("api-purchase-case-appeal", "case_id"): "case-refused",
    ("api-purchase-case-ordered", "case_id"): "case-approved",
    ("api-purchase-case-in-service", "case_id"): "case-approved",
    ("api-purchase-case", "case_id"): "case-draft",
    ("bookings:comment-file", "file_id"): "comment-file",
    ("api-comment-file", "file_id"): "comment-file",
    ("bookings:answer-file", "file_id"): "answer-file",
    ("api-answer-file", "file_id"): "answer-file",
    ("api-reservation-answers-attachments", "reservation_id"): "questioned",
    ("bookings:result-package", "hand_off_id"): "released-result",
    ("bookings:result-file", "hand_off_id"): "released-result",
    ("bookings:result-link", "hand_off_id"): "released-result",
    ("bookings:result-confirm", "hand_off_id"): "released-result",
    ("bookings:result-keep", "hand_off_id"): "released-result",
    ("bookings:result-hold", "hand_off_id"): "released-result",
    ("api-result-package", "hand_off_id"): "released-result",
    ("api-result-content", "hand_off_id"): "released-result",
    ("api-result-receipts", "hand_off_id"): "released-result",
    ("api-result-confirm", "hand_off_id"): "released-result",
    ("api-result-keep", "hand_off_id"): "released-result",
    ("api-result-keep-requests", "hand_off_id"): "released-result",
    ("api-result-hold", "hand_off_id"): "released-result",
    ("bookings:result-file", "file_id"): "released-file",
    ("api-result-content", "file_id"): "released-file",
    ("bookings:collect-file", "file_id"): "released-file",
    ("bookings:result-link-revoke", "link_id"): "result-link",
    ("api-result-link", "link_id"): "result-link",
    ("bookings:collect", "token"): "collect-token",
    ("bookings:collect-package", "token"): "collect-token",
    ("bookings:collect-file", "token"): "collect-token",
    ("bookings:result-keep-answer", "request_id"): "keep-request",
    ("api-keep-request-decide", "request_id"): "keep-request",
    ("bookings:result-seal", "hand_off_id"): "uploading-results",
    ("api-result-seal", "hand_off_id"): "uploading-results",
    ("bookings:result-file-remove", "hand_off_id"): "uploading-results",
    ("bookings:result-release", "hand_off_id"): "sealed-results",
    ("api-result-release", "hand_off_id"): "sealed-results",
    ("instruments:house-rules", "instrument_id"): "ruled",
    ("instruments:house-rules-edit", "instrument_id"): "ruled",
    ("api-house-rules", "instrument_id"): "ruled",
    ("api-house-rules-accept", "instrument_id"): "ruled",
    ("bookings:questions", "reservation_id"): "questioned",
    ("api-reservation-answers", "reservation_id"): "questioned",
    ("bookings:finding-return", "finding_id"): "answered-finding",
    ("api-audit-finding-return", "finding_id"): "answered-finding",
    ("bookings:feed", "token"): "feed-token",
    ("bookings:kiosk-enrol-link", "token"): "kiosk-code",
    ("bookings:at", "code"): "short-code",
    ("bookings:fault-new", "code"): "short-code",
    ("bookings:check-in-code", "reservation_id"): "present",
    ("api-reservation-check-in-code", "reservation_id"): "present",
    ("bookings:proof", "entry_id"): "trail-entry",
    ("bookings:list-entry", "entry_id"): "list-entry",
    ("api-list-entry", "entry_id"): "list-entry",
    ("api-trail-proof", "entry_id"): "trail-entry",
    ("accounts:unsubscribe", "token"): "unsubscribe-token",
    ("instruments:course-retire", "course_id"): "plain-course",
    ("api-course-retire", "course_id"): "plain-course",
    ("instruments:session-manage", "session_id"): "led-session",
    ("instruments:enrolment-result", "enrolment_id"): "begun-enrolment",
    ("api-enrolment-result", "enrolment_id"): "begun-enrolment",
    ("instruments:harvest-resume", "harvest_id"): "paused-harvest",
    ("api-harvest-resume", "harvest_id"): "paused-harvest",
    ("instruments:technique", "code"): "technique",
    ("api-technique", "code"): "technique",
    ("instruments:measurand", "code"): "measurand",
    ("api-measurand", "code"): "measurand",
    ("api-parameter", "code"): "parameter",
    ("api-region", "code"): "region-code",
    ("api-organisation-request", "request_id"): "missing",
    ("api-organisation-request-approve", "request_id"): "missing",
    ("api-organisation-request-reject", "request_id"): "missing",
    ("bookings:organisation-request", "request_id"): "missing",
    ("bookings:organisation-request-withdraw", "request_id"): "missing",
    ("api-region-close", "code"): "region-code",
    ("instruments:import-columns", "import_id"): "unmapped",
    ("api-import-mapping", "import_id"): "unmapped",
    ("bookings:money-settlements-pay", "settlement_id"): "confirmed-settlement",
    ("api-settlement-payments", "settlement_id"): "confirmed-settlement",
    ("api-hold", "reservation_id"): "held",
    ("bookings:money-charges-withdraw", "charge_id"): "disputed",
    ("bookings:money-charges-reject", "charge_id"): "disputed",
    ("bookings:money-sessions-complete", "reservation_id"): "unrecorded",
    ("api-charge-withdraw", "charge_id"): "disputed",
    ("api-charge-settle", "charge_id"): "disputed",
    ("api-reservation-usage", "reservation_id"): "unrecorded",
    ("bookings:series-cancel", "reservation_id"): "occurrence",
    ("bookings:series-move", "reservation_id"): "occurrence",
    ("bookings:money-charges-replay", "charge_id"): "replayed",
    ("api-charge-replay", "charge_id"): "replayed",
    ("instruments:publication", "instrument_id"): "draft",
    ("bookings:decide", "reservation_id"): "request",
    ("bookings:check-in", "reservation_id"): "present",
    ("bookings:waiting-decline", "reservation_id"): "offered",
    ("api-reservation-approve", "reservation_id"): "request",
    ("api-reservation-reject", "reservation_id"): "request",
    ("api-reservation-check-in", "reservation_id"): "present",
    ("api-instrument-publish", "instrument_id"): "draft",
    ("api-instrument-submit", "instrument_id"): "draft",
    ("api-instrument-return", "instrument_id"): "submitted",
    ("api-instrument-retire", "instrument_id"): "draft",
}


@pytest.fixture(scope="module")
def sessions(world):
    """Everybody is signed in once."""
    browsers = {"": Client()}
    for person in filter(None, PEOPLE):
        browsers[person] = Client()
        browsers[person].force_login(world[0].people[person])
    return {person: browser.cookies for person, browser in browsers.items()}


# What everybody may keep: published records and photos.
KEPT_BY_ALL = {"instruments:file", "api-catalogue-records"}

LINK = re.compile(r'<a\s[^>]*?href="(/[^"#]+)')


def filled(value, things):
    """A body with its words replaced by ids."""
    text = json.dumps(value)
    for word, pk in things.items():
        text = text.replace(f"<{word}>", pk)
    return json.loads(text)


def address(name, things):
    wanted = {
        argument: things[SPECIAL.get((name, argument), ARGUMENTS.get(argument, "absent"))]
        for argument in arguments_of(name)
    }
    query = QUERIES.get(name, "")
    return reverse(name, kwargs=wanted) + filled(query, things)


def arguments_of(name):
    return ROUTES[name]


def routes(resolver=None, namespace=""):
    """Every route of the project by its full name, with its arguments."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace) if part)
            yield from routes(pattern, inner)
        else:
            name = ":".join(part for part in (namespace, pattern.name) if part)
            yield name, tuple(pattern.pattern.converters)


ROUTES = dict(routes())


def answers(things, sessions, method, name, body, is_api):
    """Each person's answer as a cell and as it came, each in a transaction that is rolled back."""
    path = address(name, things)
    for person in PEOPLE:
        browser = Client(headers={"Tus-Resumable": "1.0.0"})
        browser.cookies.update(sessions[person])
        with transaction.atomic():
            values = {"data": filled(body, things)} if body is not None else {}
            if is_api and body is not None:
                values["content_type"] = "application/json"
            answer = getattr(browser, method.lower())(path, **values)
            transaction.set_rollback(True)
        kept = answer.get("Cache-Control", "")
        assert ("public" in kept) == (name in KEPT_BY_ALL and answer.status_code == 200), person
        if "public" not in kept:
            assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", ")), person
        if person or "token" in arguments_of(name):
            assert "public" in kept or ("private" in kept and "no-store" in kept), person
        is_door = answer.status_code == 302 and "/accounts/login/" in answer["Location"]
        yield "-" if is_door or answer.status_code == 401 else str(answer.status_code), answer


@pytest.fixture(scope="module")
def pages_by_path(world):
    """Which cells a page has that a link may lead to."""
    _, things = world
    return {
        address(name, things).partition("?")[0]: cells
        for method, name, cells in rows(PAGES)
        if method == "GET"
    }


@pytest.fixture
def zones(world, monkeypatch):
    """The zones of the times that were printed; everybody reads from far away."""
    printed, dated = set(), display.dated

    def recorded(value, english, chinese):
        if "H:i" in english:
            printed.add(timezone.get_current_timezone_name())
        return dated(value, english, chinese)

    monkeypatch.setattr(display, "dated", recorded)
    User.objects.update(time_zone="America/New_York")
    return printed


@pytest.mark.parametrize(("method", "name", "cells"), list(rows(PAGES)))
def test_page(world, sessions, pages_by_path, zones, method, name, cells):
    body = PAGE_BODIES.get(name, {}) if method == "POST" else None
    found, dead_ends, bare = [], set(), set()
    for column, (cell, answer) in enumerate(answers(world[1], sessions, method, name, body, False)):
        found.append(cell)
        if cell == "200" and answer.get("Content-Type", "").startswith("text/html"):
            html = answer.content.decode()
            # A part of a page is read on one that names its reader's zone.
            part_of = set() if "<html" in html else {"America/New_York"}
            bare |= {zone for zone in zones - part_of if zone not in html}
            for href in LINK.findall(html):
                leads = pages_by_path.get(unescape(href).partition("?")[0])
                if leads and leads[column] not in {"200", "302", "-"}:
                    dead_ends.add(f"{PEOPLE[column]}: {href} answers {leads[column]}")
        zones.clear()
    assert found == cells
    assert bare == set(), "times of a zone that the page does not name"
    assert dead_ends == set(), "links that lead nowhere"


@pytest.mark.parametrize(("method", "name", "cells"), list(rows(API)))
def test_api(world, sessions, method, name, cells):
    body = None if method in {"GET", "DELETE"} else API_BODIES.get((method, name), {})
    given = answers(world[1], sessions, method, name, body, True)
    assert [cell for cell, _ in given] == cells


def test_every_address_is_in_the_table():
    named = {name for table in (PAGES, API) for _, name, _ in rows(table)}
    missing = {name for name in ROUTES if name and not name.startswith(NOT_OURS)} - named
    assert missing == set()
    assert {name for name in named if name not in ROUTES} == set()
