"""Random requests, by the description: nothing breaks, and answers are as described."""

import functools
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.throttling import SimpleRateThrottle
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.domain.roles import By
from accounts.models import TrailEntry
from accounts.services.invitations import invitation_send
from accounts.services.joining import join_ask
from accounts.services.organisation_moves import move_decide
from accounts.services.tokens import token_issue
from bookings.availability.services.kept_hours import kept_hours_grant
from bookings.browsing.services.lists import list_create
from bookings.browsing.services.searches import search_save
from bookings.catalogue.selectors.parties import Booking
from bookings.messaging.services.feeds import feed_make
from bookings.messaging.services.webhooks import webhook_add
from bookings.models import WebhookDelivery
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.questions.services.meters import counter_add, meter_add, meter_read
from bookings.record.domain.periods import Period
from bookings.series.services.series import series_book
from bookings.usage.services.faults import fault_report
from bookings.usage.services.kiosks import kiosk_create
from config.api.docs import openapi
from config.wsgi import application
from instruments.domain.ratecards import parse_rate_card
from instruments.domain.search import Criteria
from instruments.services.capabilities import capability_add, question_ask
from instruments.services.ratecards import rate_card_create
from tests.conftest import DEEP
from tests.factories import api as programs
from tests.factories.alarms import alarm_of
from tests.factories.attachments import photo, picture
from tests.factories.audit import audit_things
from tests.factories.batches import batch_things
from tests.factories.board import board_things
from tests.factories.capabilities import parameters_of
from tests.factories.cards import CARD
from tests.factories.cast import NOW, Cast, at, reserve
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

clock = programs.clock  # a fixture

EXAMPLES = 300 if DEEP else 5
# A manager, a researcher, finance, an auditor, a coordinator, an administrator, a newcomer.
ROLES = ("zhao", "wang", "gao", "auditor", "coordinator", "admin", "alice")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
OPERATIONS = sorted(
    (path, method.upper()) for path, methods in openapi("en")["paths"].items() for method in methods
)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No throttle; and requests keep the test's own connection, as Django's client does."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": None, "user": None})
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people(shared_cast: Cast) -> dict[str, str]:
    """What the program of each sends to say who it is."""
    lifetime = timedelta(days=366)
    return {
        name: "Bearer "
        + token_issue(user=shared_cast.people[name], label="test", lifetime=lifetime, now=NOW)[1]
        for name in ROLES
    }


@functools.cache
def described() -> Any:
    """The description as a program reads it."""
    return schemathesis.openapi.from_wsgi("/api/v1/schema/", application)


@pytest.fixture(scope="module")
def known(shared_cast: Cast) -> dict[str, list[str]]:
    """Ids that there are, so that requests get past 404; made once, as every request is rolled
    back."""
    cast = shared_cast
    manual = cast.instrument(name="Cryo-EM", policy={"approval": "manual"})
    made = [
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"),
        reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=manual),
    ]
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
        steps=[StepWish(cast.microscope.pk, 60, "self"), StepWish(manual.pk, 60, "self")],
        organisation=None,
        purpose="research",
        purpose_text="",
        within=Period(at("2026-03-10 00:00"), at("2026-03-11 00:00")),
    )
    move = move_decide(
        By(cast.actor("admin"), NOW),
        organisation_id=cast.ustc.pk,
        region=cast.shanghai,
        starts_on=(NOW + timedelta(days=300)).date(),
    )
    draft = rate_card_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        card=parse_rate_card(CARD | {"valid_from": "2026-06-01"}),
        publish=False,
    )
    money = money_things(cast)
    audit = audit_things(cast)
    files = import_things(cast)
    alice = cast.people["alice"]
    invited = invitation_send(
        By(cast.actor("chen"), NOW),
        organisation=cast.fudan,
        email=alice.email,
        roles=["researcher"],
    )
    asked = join_ask(By(cast.actor("alice"), NOW), organisation=cast.ustc, text="")
    wang = cast.people["wang"]
    coming = session(cast, course(cast), places=3)
    search = search_save(
        By(cast.actor("wang"), NOW),
        name="Titan",
        criteria=Criteria(text="titan"),
        organisation=cast.fudan,
    )
    hook = webhook_add(
        By(cast.actor("zhao"), NOW),
        organisation_id=cast.ustc.pk,
        address="https://lab.example/",
        events=["reservation.confirmed"],
        description="",
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=hook, event="charge.made", cause="x", body="{}", state="failed", created_at=NOW
    )
    feed = feed_make(By(cast.actor("wang"), NOW), instrument_id=None)
    effects_carry_out(now=NOW)
    token, _ = token_issue(user=wang, label="known", lifetime=timedelta(days=9), now=NOW)
    by_wang = By(cast.actor("wang"), NOW)
    parameters_of(cast)
    by_host = By(cast.actor("zhao"), NOW)
    meter = meter_add(by_host, instrument_id=cast.microscope.pk, name="Filament")
    counter = counter_add(
        by_host, instrument_id=cast.microscope.pk, meter=None, name="Tip", limit=Decimal(500)
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
    stated = capability_add(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        parameter="accelerating_voltage",
        maximum=Decimal(30),
    )
    question = question_ask(
        by_wang, instrument_id=cast.microscope.pk, parameter="spatial_resolution"
    )
    talked = say(cast, made[0], files=[("grid.jpg", picture())])
    sample = announce(cast)
    join(cast, made[0], sample)
    collecting = collecting_things(cast)
    reviewed = review_things(cast)
    fault = fault_report(
        by_wang, instrument_id=cast.microscope.pk, severity="usable", text="The stage drifts."
    )
    kiosk, _ = kiosk_create(
        By(cast.actor("zhao"), NOW), name="Room 214", instrument_ids=[cast.microscope.pk]
    )
    board = board_things(cast)
    offered = batch_things(cast)
    return {
        "alarm_id": [str(alarm_of(cast.microscope).pk)],
        "fault_id": [str(fault.pk)],
        "kiosk_id": [str(kiosk.pk)],
        "organisation_id": [str(cast.ustc.pk), str(cast.fudan.pk)],
        "attachment_id": [str(photo(cast, cast.microscope).pk)],
        "code": [cast.technique.code, measurand_of(cast).code],
        "course_id": [str(coming.course_id)],
        "session_id": [str(coming.pk)],
        "enrolment_id": [str(enrol(cast, coming).pk)],
        "search_id": [str(search.pk)],
        "membership_id": [str(wang.memberships.get().pk)],
        "role_id": [str(wang.role_grants.get().pk)],
        "invitation_id": [str(invited.pk)],
        "request_id": [str(asked.pk)],
        "token_id": [str(token.pk)],
        "endpoint_id": [str(hook.pk)],
        "delivery_id": [str(delivery.pk)],
        "feed_id": [str(feed.pk)],
        "exception_id": [audit["exception"]],
        "finding_id": [audit["finding"], audit["answered-finding"]],
        "sample_id": [audit["sample"]],
        "bundle_id": [audit["bundle"]],
        "export_id": [audit["export"]],
        "failure_id": [str(failed(cast.ustc.pk).pk)],
        "entry_id": [str(pk) for pk in TrailEntry.objects.values_list("pk", flat=True)[:2]],
        "message_id": [str(row.pk) for row in wang.inbox.all()[:2]],
        "version": [str(draft.version), "1"],
        "charge_id": [money["charge"], money["disputed"]],
        **{
            f"{name}_id": [money[name]]
            for name in (
                "agreement",
                "correction",
                "notice",
                "grant",
                "programme",
                "settlement",
                "source",
                "statement",
            )
        },
        "instrument_id": [str(cast.microscope.pk), str(manual.pk)],
        "facility_id": [str(cast.facility.pk)],
        "qualification_id": [str(certify(cast, cast.microscope).pk)],
        "reservation_id": [str(reservation.pk) for reservation in made],
        "closure_id": [str(cast.facility.pk)],
        "import_id": [files["import"], files["unmapped"]],
        "mapping_id": [files["mapping"]],
        "move_id": [str(move.pk)],
        "harvest_id": [files["harvest"], files["paused-harvest"]],
        "series_id": [str(series.series.pk)],
        "chain_id": [str(chain.pk)],
        "item_id": [str(announce(cast).pk), str(sample.pk)],
        "plan_id": [str(plan_of(cast, "zhao", "ustc").pk)],
        "need_id": [str(need_of(cast).pk)],
        "case_id": [reviewed["case"], reviewed["case-draft"], reviewed["case-submitted"]],
        "pledge_id": [reviewed["pledge"]],
        "expert_id": [reviewed["expert"]],
        "scheme_id": [reviewed["scheme"]],
        "decision": [reviewed["decision-key"]],
        "enquiry_id": [board["enquiry"]],
        "batch_id": [offered["batch"]],
        "place_id": [offered["batch-place"]],
        "bid_id": [board["bid"]],
        "hand_off_id": [collecting["released-result"], *result_things(cast).values()],
        "link_id": [collecting["result-link"]],
        "list_id": [str(list_create(by_wang, name="For the thesis").pk)],
        "capability_id": [str(stated.pk)],
        "meter_id": [str(meter.pk)],
        "reading_id": [str(meter_read(by_host, meter_id=meter.pk, value="5").pk)],
        "counter_id": [str(counter.pk)],
        "kept_id": [str(kept.pk)],
        "question_id": [str(question.pk)],
        "wish_id": [str(wait(cast, manual).pk)],
        "comment_id": [str(talked.pk)],
        "file_id": [str(talked.files.get().pk)],
        "size": ["large", "small"],
        "proposal_id": [str(propose(cast, made[0], "2026-03-06 15:00", "2026-03-06 17:00").pk)],
    }


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_nothing_breaks(
    people: dict[str, str],
    known: dict[str, list[str]],
    path: str,
    method: str,
) -> None:
    operation = described()[path][method]

    def attempts(mode: GenerationMode) -> Any:
        cases = operation.as_strategy(generation_mode=mode)
        return st.tuples(st.just(mode), cases, st.sampled_from([*people, None]), st.booleans())

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=not DEEP,
    )
    @given(
        attempt=st.one_of(attempts(GenerationMode.POSITIVE), attempts(GenerationMode.NEGATIVE)),
        data=st.data(),
    )
    def attempted(attempt: Any, data: Any) -> None:
        mode, case, who, is_known = attempt
        if is_known:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
            if isinstance(case.body, dict):
                for name in ("instrument", "facility"):
                    if name in case.body and mode is GenerationMode.POSITIVE:
                        case.body[name] = data.draw(st.sampled_from(known[f"{name}_id"]))
        headers = {"Authorization": people[who]} if who else {}
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    attempted()
