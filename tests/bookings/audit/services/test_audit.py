"""Exceptions found in what happened, and what auditors make of them."""

import contextlib
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from uuid_utils.compat import uuid7

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import RoleGrant, TrailEntry
from accounts.models.keys import new_id
from accounts.services.memberships import membership_start, role_grant
from bookings import models
from bookings.audit.domain.audit import RULES
from bookings.audit.domain.sampling import Sampling
from bookings.audit.selectors import audit, hits
from bookings.audit.selectors.comparison import LAST
from bookings.audit.selectors.rules import AUDIT_RULES
from bookings.audit.services import findings
from bookings.audit.services.audit import exception_move, exceptions_decide, exceptions_find
from bookings.audit.services.sampling import sample_draw
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.charges import charge_make
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from instruments.opening.models import ScheduleAssignment
from instruments.register.models import Instrument
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.charges import BY_USE, use
from tests.factories.things import money_things

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=10)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def booked(shared_cast: Cast, db: None) -> tuple[Cast, models.Reservation]:
    return shared_cast, reserve(shared_cast, "2026-03-06 10:00", "2026-03-06 12:00")


def by_rule() -> Counter[str]:
    return Counter(models.AuditException.objects.values_list("rule", flat=True))


def change(row: models.Reservation, **values: Any) -> None:
    models.Reservation.objects.filter(pk=row.pk).update(**values)


def test_each_kind_is_found_once_and_leads_to_its_rows(booked: Any) -> None:
    cast, row = booked
    things = money_things(cast)
    exceptions_find(By(PLATFORM, NOW))
    before = by_rule()
    change(
        row, state="completed", requested_at=row.start_at + timedelta(hours=1),
        price_group="internal", overrides=["notice"], decided_by=cast.wang,
    )  # fmt: skip
    models.UsageSession.objects.create(
        reservation=row, instrument=cast.microscope, unit=1, checked_in_at=row.start_at,
        checked_out_at=row.end_at + timedelta(hours=1), service_mode="self",
    )  # fmt: skip
    models.InstrumentDay.objects.create(
        instrument=cast.microscope, date=date(2026, 3, 6), total_minutes=1440, open_minutes=60,
        productive_minutes=180, unscheduled_down_minutes=0, scheduled_down_minutes=0,
        engineering_minutes=0, standby_minutes=0, no_show_minutes=0, non_scheduled_minutes=1260,
    )  # fmt: skip
    Instrument.objects.filter(pk=cast.microscope.pk).update(
        updated_at=NOW - timedelta(days=400), confirmed_at=None,
        published_at=NOW - timedelta(days=200),
    )  # fmt: skip
    ScheduleAssignment.objects.update(from_date=date(2025, 9, 1))
    models.RollUp.objects.update_or_create(instrument=cast.microscope, defaults={"until_date": NOW.date()})
    charge = models.Charge.objects.get(pk=things["charge"])
    models.Charge.objects.filter(pk=charge.pk).update(result=charge.result | {"total": "1.00"})
    exceptions_find(By(PLATFORM, NOW), full=True)
    new = by_rule() - before
    assert new >= Counter(
        [
            "made-after-use", "used-without-booking", "over-open-hours", "overrides",
            "internal-rate-outsider", "self-approval", "stale-listing", "hours-far-from-norm",
            "other-than-card",
        ]
    )  # fmt: skip
    found = models.AuditException.objects.get(rule="used-without-booking")
    assert found.numbers == {"minutes": 60, "state": "completed"}
    assert [item["type"] for item in found.evidence] == ["reservation", "session"]
    assert found.rule_version == 1 and found.parameters == {"minutes": 30}
    assert set(found.region_ids) == {*cast.anhui.lineage, *cast.shanghai.lineage}
    assert TrailEntry.objects.filter(object_id=found.pk, action="exception.find").count() == 1
    # Again, and again from the beginning: nothing new, and nothing that was decided is undone.
    exception_move(By(cast.actor("auditor"), NOW), exception_id=found.pk, state="explained", reason="Repair")
    for full in (False, True):
        assert exceptions_find(By(PLATFORM, NOW), full=full).counts == {}
    # What is known is not even prepared again.
    assert [*hits.stale_hits(NOW), *hits.norm_hits(NOW), *hits.day_hits()] == []
    found.refresh_from_db()
    assert (found.state, found.reason, found.decided_by) == ("explained", "Repair", cast.auditor)


def test_vouchers_corrections_and_related_parties(booked: Any) -> None:
    from accounts.models import Membership, RoleGrant
    from bookings.models import Correction, VoucherGrant

    cast, row = booked
    things = money_things(cast)
    exceptions_find(By(PLATFORM, NOW), full=True)
    before = by_rule()
    VoucherGrant.objects.filter(pk=things["grant"]).update(amount=Decimal(100), held=0, redeemed=97)
    charge = models.Charge.objects.get(pk=things["charge"])
    Correction.objects.filter(charge=charge).delete()
    Correction.objects.create(
        charge=charge, state="agreed", reason="x", proposed_by=cast.zhao, proposed_at=NOW,
        decided_by=cast.gao, decided_at=NOW,
    )  # fmt: skip
    Membership.objects.create(user=cast.wang, organisation=cast.ustc, started_at=NOW)
    RoleGrant.objects.create(user=cast.wang, role="manager", organisation=cast.ustc, granted_at=NOW)
    exceptions_find(By(PLATFORM, NOW), full=True)
    new = by_rule() - before
    assert new["voucher-near-cap"] == new["manual-correction"] == 1
    assert models.AuditException.objects.filter(rule="related-parties", key=str(row.pk)).exists()


def test_only_what_happened_since_is_looked_at(booked: Any) -> None:
    cast, row = booked
    first = exceptions_find(By(PLATFORM, NOW))
    assert first.is_full
    # Entries of the last days are looked at again; of this test they are all of today.
    second = exceptions_find(By(PLATFORM, NOW))
    assert not second.is_full and second.looked_at <= first.looked_at
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=row.pk, reason="")
    charge_make(reservation_id=row.pk, now=NOW)
    assert exceptions_find(By(PLATFORM, NOW)).looked_at >= 1


def test_who_gets_a_say_at_the_host_later_is_found_without_a_full_run(
    booked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing happened to the booking since; to a person of it something did."""
    cast, row = booked
    monkeypatch.setattr("bookings.audit.selectors.hits._MARGIN", timedelta(milliseconds=1))
    days = [NOW + timedelta(days=n) for n in range(3)]
    assert [exceptions_find(By(PLATFORM, day)).looked_at for day in days][2] == 0
    membership_start(By(PLATFORM, LATER), user=cast.wang, organisation=cast.ustc)
    for who, role, new in (("wang", "researcher", {}), ("wang", "finance", {"related-parties": 1})):
        role_grant(By(PLATFORM, LATER), user=cast.people[who], role=role, organisation=cast.ustc)
        assert exceptions_find(By(PLATFORM, LATER)).counts == new
    assert exceptions_find(By(PLATFORM, LATER), full=True).counts == {}
    found = models.AuditException.objects.get(rule="related-parties")
    assert (found.key, found.numbers) == (str(row.pk), {"people": 1})


def test_days_over_open_hours_of_any_age_are_found_and_no_others_read(cast: Cast) -> None:
    """A day corrected years later, exactly at the limit and beyond it."""
    exceptions_find(By(PLATFORM, NOW))
    over_open(cast, date(2023, 5, 4), minutes=15)
    over_open(cast, date(2023, 5, 5), minutes=16)
    assert exceptions_find(By(PLATFORM, NOW)).counts == {"over-open-hours": 1}
    found = models.AuditException.objects.get(rule="over-open-hours")
    assert found.numbers == {"day": "2023-05-05", "minutes": 16, "open": 60, "used": 76}
    for day in range(1, 31):
        over_open(cast, date(2024, 4, day), minutes=-60)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        cursor.execute("ANALYZE bookings_instrumentday")
        assert list(hits.day_hits()) == []
        days = next(q["sql"] for q in captured if 'FROM "bookings_instrumentday"' in q["sql"])
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + days)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "instrumentday_over_open" in plan


def over_open(cast: Cast, day: date, minutes: int) -> None:
    """A day that was open for an hour, and used for so much longer."""
    models.InstrumentDay.objects.create(
        instrument=cast.microscope, date=day, total_minutes=1440, open_minutes=60,
        productive_minutes=60 + minutes, unscheduled_down_minutes=0, scheduled_down_minutes=0,
        engineering_minutes=0, standby_minutes=0, no_show_minutes=0,
        non_scheduled_minutes=1380 - minutes,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_after_any_changes_a_full_run_finds_nothing_that_nightly_ones_have_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Bookings, their use, charges, roles and days change at random, days pass; now and then a
    night's run, which reads only what was touched since the one before."""
    monkeypatch.setattr("bookings.audit.selectors.hits._MARGIN", timedelta(milliseconds=1))
    # What compares the books with the trail reads all of this small world each night.
    chance, now, made = random.Random(seed), NOW, []
    by_use = cast.instrument(name="By use", card=BY_USE)
    exceptions_find(By(PLATFORM, now))

    def book() -> None:
        start = now + timedelta(days=chance.randint(1, 4), hours=chance.choice([-2, 0, 2]))
        where = chance.choice([cast.microscope, by_use])
        period = (f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for moment in
                  (start, start + timedelta(hours=1)))  # fmt: skip
        who = chance.choice(["wang", "sun", "hu"])
        made.append((who, reserve(cast, *period, who=who, instrument=where, now=now)))

    def use_one() -> None:
        who, row = chance.choice(made)
        late = timedelta(minutes=chance.choice([0, 20, 45]))
        reservation_check_in(By(cast.actor(who), row.start_at), reservation_id=row.pk)
        reservation_check_out(By(cast.actor(who), row.end_at + late), reservation_id=row.pk)
        charge_make(reservation_id=row.pk, now=row.end_at + late)

    def cancel() -> None:
        who, row = chance.choice(made)
        reservation_cancel(By(cast.actor(who), now), reservation_id=row.pk, reason="")

    def correct() -> None:
        charge = chance.choice(list(models.Charge.objects.filter(state="open").order_by("pk")))
        correction = correction_propose(
            By(cast.actor("zhao"), now), charge_id=charge.pk, reason="x",
            amendment=Amendment(waive_percent=Decimal(50)),
        )  # fmt: skip
        correction_agree(By(cast.actor("gao"), now), correction_id=correction.pk)

    def join() -> None:
        user = cast.people[chance.choice(["wang", "hu"])]
        membership_start(By(PLATFORM, now), user=user, organisation=cast.ustc)
        role = chance.choice(["researcher", "finance"])
        role_grant(By(PLATFORM, now), user=user, role=role, organisation=cast.ustc)

    def day() -> None:
        when = date(2025, 1, 1) + timedelta(days=chance.randint(0, 400))
        over_open(cast, when, chance.choice([-30, 10, 30]))

    def night() -> None:
        exceptions_find(By(PLATFORM, now))

    steps = [book, book, use_one, cancel, correct, join, day, night, night]
    for _ in range(30):
        now += timedelta(hours=chance.choice([0, 24, 24, 72]))
        usage_settle(now=now)
        with contextlib.suppress(Refused, RulesRefuse, IndexError, IntegrityError), atomic():
            chance.choice(steps)()
    night()
    assert exceptions_find(By(PLATFORM, now), full=True).counts == {}
    assert by_rule()


def test_who_decides(booked: Any) -> None:
    cast, row = booked
    change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    found = models.AuditException.objects.get(rule="overrides")
    auditor = cast.actor("auditor")
    for who in ("zhao", "coordinator", "admin"):
        with pytest.raises(NotFound):
            exception_move(By(cast.actor(who), NOW), exception_id=found.pk, state="review", reason="")
    with pytest.raises(NotPermitted):
        exceptions_find(By(cast.actor("admin"), NOW))
    with pytest.raises(Invalid):
        exception_move(By(auditor, NOW), exception_id=found.pk, state="explained", reason=" ")
    with pytest.raises(WrongState):
        exception_move(By(auditor, NOW), exception_id=found.pk, state="confirmed", reason="x")
    found.refresh_from_db()
    assert found.state == "open"
    exception_move(By(auditor, NOW), exception_id=found.pk, state="review", reason="")
    entry = TrailEntry.objects.get(object_id=found.pk, action="exception.review")
    assert (entry.before, entry.actor_id) == ({"state": "open"}, cast.auditor.pk)


def test_an_auditor_of_another_region_sees_nothing_of_it(booked: Any) -> None:
    from bookings.audit.selectors.audit import exceptions_for, findings_for, samples_for

    cast, _row = booked
    sun_only = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00", who="sun")
    change(sun_only, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    findings.finding_raise(
        By(cast.actor("auditor"), NOW), raised=findings.Raised("low", "T", "t", organisation="ustc")
    )
    asked = Sampling("reservations", "random", date(2026, 3, 1), date(2026, 4, 1), 1)
    sample_draw(By(cast.actor("auditor"), NOW), sampling=asked)
    alice = cast.people["alice"]
    role_grant(By(PLATFORM, NOW), user=alice, role="auditor", region=cast.shanghai)
    elsewhere = cast.actor("alice")
    assert not exceptions_for(elsewhere).exists()
    assert not findings_for(elsewhere).exists() and not samples_for(elsewhere).exists()
    with pytest.raises(NotFound):
        findings.finding_raise(
            By(elsewhere, NOW), raised=findings.Raised("low", "T", "t", organisation="ustc")
        )
    role_grant(By(PLATFORM, NOW), user=alice, role="auditor", region=cast.anhui.parent)
    national = cast.actor("alice")
    assert exceptions_for(national).exists() and findings_for(national).count() == 1
    assert samples_for(national).count() == 1


def test_a_finding_from_exception_to_its_closing(booked: Any) -> None:
    cast, row = booked
    change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    found = models.AuditException.objects.get(rule="overrides")
    auditor, zhao = cast.actor("auditor"), cast.actor("zhao")
    raised = findings.Raised("high", "Set aside", "Without a reason.", exception_id=found.pk)
    made = findings.finding_raise(By(auditor, NOW), raised=raised)
    found.refresh_from_db()
    assert (found.state, made.organisation, made.due_date) == (
        "confirmed", cast.ustc, date(2026, 3, 19),
    )  # fmt: skip
    with pytest.raises(WrongState):
        findings.finding_raise(By(auditor, NOW), raised=raised)
    with pytest.raises(NotPermitted):
        findings.finding_reply(By(auditor, NOW), finding_id=made.pk, reply="x")
    with pytest.raises(NotPermitted):
        findings.finding_close(By(zhao, NOW), finding_id=made.pk, evidence="x")
    with pytest.raises(Invalid):
        findings.finding_close(By(auditor, NOW), finding_id=made.pk, evidence=" ")
    findings.finding_reply(By(zhao, NOW), finding_id=made.pk, reply="It was urgent.")
    findings.finding_return(By(auditor, NOW), finding_id=made.pk, note="Prove it.", due_date=None)
    findings.finding_reply(By(cast.actor("gao"), NOW), finding_id=made.pk, reply="Here.")
    done = findings.finding_close(By(auditor, NOW), finding_id=made.pk, evidence="Seen.")
    assert (done.state, done.closed_by_id) == ("closed", cast.auditor.pk)
    with pytest.raises(WrongState):
        findings.finding_reply(By(zhao, NOW), finding_id=made.pk, reply="Late")
    acts = list(TrailEntry.objects.filter(object_id=made.pk).order_by("id").values_list("action", flat=True))
    assert acts == ["finding.raise", "finding.reply", "finding.return", "finding.reply",
                    "finding.close"]  # fmt: skip


def test_reminders_until_it_is_answered_each_once(booked: Any) -> None:
    cast, _ = booked
    raised = findings.Raised("low", "Late papers", "t", due_date=date(2026, 3, 15), organisation="ustc")
    made = findings.finding_raise(By(cast.actor("auditor"), NOW), raised=raised)
    effects_carry_out(now=NOW)
    mail.outbox.clear()

    def told(day: int) -> list[str]:
        now = at(f"2026-03-{day:02} 12:00")
        for _ in range(2):
            findings.findings_remind(now=now)
            effects_carry_out(now=now)
        subjects = [m.subject for m in mail.outbox if m.to == ["zhao@ustc.example"]]
        mail.outbox.clear()
        return subjects

    assert told(7) == []
    assert told(8) == ["Soon due: Late papers, Sun 15 Mar"]
    assert told(14) == []
    assert told(16) == ["Overdue: Late papers, Sun 15 Mar"]
    assert told(23) == ["Overdue: Late papers, Sun 15 Mar"]
    findings.finding_reply(By(cast.actor("zhao"), LATER), finding_id=made.pk, reply="Now")
    assert told(30) == []
    assert models.AuditFinding.objects.get(pk=made.pk).state == "replied"


def test_a_sample_is_frozen_and_drawn_by_its_seed(booked: Any) -> None:
    cast, _row = booked
    for day in range(9, 14):
        reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 11:00")
    asked = Sampling("reservations", "random", date(2026, 3, 1), date(2026, 4, 1), 3, "seed")
    actor = cast.actor("auditor")
    one = sample_draw(By(actor, NOW), sampling=asked)
    again = sample_draw(By(actor, NOW), sampling=asked)
    assert (one.count, len(one.drawn), one.drawn, one.digest) == (6, 3, again.drawn, again.digest)
    reserve(cast, "2026-03-16 10:00", "2026-03-16 11:00")
    more = sample_draw(By(actor, NOW), sampling=asked)
    assert more.count == 7 and bytes(more.digest) != bytes(one.digest)
    with pytest.raises(NotPermitted):
        sample_draw(By(cast.actor("zhao"), NOW), sampling=asked)
    with pytest.raises(WrongState):
        past = Sampling("charges", "random", date(2020, 1, 1), date(2020, 2, 1), 3)
        sample_draw(By(actor, NOW), sampling=past)
    with pytest.raises(Invalid):
        wrong = Sampling("sessions", "monetary", date(2026, 3, 1), date(2026, 4, 1), 3)
        sample_draw(By(actor, NOW), sampling=wrong)
    assert models.AuditSample.objects.count() == 3


# The books held against the trail


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, values)


def unlike() -> list[tuple[str, dict[str, Any]]]:
    """What is unlike the trail: the row, and the numbers behind it."""
    rows = models.AuditException.objects.filter(rule="books-not-trail").order_by("key")
    return [(row.key.partition(":")[0], row.numbers) for row in rows]


@pytest.mark.parametrize(
    ("column", "value", "fields"),
    [
        ("user_id", "sun", "person"),
        ("state", "completed", "state"),
        ("organisation_id", "ustc", "payer"),
        ("start_at", NOW, "start"),
        ("end_at", LATER, "end"),
        ("unit", 2, "unit"),
    ],
)
@pytest.mark.parametrize("is_touched", [True, False])
def test_a_booking_changed_past_the_platform_is_found(
    booked: Any, monkeypatch: pytest.MonkeyPatch, column: str, value: Any, fields: str,
    is_touched: bool,
) -> None:  # fmt: skip
    """Whether or not the trail says that anything happened to it since the last run."""
    cast, row = booked
    exceptions_find(By(PLATFORM, NOW))
    assert unlike() == []
    value = cast.people[value].pk if value == "sun" else value
    value = cast.ustc.pk if value == "ustc" else value
    sql(f"UPDATE bookings_reservation SET {column} = %s WHERE id = %s", value, row.pk)
    if not is_touched:
        nothing = (iter(()), iter(()))
        monkeypatch.setattr("bookings.audit.services.audit.hits.touched", lambda since: nothing)
    exceptions_find(By(PLATFORM, NOW))
    assert unlike() == [(str(row.pk), {"fields": fields, "count": 1})]
    found = models.AuditException.objects.get(rule="books-not-trail")
    last = TrailEntry.objects.filter(object_id=row.pk).latest("id")
    assert found.evidence == [
        {"type": "reservation", "id": str(row.pk)},
        {"type": "entry", "id": str(last.pk)},
    ]
    assert found.organisation_id == cast.ustc.pk and set(cast.anhui.lineage) <= {*found.region_ids}
    # Found again it stays one; changed to something else it is another.
    exceptions_find(By(PLATFORM, NOW), full=True)
    assert len(unlike()) == 1
    if column == "user_id":
        sql("UPDATE bookings_reservation SET user_id = made_by_id, unit = 3 WHERE id = %s", row.pk)
        exceptions_find(By(PLATFORM, NOW))
        assert len(unlike()) == 2


def test_a_booking_is_as_the_trail_says_whatever_was_done_to_it(booked: Any) -> None:
    """Held, asked for, booked for another, moved, cancelled: nothing is found."""
    cast, row = booked
    money_things(cast)
    period = Period(at("2026-03-06 14:00"), at("2026-03-06 15:00"))
    reservation_move(By(cast.actor("wang"), NOW), reservation_id=row.pk, period=period, reason="")
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=row.pk, reason="")
    charge_make(reservation_id=row.pk, now=NOW)
    exceptions_find(By(PLATFORM, NOW), full=True)
    # Charges of earlier months the factory writes past the platform.
    assert all(numbers == {"only": "books"} for _, numbers in unlike())
    assert str(row.pk) not in dict(unlike())


def test_a_booking_made_by_a_process_whose_clock_is_ahead_is_as_the_trail_says(
    booked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entry sorts after those that others write of the same booking within that time."""
    cast, _ = booked
    wang = By(cast.actor("wang"), NOW)
    an_hour = 3_600_000 << 80  # of the milliseconds that a key begins with
    with monkeypatch.context() as ahead:
        ahead.setattr("accounts.models.keys.uuid7", lambda: UUID(int=uuid7().int + an_hour))
        row = reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00")
    period = Period(at("2026-03-09 14:00"), at("2026-03-09 15:00"))
    reservation_move(wang, reservation_id=row.pk, period=period, reason="")
    exceptions_find(By(PLATFORM, NOW), full=True)
    assert unlike() == []
    reservation_cancel(wang, reservation_id=row.pk, reason="")
    exceptions_find(By(PLATFORM, NOW), full=True)
    assert unlike() == []
    sql("UPDATE bookings_reservation SET state = 'confirmed' WHERE id = %s", row.pk)
    exceptions_find(By(PLATFORM, NOW), full=True)
    assert unlike() == [(str(row.pk), {"fields": "state", "count": 1})]


def test_rows_that_only_one_of_both_knows_are_found(booked: Any) -> None:
    cast, row = booked
    kept = reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00")
    stranger = models.Reservation.objects.get(pk=kept.pk)
    stranger.pk = stranger.id = new_id()
    models.Reservation.objects.bulk_create([stranger])
    sql("DELETE FROM bookings_occupancy WHERE reservation_id = %s", row.pk)
    sql("DELETE FROM bookings_quote WHERE reservation_id = %s", row.pk)
    sql("DELETE FROM bookings_reservation WHERE id = %s", row.pk)
    exceptions_find(By(PLATFORM, NOW), full=True)
    assert dict(unlike()) == {str(row.pk): {"only": "trail"}, str(stranger.pk): {"only": "books"}}
    gone = models.AuditException.objects.get(numbers__only="trail")
    assert [item["type"] for item in gone.evidence] == ["entry"]
    assert gone.organisation_id in {cast.ustc.pk, row.organisation_id}
    assert set(gone.region_ids) == {*cast.anhui.lineage, *cast.shanghai.lineage}


def test_a_hold_that_came_to_nothing_may_go(booked: Any) -> None:
    cast, _row = booked
    period = Period(at("2026-03-10 10:00"), at("2026-03-10 11:00"))
    asked = Booking(cast.microscope.pk, period, None, "self")
    hold = hold_take(By(cast.actor("wang"), NOW), booking=asked)
    hold_release(By(cast.actor("wang"), NOW), reservation_id=hold.pk)
    assert TrailEntry.objects.filter(object_id=hold.pk).count() == 2
    sql("DELETE FROM bookings_reservation WHERE id = %s", hold.pk)
    exceptions_find(By(PLATFORM, NOW), full=True)
    assert unlike() == []


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ("total = total + 1, covered = covered + 1", "total"),
        ("payable = payable - 1, covered = covered + 1", "payable"),
        ("state = 'final', final_at = now(), month = '2026-03-01'", "month, state"),
        ("currency = 'USD'", "currency"),
    ],
)
def test_a_charge_changed_past_the_platform_is_found(booked: Any, changed: str, fields: str) -> None:
    charge = use(booked[0], "2026-03-02 10:00", "2026-03-02 12:00")
    exceptions_find(By(PLATFORM, NOW))
    assert unlike() == []
    sql(f"UPDATE bookings_charge SET {changed} WHERE id = %s", charge.pk)
    exceptions_find(By(PLATFORM, NOW))
    assert unlike() == [(str(charge.pk), {"fields": fields, "count": fields.count(",") + 1})]


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ("total = total + 1, covered = covered + 1", "total"),
        ("payable = payable - 1, covered = covered + 1", "payable"),
        ("paid = payable, state = 'paid'", "paid, state"),
        ("currency = 'USD'", "currency"),
        ("month = '2025-01-01'", "month"),
        ("charges = 3", "charges"),
    ],
)
def test_a_statement_changed_past_the_platform_is_found(booked: Any, changed: str, fields: str) -> None:
    """Paid in part before, by the platform."""
    things = money_things(booked[0])
    paid = Paid(Decimal("0.10"), NOW.date(), "T 2")
    statement_pay(By(booked[0].actor("gao"), NOW), statement_id=UUID(things["statement"]), paid=paid)
    exceptions_find(By(PLATFORM, NOW))
    assert things["statement"] not in dict(unlike())
    sql(f"UPDATE bookings_statement SET {changed} WHERE id = %s", things["statement"])
    exceptions_find(By(PLATFORM, NOW))
    assert dict(unlike())[things["statement"]] == {"fields": fields, "count": len(fields.split(","))}


def test_a_statement_that_was_voided_is_as_the_trail_says_and_one_that_is_gone_is_missed(booked: Any) -> None:
    things = money_things(booked[0])
    by = By(booked[0].actor("gao"), NOW)
    new = statement_void(by, statement_id=UUID(things["statement"]), reason="test")
    exceptions_find(By(PLATFORM, NOW))
    assert dict(unlike()).keys().isdisjoint({things["statement"], str(new.pk)})
    sql("DELETE FROM bookings_statementline WHERE statement_id = %s", new.pk)
    sql("UPDATE bookings_paymentnotice SET statement_id = %s", things["statement"])
    sql("DELETE FROM bookings_statement WHERE id = %s", new.pk)
    exceptions_find(By(PLATFORM, NOW))
    assert dict(unlike())[str(new.pk)] == {"only": "trail"}


def test_a_night_compares_a_slice_and_the_next_goes_on(booked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows a night; after the last it begins anew. What an auditor starts compares only
    what was touched."""
    cast, row = booked
    rows = [row, *(reserve(cast, f"2026-03-{d:02} 10:00", f"2026-03-{d:02} 11:00")
                   for d in range(9, 13))]  # fmt: skip
    monkeypatch.setattr("bookings.audit.selectors.comparison.BATCH", 2)
    monkeypatch.setattr("bookings.audit.services.audit.SLICE", 2)
    assert exceptions_find(By(PLATFORM, NOW)).compared["reservation"] == str(LAST)  # the first is whole
    ids = sorted(str(one.pk) for one in rows)
    reached = [exceptions_find(By(PLATFORM, NOW)).compared["reservation"] for _ in range(4)]
    assert reached == [ids[1], ids[3], str(LAST), ids[1]]
    by_hand = exceptions_find(By(cast.actor("auditor"), NOW))
    assert by_hand.compared["reservation"] == ids[1]
    assert exceptions_find(By(PLATFORM, NOW)).compared["reservation"] == ids[3]


@pytest.mark.parametrize(
    ("numbers", "english", "chinese"),
    [
        ({"fields": "person, state", "count": 2}, "Differs from the trail: person, state.",
         "与审计追踪不符：人员、状态。"),
        ({"only": "trail"}, "It is in the trail, but no longer in the books.",
         "审计追踪中有记录，账目中已不存在。"),
        ({"only": "books"}, "It is in the books, but not in the trail.",
         "账目中有此项，审计追踪中没有记录。"),
    ],
)  # fmt: skip
def test_it_is_said_in_a_sentence(numbers: dict[str, Any], english: str, chinese: str) -> None:
    row = models.AuditException(rule="books-not-trail", numbers=numbers)
    assert render_to_string("bookings/audit/says.html", {"row": row}).strip() == english
    with translation.override("zh-hans"):
        assert render_to_string("bookings/audit/says.html", {"row": row}).strip() == chinese


def test_every_rule_has_a_version_and_is_named() -> None:
    assert list(RULES) == list(AUDIT_RULES)
    assert all(rule.version >= 1 for rule in RULES.values())


# Nobody decides their own case


@pytest.fixture
def own(booked: Any) -> tuple[Cast, models.AuditException]:
    """An exception about a booking of Wang, who audits the hosts' region, through a parent."""
    cast, row = booked
    change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    role_grant(By(PLATFORM, NOW), user=cast.wang, role="auditor", region=cast.anhui.parent)
    return cast, models.AuditException.objects.get(rule="overrides")


def refused_own_case(act: Any, code: str = "own-case") -> None:
    entries = TrailEntry.objects.count()
    with pytest.raises(NotPermitted) as refused:
        act()
    assert refused.value.code == code
    assert TrailEntry.objects.count() == entries


def test_an_exception_about_ones_own_booking_is_anothers_to_decide(own: Any) -> None:
    cast, found = own
    wang = cast.actor("wang")
    for state in ("review", "explained"):
        refused_own_case(
            lambda state=state: exception_move(
                By(wang, NOW), exception_id=found.pk, state=state, reason="It is fine"
            )
        )
    raised = findings.Raised("low", "T", "t", exception_id=found.pk)
    refused_own_case(lambda: findings.finding_raise(By(wang, NOW), raised=raised))
    found.refresh_from_db()
    assert (found.state, models.AuditFinding.objects.count()) == ("open", 0)
    made = findings.finding_raise(By(cast.actor("auditor"), NOW), raised=raised)
    findings.finding_reply(By(cast.actor("zhao"), NOW), finding_id=made.pk, reply="It was urgent.")
    refused_own_case(lambda: findings.finding_close(By(wang, NOW), finding_id=made.pk, evidence="Seen"))
    refused_own_case(
        lambda: findings.finding_return(By(wang, NOW), finding_id=made.pk, note="Not enough", due_date=None)
    )
    assert models.AuditFinding.objects.get().state == "replied"
    findings.finding_close(By(cast.actor("auditor"), NOW), finding_id=made.pk, evidence="Seen")


@pytest.mark.parametrize("field", ["user", "made_by", "decided_by"])
def test_person_maker_and_decider_are_each_part_of_the_case(booked: Any, field: str) -> None:
    cast, row = booked
    change(row, overrides=["notice"], **{field: cast.auditor})
    exceptions_find(By(PLATFORM, NOW))
    found = models.AuditException.objects.get(rule="overrides")
    refused_own_case(
        lambda: exception_move(
            By(cast.actor("auditor"), NOW), exception_id=found.pk, state="review", reason=""
        ),
        "no-second-auditor",
    )
    role_grant(By(PLATFORM, NOW), user=cast.alice, role="auditor", region=cast.anhui)
    exception_move(By(cast.actor("alice"), NOW), exception_id=found.pk, state="review", reason="")


def test_who_displaced_it_while_they_managed_the_host_is_part_of_the_case(booked: Any) -> None:
    cast, row = booked
    closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        outage=Outage("maintenance", row.start_at, row.end_at),
        displace=True,
    )
    change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    RoleGrant.objects.filter(user=cast.zhao).update(revoked_at=NOW)
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="auditor", region=cast.anhui)
    found = models.AuditException.objects.get(rule="overrides")
    refused_own_case(
        lambda: exception_move(By(cast.actor("zhao"), NOW), exception_id=found.pk, state="review", reason="")
    )


def test_who_answered_a_finding_does_not_close_it_as_auditor(booked: Any) -> None:
    cast, _ = booked
    raised = findings.Raised("low", "T", "t", organisation="ustc")
    made = findings.finding_raise(By(cast.actor("auditor"), NOW), raised=raised)
    findings.finding_reply(By(cast.actor("zhao"), NOW), finding_id=made.pk, reply="Done.")
    RoleGrant.objects.filter(user=cast.zhao).update(revoked_at=NOW)
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="auditor", region=cast.anhui)
    refused_own_case(
        lambda: findings.finding_close(By(cast.actor("zhao"), NOW), finding_id=made.pk, evidence="Seen")
    )


@pytest.mark.parametrize("subject", ["charges", "sessions", "reservations"])
def test_a_sample_with_ones_own_rows_is_whole_and_anothers_to_act_on(booked: Any, subject: str) -> None:
    cast, _row = booked
    use(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    role_grant(By(PLATFORM, NOW), user=cast.wang, role="auditor", region=cast.anhui)
    asked = Sampling(subject, "random", date(2026, 3, 1), date(2026, 4, 1), 5)
    wang = cast.actor("wang")
    sample = sample_draw(By(wang, NOW), sampling=asked)
    assert sample.count == len(sample.drawn) > 0  # nothing of the auditor's is left out
    raised = findings.Raised("low", "T", "t", sample_id=sample.pk, organisation="ustc")
    refused_own_case(lambda: findings.finding_raise(By(wang, NOW), raised=raised))
    made = findings.finding_raise(By(cast.actor("auditor"), NOW), raised=raised)
    refused_own_case(lambda: findings.finding_close(By(wang, NOW), finding_id=made.pk, evidence="Seen"))


def test_lists_and_pages_say_why_there_is_no_button(own: Any, client: Any) -> None:
    cast, found = own
    client.force_login(cast.wang)
    assert "another auditor decides" in client.get(reverse("bookings:exceptions")).content.decode()
    page = client.get(reverse("bookings:exception", args=[found.pk])).content.decode()
    assert "You were involved in this, so another auditor must decide" in page
    assert reverse("bookings:exception-decide", args=[found.pk]) not in page
    assert reverse("bookings:exception-confirm", args=[found.pk]) not in page
    decide = reverse("bookings:exception-decide", args=[found.pk])
    answer = client.post(decide, {"state": "explained", "reason": "It is fine"})
    assert answer.status_code == 403
    client.force_login(cast.auditor)
    page = client.get(reverse("bookings:exception", args=[found.pk])).content.decode()
    assert "another auditor" not in page.lower() and decide in page
    # The role is taken away while the page is open.
    RoleGrant.objects.filter(user=cast.auditor).update(revoked_at=NOW)
    answer = client.post(decide, {"state": "explained", "reason": "It is fine"})
    assert answer.status_code in {403, 404}
    found.refresh_from_db()
    assert found.state == "open"


# Several at once


def test_several_are_decided_each_by_itself_and_the_others_named(own: Any) -> None:
    """Of four the own case, one moved meanwhile and one that nobody knows stay as they are."""
    cast, found = own
    others = [reserve(cast, f"2026-03-{day} 10:00", f"2026-03-{day} 12:00", who="sun") for day in (10, 11)]
    for row in others:
        change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    free, moved = models.AuditException.objects.filter(key__in=[str(r.pk) for r in others])
    exception_move(By(cast.actor("auditor"), NOW), exception_id=moved.pk, state="review", reason="")
    unknown = new_id()
    chosen = [(found.pk, 1), (free.pk, 1), (moved.pk, 1), (unknown, None), (free.pk, 1)]
    entries = TrailEntry.objects.count()
    done, refused = exceptions_decide(
        By(cast.actor("wang"), NOW), chosen=chosen, state="explained", reason=" Repair "
    )
    assert [row.pk for row in done] == [free.pk]
    assert {pk: error.code for pk, error in refused} == {
        found.pk: "own-case", moved.pk: "wrong-version", unknown: "not-found",
    }  # fmt: skip
    assert TrailEntry.objects.count() == entries + 1
    states = dict(models.AuditException.objects.values_list("pk", "state"))
    assert (states[found.pk], states[free.pk], states[moved.pk]) == ("open", "explained", "review")
    free.refresh_from_db()
    assert (free.reason, free.decided_by) == ("Repair", cast.wang)


def test_several_are_explained_with_a_reason_and_by_auditors_only(own: Any) -> None:
    cast, found = own
    entries = TrailEntry.objects.count()
    for name, state, error in (("auditor", "explained", Invalid), ("zhao", "review", NotPermitted)):
        with pytest.raises(error):
            exceptions_decide(By(cast.actor(name), NOW), chosen=[(found.pk, 1)], state=state, reason=" ")
    assert TrailEntry.objects.count() == entries


def test_the_list_names_the_instrument_and_leads_to_the_story(
    booked: Any, client: Any, django_assert_num_queries: Any
) -> None:
    """Of a booking, of a charge alone, and of an instrument; a grant has none."""
    cast, row = booked
    things = money_things(cast)
    change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))

    def of(kind: str, pk: Any) -> models.AuditException:
        return models.AuditException(
            rule="overrides", rule_version=1, key=str(new_id()), organisation=cast.ustc,
            evidence=[{"type": kind, "id": str(pk)}], region_ids=[cast.anhui.pk],
            happened_at=NOW, found_at=NOW,
        )  # fmt: skip

    several = [
        of("reservation", row.pk), of("reservation", row.pk), of("charge", things["charge"]),
        of("instrument", cast.microscope.pk), of("grant", things["grant"]),
    ]  # fmt: skip
    with django_assert_num_queries(2):
        named = [row.about for row in audit.with_instruments(several)]
    charged = models.Charge.objects.get(pk=things["charge"]).reservation.instrument
    assert named == [
        cast.microscope, cast.microscope, charged, cast.microscope, None,
    ]  # fmt: skip
    client.force_login(cast.auditor)
    page = client.get(reverse("bookings:exceptions") + "?rule=overrides").content.decode()
    assert f'href="{reverse("bookings:instrument", args=[cast.microscope.pk])}"' in page
    assert f'href="{reverse("bookings:story", args=[row.pk])}"' in page
    table = client.get(reverse("bookings:exceptions") + "?rule=overrides&format=csv")
    lines = b"".join(table.streaming_content).decode()
    assert f"{cast.microscope.pk},{cast.microscope.name}" in lines


def test_the_page_says_which_were_left(own: Any, client: Any) -> None:
    cast, found = own
    client.force_login(cast.wang)
    path = reverse("bookings:exceptions-decide") + "?rule=overrides"
    chosen = f"{found.pk}:1"
    for body in ({}, {"chosen": [chosen]}, {"chosen": ["x:y"], "state": "review"}):
        answer = client.post(path, {"state": "explained"} | body)
        assert answer.status_code == 400
        assert "Nothing is decided yet." in answer.content.decode()
    answer = client.post(path, {"state": "review", "chosen": [chosen]}, follow=True)
    assert answer.redirect_chain == [(reverse("bookings:exceptions") + "?rule=overrides", 302)]
    page = answer.content.decode()
    assert f"Rules overridden · {cast.microscope.name}: " in page or "another auditor" in page
    found.refresh_from_db()
    assert found.state == "open"
    client.force_login(cast.auditor)
    page = client.get(reverse("bookings:exceptions")).content.decode()
    assert f'value="{chosen}"' in page
    answer = client.post(path, {"state": "review", "chosen": [chosen]}, follow=True)
    assert "1 exception decided." in answer.content.decode()
    found.refresh_from_db()
    assert found.state == "review"


# What a finding refers to


def seen_of(cast: Cast, who: str, finding: models.AuditFinding) -> list[tuple[str, str]]:
    actor = cast.actor(who)
    records = audit.finding_records(actor, audit.finding_for(actor, finding.pk))
    return [(item["type"], item["id"]) for item in records]


def test_who_answers_sees_the_exception_and_its_records(booked: Any, client: Any) -> None:
    """The booking and its use; the entry of the trail, which auditors prove, stays theirs."""
    cast, row = booked
    change(row, overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    found = models.AuditException.objects.get(rule="overrides")
    found.evidence.append({"type": "entry", "id": str(TrailEntry.objects.latest("id").pk)})
    found.save(update_fields=["evidence"])
    raised = findings.Raised("high", "Set aside", "Without a reason.", exception_id=found.pk)
    made = findings.finding_raise(By(cast.actor("auditor"), NOW), raised=raised)
    booking = ("reservation", str(row.pk))
    for name in ("zhao", "gao"):
        assert seen_of(cast, name, made) == [booking]
    assert seen_of(cast, "auditor", made) == [booking, ("entry", found.evidence[-1]["id"])]
    for name in ("chen", "lin", "wang", "sun", "coordinator"):
        with pytest.raises(NotFound):
            seen_of(cast, name, made)
    effects_carry_out(now=NOW)
    letter = next(m for m in mail.outbox if m.to == ["zhao@ustc.example"] and "Set" in m.subject)
    assert f"/audit/findings/{made.pk}/" in letter.body
    client.force_login(cast.zhao)
    page = client.get(f"/audit/findings/{made.pk}/").content.decode()
    assert f'href="{reverse("bookings:reservation", args=[row.pk])}"' in page
    assert "A manager set rules aside" in page or "Set aside" in page
    assert "/trail/" not in page and f"/audit/exceptions/{found.pk}/" not in page
    assert client.get(reverse("bookings:reservation", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("subject", ["charges", "sessions", "reservations"])
def test_of_a_sample_only_what_is_their_own_organisations(booked: Any, subject: str) -> None:
    """Nothing of another host's and payer's, though the manager booked it themselves."""
    cast, _ = booked
    ours = use(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    theirs = use(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    models.Reservation.objects.filter(pk=theirs.reservation_id).update(
        host=cast.fudan, user=cast.zhao, made_by=cast.zhao
    )
    models.Charge.objects.filter(pk=theirs.pk).update(host=cast.fudan)
    sample = sample_draw(
        By(cast.actor("auditor"), NOW),
        sampling=Sampling(subject, "random", date(2026, 3, 1), date(2026, 4, 1), 5),
    )
    raised = findings.Raised("low", "T", "t", sample_id=sample.pk, organisation="ustc")
    made = findings.finding_raise(By(cast.actor("auditor"), NOW), raised=raised)
    kind = "charge" if subject == "charges" else "reservation"
    own = str(ours.pk if subject == "charges" else ours.reservation_id)
    other = str(theirs.pk if subject == "charges" else theirs.reservation_id)
    for name in ("zhao", "gao"):
        shown = seen_of(cast, name, made)
        assert (kind, own) in shown and (kind, other) not in shown
    assert {(kind, own), (kind, other)} <= set(seen_of(cast, "auditor", made))


def test_a_charge_that_differs_says_its_amounts(booked: Any, client: Client) -> None:
    """What is at stake is the difference; the pages say it in money and link to what is computed again."""
    cast, _ = booked
    pk = money_things(cast)["charge"]
    charge = models.Charge.objects.get(pk=pk)
    stored = {"total": charge.total + 100, "payable": charge.payable + 100}
    models.Charge.objects.filter(pk=pk).update(result=charge.result | {"total": "1.00"}, **stored)
    exceptions_find(By(PLATFORM, NOW), full=True)
    found = models.AuditException.objects.get(rule="other-than-card", key=str(pk))
    assert (found.amount, found.currency) == (100, charge.currency)
    client.force_login(cast.people["auditor"])
    for language, words in (("en", "computed again"), ("zh-hans", "重新计算")):
        for address in (f"/audit/exceptions/{found.pk}/", "/audit/exceptions/?rule=other-than-card"):
            page = client.get(address, headers={"accept-language": language}).content.decode()
            assert words in page and f"/money/charges/{pk}/replay/" in page
            assert f"{charge.total:,.2f}" in page and f"{charge.total + 100:,.2f}" in page
            assert "result." not in page
