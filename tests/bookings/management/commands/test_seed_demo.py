"""The demonstration world: it holds together, and it is the same every time."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import F, Sum
from django.test import Client, override_settings
from django.utils import timezone

from accounts.domain.roles import Actor
from accounts.models import Message, Organisation, OutboxMessage, TrailEntry, User
from accounts.permissions import actor_of
from accounts.selectors.jobs import queues, runs
from accounts.selectors.users import has_second_factor
from accounts.selectors.verification import trail_verify
from accounts.services.tokens import token_issue
from accounts.trail import canonical
from accounts.work import timetable
from bookings import models
from bookings.audit.domain.audit import RULES
from bookings.availability.domain.availability import Calendar
from bookings.board.selectors.enquiries import bids_for, host_bids
from bookings.catalogue.services.feed import feed_refresh
from bookings.charging.domain.corrections import charged_again
from bookings.charging.services.charges import charges_finalise
from bookings.demo.services import ACCOUNTS, PASSWORD, Built, NotEmpty, NotLocal, demo_seed
from bookings.funding.selectors.funding_sources import sources_for, state_of
from bookings.funding.selectors.programmes import own_grants, programmes_for
from bookings.operations.selectors.operations import Troubles
from bookings.overview.services.effects import effects_carry_out
from bookings.pricing.domain.fees import quote
from bookings.pricing.domain.quotes import QuoteInput, input_from_json, quote_to_json
from bookings.pricing.selectors.agreements import agreements_for
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import RELEASED
from bookings.record.selectors.reservations import own_reservations, requests_to_decide
from bookings.settlement.selectors.books import charges_astray, check_settlement, statements_astray
from bookings.settlement.selectors.settlements import net_of
from bookings.settlement.services.statements import statements_draw_due
from instruments.opening.selectors.opening import load_windows
from instruments.policy.selectors.policies import load_policy
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card
from instruments.register.models import Instrument
from tests.factories.ledger import receivables, sums_by_currency
from tests.flows.guides import GUIDES, serving
from tests.flows.guides import run as run_guide

# A Saturday, by night in China: the hardest day to find something open tomorrow.
NOW = datetime(2026, 11, 28, 14, 30, tzinfo=UTC)
SCALE = 0.02
EMAILS = [account["email"] for account in ACCOUNTS]
FINANCE = ("finance", "luo.ping")
# Of the world at that moment; after a change that is meant, what the failing test says.
FINGERPRINT = "8a3c901a4e53f8ee0eb418f028fab275dcb3ac13f92408df91044fd995e2ddcf"
QUICK = {"LOCAL_MODE": True, "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}


def build() -> Built:
    with override_settings(**QUICK):
        return demo_seed(now=NOW, say=lambda text: None, scale=SCALE)


def fingerprint() -> str:
    """A digest of what the world says; the keys of its rows differ."""
    digest = hashlib.sha256()
    rows: list[Any] = [
        *Instrument.objects.values_list("name", "publication", "schedule__digest"),
        *User.objects.values_list("email", "name", "created_at"),
        *models.Reservation.objects.values_list(
            "instrument__name", "unit", "start_at", "end_at", "state", "user__email",
            "organisation__code", "price_group", "requested_at", "confirmed_at", "ended_at",
            "purpose_text", "reason", "charges__total", "session__checked_in_at",
            "session__checked_out_at", "session__rating",
        ),
        *models.InstrumentDay.objects.values_list(
            "instrument__name", "date", "productive_minutes", "standby_minutes"
        ),
    ]  # fmt: skip
    for row in sorted(map(repr, rows)):
        digest.update(row.encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Built]:
    """The world, built once for all tests here."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


def actor(name: str) -> Actor:
    return actor_of(User.objects.get(email=f"{name}@demo.test"))


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


def test_the_same_world_every_time() -> None:
    """In each process, and whatever is chance there."""
    assert fingerprint() == FINGERPRINT


def test_every_account_signs_in(settings: Any) -> None:
    settings.LOCAL_MODE = True
    for email in EMAILS:
        assert authenticate(None, email=email, password=PASSWORD) is not None, email
        answer = Client().post("/accounts/login/", {"login": email, "password": PASSWORD})
        assert answer.status_code == 302, email
    assert authenticate(None, email="xu.nan@demo.test", password=PASSWORD) is None


def test_the_accounts_are_enough_for_what_needs_several_people() -> None:
    """Two who decide and two who account in one organisation, rivals of one enquiry, another
    country, and two administrators."""
    hefei = Organisation.objects.get(code="hefei-materials").pk
    assert {
        name
        for name in ("manager", "xie.ning", "fang.yuan")
        if hefei in actor(name).organisations_where("manage-charges")
    } == {"manager", "xie.ning", "fang.yuan"}
    wusong = Organisation.objects.get(code="wusong-tech").pk
    assert all(wusong in actor(name).organisations_where("account") for name in FINANCE)
    assert all(actor(name).has("administrator") for name in ("admin", "cheng.wei"))
    glenmore = Organisation.objects.get(code="glenmore")
    assert glenmore.region.currency == "GBP" and glenmore.iban.startswith("GB96")
    assert User.objects.get(email="isla.mackay@demo.test").time_zone == "Europe/London"
    across = models.Reservation.objects.filter(user__email="ewan.sinclair@demo.test")
    assert across.filter(host_region__currency="CNY").exists()


def test_rivals_bid_on_one_enquiry_and_do_not_see_each_others_bids() -> None:
    bids = list(bids_for(actor("researcher")).filter(enquiry__sample__contains="chloroform"))
    assert {bid.host.code for bid in bids} >= {"hefei-materials", "liangzhu-life"}
    for name, host in (("manager", "hefei-materials"), ("fan.xin", "liangzhu-life")):
        assert {bid.host.code for bid in host_bids(actor(name))} == {host}


def test_a_correction_and_a_dispute_wait_for_a_second_person() -> None:
    correction = models.Correction.objects.get(state="proposed")
    assert correction.proposed_by.email == "manager@demo.test"
    assert correction.charge.reservation.organisation.code == "wusong-tech"
    assert models.Charge.objects.get(state="disputed").reservation.host.code == "hefei-materials"


def test_an_administrator_had_a_bad_night() -> None:
    troubles = Troubles.among(queues(NOW), runs(timetable(), NOW))
    assert [entry.name for entry in troubles.entries if entry.is_broken] == ["ratings"]
    assert [entry.name for entry in troubles.entries if entry.has_failed] == ["file the register"]
    failed = OutboxMessage.objects.filter(outcome="failed")
    assert sum(queue.failed for queue in troubles.queues) == failed.count() >= 2
    for row in failed:
        message = Message.objects.get(pk=row.payload["message"])
        assert message.user.email in row.last_error and message.mailed_at is None
    locked = TrailEntry.objects.get(action="user.sign-in-block")
    assert has_second_factor(User.objects.get(pk=locked.object_id))


def test_an_instrument_shows_prices_by_way_of_working() -> None:
    """Hand-checked: 135 minutes at 380, 2.25 hours of the operator at 150, set-up 100, 10 % off the usage."""
    row = RateCard.objects.filter(instrument__model="AXIS SUPRA+", published_at__isnull=False)
    start = datetime(2026, 3, 6, 1, tzinfo=UTC)
    answer = quote(
        QuoteInput(
            card=load_card(row.latest("version")).values,
            time_zone="Asia/Shanghai",
            start=start,
            end=start + timedelta(minutes=130),
            price_group="partner",
            service_mode="assisted",
            agreement_discount_percent=Decimal(10),
        )
    )
    assert [line.amount for line in answer.lines] == [855, 100, Decimal("337.50"), Decimal("-85.50")]
    assert (str(answer.subtotal), str(answer.tax), str(answer.total)) == ("1207.00", "72.42", "1279.42")
    assisted = models.Quote.objects.filter(
        reservation__instrument__model="AXIS SUPRA+", reservation__service_mode="assisted"
    )
    assert assisted and all("operator" in str(each.result["lines"]) for each in assisted)


def test_accounts_open_nothing_elsewhere(settings: Any) -> None:
    settings.LOCAL_MODE = False
    assert authenticate(None, email="admin@demo.test", password=PASSWORD) is None


def test_refuses_outside_local_mode(settings: Any) -> None:
    settings.LOCAL_MODE = False
    with pytest.raises(NotLocal):
        demo_seed(now=NOW, say=print)
    with pytest.raises(CommandError, match="make run"):
        call_command("seed_demo")


def test_refuses_where_there_are_data(settings: Any) -> None:
    settings.LOCAL_MODE = True
    before = Organisation.objects.count()
    with pytest.raises(NotEmpty):
        demo_seed(now=NOW, say=print)
    with pytest.raises(CommandError, match="make reset"):
        call_command("seed_demo")
    assert Organisation.objects.count() == before


def test_if_empty_does_nothing_and_tells_the_accounts(settings: Any) -> None:
    settings.LOCAL_MODE = True
    said = StringIO()
    call_command("seed_demo", "--if-empty", stdout=said)
    assert "nothing was created" in said.getvalue()
    assert all(email in said.getvalue() for email in EMAILS)


def test_people_are_demonstration_accounts_with_their_roles() -> None:
    assert not User.objects.filter(is_demo=False).exists()
    assert not User.objects.filter(is_superuser=True).exists()
    assert actor("admin").has("administrator")
    assert Organisation.objects.get(code="hefei-materials").pk in actor("manager").organisations_where(
        "manage-instruments"
    )
    provinces = set(
        Instrument.objects.filter(
            region__lineage__overlap=list(actor("auditor").regions_where("read-trail"))
        ).values_list("region__code", flat=True)
    )
    assert provinces == {"CN-AH", "CN-SH", "CN-JS", "CN-ZJ"}


def test_researcher_is_of_another_region_than_the_managers_instruments() -> None:
    own = own_reservations(actor("researcher"))
    host = Organisation.objects.get(code="hefei-materials")
    there = own.filter(host=host)
    assert {r.price_group for r in there} == {"partner"}
    assert there.exclude(payer_region=F("host_region")).count() == there.count() >= 6
    assert own.filter(state="completed").count() >= 5
    tomorrow = Period(NOW + timedelta(hours=9), NOW + timedelta(hours=34))
    assert own.filter(state="confirmed", start_at__range=(tomorrow.start, tomorrow.end)).exists()


def test_an_agreement_is_in_force_and_vouchers_cover_what_comes() -> None:
    (agreement,) = agreements_for(actor("researcher"))
    assert [member.region.code for member in agreement.members.all()] == ["CN-AH", "CN-SH"]
    assert all(member.signed_at for member in agreement.members.all())
    coming = own_reservations(actor("researcher")).filter(agreement=agreement, start_at__gt=NOW)
    assert {r.price_group for r in coming} == {"partner"}
    (own,) = own_grants(actor("researcher"))
    held = models.Earmark.objects.filter(grant=own).aggregate(held=Sum("held"))["held"]
    assert own.held == held > 0
    assert own.amount >= own.held + own.redeemed
    charged = models.Charge.objects.filter(grant=own, state="final", covered__gt=0)
    assert charged.exists()
    assert models.Earmark.objects.filter(grant=own, reservation__in=coming).exists()
    (programme,) = programmes_for(actor("coordinator"))
    assert programme.granted == 8000


def test_manager_has_requests_from_other_regions_to_decide() -> None:
    waiting = requests_to_decide(actor("manager"), NOW)
    assert waiting.exclude(payer_region=F("host_region")).count() >= 4


def test_the_researcher_has_sources_that_pay_for_some_bookings() -> None:
    researcher = actor("researcher")
    rows = {row.code: row for row in sources_for(researcher)}
    assert set(rows) == {"NSFC-52273017", "WS-LAB-FUND"}
    project, fund = rows["NSFC-52273017"], rows["WS-LAB-FUND"]
    assert project.owner_id == researcher.user_id
    assert project.held > fund.held > 0
    for row in rows.values():
        held = row.earmarks.aggregate(held=Sum("held"))["held"]
        assert (row.held, row.spent) == (held, 0)
        assert state_of(row, NOW) == "valid"


def test_bookings_lie_in_opening_hours_on_the_grid() -> None:
    odd = set(models.AuditException.objects.filter(rule="made-after-use").values_list("key", flat=True))
    assert len(odd) == 1
    instruments = Instrument.objects.filter(schedule__isnull=False).select_related(
        "schedule", "policy", "facility"
    )
    for instrument in instruments:
        calendar = Calendar(
            windows=load_windows(instrument.schedule, NOW - timedelta(days=130), NOW + timedelta(days=40)),
            policy=load_policy(instrument.policy),
            blocks=[],
        )
        for row in models.Reservation.objects.filter(instrument=instrument):
            assert calendar.is_open(Period(row.start_at, row.end_at)), (instrument, row.start_at)
            assert calendar.is_on_grid(row.start_at), (instrument, row.start_at)
            assert row.requested_at < row.start_at or str(row.pk) in odd


def test_states_agree_with_what_they_leave() -> None:
    released = [*RELEASED, "no_show"]
    assert not models.Occupancy.objects.filter(reservation__state__in=released).exists()
    kept = models.Reservation.objects.exclude(state__in=released)
    assert not kept.filter(occupancy=None).exists()
    assert not models.Reservation.objects.filter(state__in=["confirmed", "requested"]).filter(end_at__lt=NOW)
    assert not models.UsageSession.objects.exclude(reservation__state__in=["completed", "in_use"]).exists()
    assert not models.UsageSession.objects.filter(checked_in_at__gt=NOW).exists()
    assert not models.UsageSession.objects.filter(
        reservation__state="completed", checked_out_at=None
    ).exists()


def test_sessions_of_a_unit_follow_each_other() -> None:
    until: dict[Any, datetime] = {}
    for session in models.UsageSession.objects.order_by("checked_in_at"):
        unit = (session.instrument_id, session.unit)
        assert session.checked_in_at >= until.get(unit, session.checked_in_at)
        until[unit] = session.checked_out_at or session.checked_in_at


def test_quotes_and_charges_replay() -> None:
    for row in models.Quote.objects.all():
        assert quote_to_json(quote(input_from_json(row.inputs)), explained=True) == row.result
    charges = list(models.Charge.objects.select_related("reservation"))
    assert {c.kind for c in charges} <= {"use", "cancellation", "no_show"}
    differ = 0
    for charge in charges:
        again = charged_again(charge.kind, charge.inputs)
        differ += (again.result, again.total) != (charge.result, charge.total)
        assert charge.total == charge.payable + charge.covered > 0
        assert (charge.covered > 0) == (charge.grant_id is not None)
    assert differ == 1  # charged by hand, for auditors to find


def test_past_charges_are_final_and_in_the_books() -> None:
    charges = list(models.Charge.objects.select_related("host_region"))
    for charge in charges:
        due = charge.created_at + timedelta(days=7)
        assert charge.open_until == due
        assert (charge.state == "final") == (due <= NOW)
        if charge.state == "final":
            zone = ZoneInfo(charge.host_region.time_zone)
            assert charge.final_at == due
            assert charge.month == due.astimezone(zone).date().replace(day=1)
    assert {charge.state for charge in charges} == {"open", "disputed", "final"}
    assert TrailEntry.objects.filter(action="charge.final").count() == sum(
        charge.state == "final" for charge in charges
    )
    assert set(sums_by_currency().values()) == {0}
    owed = sum(balance.amount for balance in receivables())
    paid = sum(models.Statement.objects.values_list("paid", flat=True))
    assert owed == sum(charge.payable for charge in charges) - paid
    assert charges_finalise(now=NOW) == 0


def test_each_booking_has_its_story() -> None:
    for row in models.Reservation.objects.all():
        entries = list(TrailEntry.objects.filter(object_id=row.pk).order_by("at", "id"))
        # A time that a bid or a batch offers is kept by the platform.
        is_offered = hasattr(row, "batch_place") or hasattr(row, "bid_slot")
        assert entries[0].actor_id == (None if is_offered else row.user_id)
        assert entries[-1].after["state"] == row.state
        assert len(entries) == row.version
        for before, after in pairwise(entries):
            assert after.before["state"] == before.after["state"]
    entry = TrailEntry.objects.filter(action="reservation.completed").first()
    assert entry is not None
    assert bytes(entry.digest) == hashlib.sha256(canonical(entry)).digest()
    assert entry.request_id == "seed_demo"


def test_hours_are_rolled_up(world: Built) -> None:
    days = models.InstrumentDay.objects.all()
    assert days.count() >= world.days > 0
    assert days.filter(productive_minutes__gt=0).exists()
    assert days.filter(unscheduled_down_minutes__gt=0).exists()
    for day in days:
        assert day.total_minutes == (
            day.productive_minutes
            + day.unscheduled_down_minutes
            + day.scheduled_down_minutes
            + day.engineering_minutes
            + day.standby_minutes
            + day.non_scheduled_minutes
        )


def test_past_months_are_drawn_up_and_agree_with_the_ledger() -> None:
    statements = models.Statement.objects.all()
    assert {row.state for row in statements} >= {"issued", "paid"}
    assert {row.month.month for row in statements} == {8, 9, 10}
    assert statements.filter(due_date__lt=NOW.date(), state="issued").exists()
    settled = models.Settlement.objects.filter(state__in=("confirmed", "paid"))
    assert {row.month.month for row in settled} & {8, 9, 10}
    assert any(net_of(row) for row in settled)
    assert statements.filter(covered__gt=0).exists()
    assert statements_astray() == []
    assert not charges_astray().exists()
    assert all(check_settlement(row).agrees for row in models.Settlement.objects.all())
    assert statements_draw_due(now=NOW).statements == 0


def test_auditors_find_something_of_each_kind() -> None:
    # The books are as the trail says.
    found = set(models.AuditException.objects.values_list("rule", flat=True))
    assert found == RULES.keys() - {"books-not-trail"}
    assert models.AuditFinding.objects.get().state == "replied"
    assert set(models.AuditException.objects.values_list("state", flat=True)) == {
        "open", "review", "explained", "confirmed",
    }  # fmt: skip
    assert models.AuditSample.objects.count() == 1
    # Ids are of this machine's clock, which may be past the seals of NOW.
    assert {problem.code for problem in trail_verify().problems} <= {"misdated"}


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("*.md")), ids=lambda guide: guide.stem)
def test_every_guide_does_what_it_says(
    guide: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of docs/guides copies block after block; workers are quick, and the clock stands still."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    (tokens := tmp_path / "tokens").mkdir()
    for email in EMAILS:
        user = User.objects.get(email=email)
        _, token = token_issue(user=user, label="guide", lifetime=timedelta(days=1), now=NOW)
        (tokens / email).write_text(f"{token}\n")
    OutboxMessage.objects.filter(done_at=None).update(done_at=NOW)  # what the stories left takes a minute
    feed_refresh(now=NOW)
    with serving(lambda: effects_carry_out(now=NOW)) as address:
        settings.SITE_URL, settings.LOCAL_MODE = address, True
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        run_guide(guide, address, tokens, tmp_path)
