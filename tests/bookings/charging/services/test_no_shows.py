"""The host removes a no-show: the mark is gone, its charge reversed, and the person is told."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, TrailEntry
from accounts.services.memberships import role_grant
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.charging.services.no_shows import no_show_strike
from bookings.hours.services.hours import hours_roll_up
from bookings.messaging.selectors.webhooks import events_by_effect
from bookings.models import Charge, DirtyDay, HandOff, InstrumentDay, Reservation, UsageSession
from bookings.overview.selectors.person import load_known
from bookings.overview.services.effects import effects_carry_out
from bookings.record.messages import sentence
from bookings.results.services.handoffs import result_terms_set
from bookings.settlement.services.statements import statements_draw_due
from bookings.usage.selectors.sessions import sessions_to_complete
from bookings.usage.services.sessions import session_complete
from bookings.usage.services.usage import usage_settle
from tests.accounts.pages import page_of
from tests.factories.api import hold_event_against_description
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import BY_USE, due

D = Decimal
LATER = at("2026-03-06 14:00")
TIMES = (at("2026-03-06 10:10"), at("2026-03-06 11:40"))
THERE = {"cause": "was_there", "usage": TIMES}


@pytest.fixture
def missed(cast):
    """A booking of Wang's from ten to twelve to which nobody came."""
    return _missed(cast, "50")


def _missed(cast, percent, charged=True):
    instrument = cast.instrument(
        name="Watched", card=BY_USE | {"no_show_percent": percent}, policy={"check_in_minutes": 30}
    )
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    usage_settle(now=at("2026-03-06 10:30"))
    if charged:
        charge_make(reservation_id=made.pk, now=at("2026-03-06 10:31"))
    made.refresh_from_db()
    assert made.state == "no_show"
    return made


def strike(cast, made, who="zhao", now=LATER, version=None, **values):
    given = {"cause": "host_fault", "reason": "The door was locked."} | values
    return no_show_strike(By(cast.actor(who), now, version), reservation_id=made.pk, **given)


def everything(made):
    return (
        list(Reservation.objects.filter(pk=made.pk).values()),
        list(Charge.objects.order_by("pk").values()),
        UsageSession.objects.count(),
        TrailEntry.objects.count(),
    )


def owed():
    return sum(Charge.objects.values_list("total", flat=True), D(0))


def test_at_the_hosts_fault_it_costs_nothing_and_no_longer_counts(cast, missed):
    assert load_known(cast.actor("zhao"), cast.wang, LATER).missed == 1
    effects_carry_out(now=LATER)
    day = LATER.date()
    hours_roll_up(since=day, until=day + timedelta(days=1), now=LATER + timedelta(days=2))
    assert InstrumentDay.objects.get(instrument=missed.instrument_id).no_show_minutes == 120
    mail.outbox.clear()
    strike(cast, missed)
    missed.refresh_from_db()
    assert (missed.state, missed.struck, missed.reason) == ("completed", "host_fault", "The door was locked.")
    assert owed() == 0
    kinds = {(row.kind, row.state) for row in Charge.objects.all()}
    assert kinds == {("no_show", "reversed"), ("reversal", "final")}
    assert load_known(cast.actor("zhao"), cast.wang, LATER).missed == 0
    DirtyDay.objects.all().delete()
    effects_carry_out(now=LATER)
    assert DirtyDay.objects.filter(instrument=missed.instrument_id, date=day).exists()
    hours_roll_up(since=day, until=day + timedelta(days=1), now=LATER + timedelta(days=2))
    assert not InstrumentDay.objects.filter(no_show_minutes__gt=0).exists()
    (letter,) = [one for one in mail.outbox if one.to == ["wang@fudan.example"]]
    assert "No-show removed" in letter.subject
    assert "The door was locked." in letter.body and "CNY 0.00" in letter.body
    assert not sessions_to_complete(cast.actor("zhao")).exists()
    assert owed() == 0
    actions = list(TrailEntry.objects.filter(object_id=missed.pk).values_list("action", flat=True))
    assert "reservation.strike-no-show" in actions
    assert missed.version == len(actions)


def test_who_was_there_pays_for_the_use(cast, missed):
    strike(cast, missed, cause="was_there", usage=TIMES)
    new = Charge.objects.get(kind="use")
    assert (new.state, new.total, owed()) == ("open", D("519.40"), D("519.40"))
    session = UsageSession.objects.get(reservation=missed)
    assert (session.checked_in_at, session.checked_out_at) == TIMES
    missed.refresh_from_db()
    assert (missed.state, missed.struck) == ("completed", "was_there")


@pytest.mark.parametrize("is_charged", [True, False])
def test_a_no_show_without_a_charge_is_removed_as_well(cast, is_charged):
    made = _missed(cast, "0" if is_charged else "50", charged=is_charged)
    strike(cast, made)
    effects_carry_out(now=LATER)
    assert not Charge.objects.exists()
    assert not sessions_to_complete(cast.actor("wang")).exists()
    made.refresh_from_db()
    assert made.state == "completed"


def test_a_free_no_show_of_somebody_who_was_there_is_charged_for_its_use(cast):
    made = _missed(cast, "0")
    strike(cast, made, cause="was_there", usage=TIMES)
    effects_carry_out(now=LATER)
    assert [(row.kind, row.total) for row in Charge.objects.all()] == [("use", D("519.40"))]


def test_without_a_charge_there_is_as_much_time_as_with_one(cast):
    made = _missed(cast, "0")
    with pytest.raises(WrongState) as refused:
        strike(cast, made, now=made.end_at + timedelta(days=7))
    assert refused.value.code == "no-show-past"
    strike(cast, made, now=made.end_at + timedelta(days=7, minutes=-1))


def test_results_of_a_person_who_was_there_are_expected(cast, missed):
    mode = missed.service_mode
    zhao = By(cast.actor("zhao"), NOW)
    result_terms_set(zhao, instrument_id=missed.instrument_id, due_days=3, keep_days=30, modes=[mode])
    strike(cast, missed, **THERE)
    effects_carry_out(now=LATER)
    assert HandOff.objects.filter(reservation=missed).exists()
    assert Charge.objects.exclude(state="reversed").filter(kind="use").count() == 1


@pytest.mark.parametrize(("values", "kind"), [({}, "no_show"), (THERE, "use")])
def test_webhooks_are_told_of_the_corrected_charge(cast, missed, values, kind):
    strike(cast, missed, **values)
    (row,) = OutboxMessage.objects.filter(kind="struck.charge")
    assert events_by_effect()["struck.charge"].code == "charge.corrected"
    (event,) = events_by_effect()["struck.charge"].load("charge.corrected", row)
    assert Charge.objects.get(pk=event.about).kind == kind
    assert event.data["reservation"] == str(missed.pk)
    hold_event_against_description(event.event, event.data)


def test_no_times_are_entered_afterwards_that_nobody_would_be_charged_for(cast, missed):
    strike(cast, missed)
    with pytest.raises(WrongState) as refused:
        session_complete(By(cast.actor("wang"), LATER), reservation_id=missed.pk, usage=TIMES)
    assert refused.value.code == "struck-without-use"
    assert not UsageSession.objects.exists()


def test_nobody_removes_it_twice(cast, missed):
    strike(cast, missed)
    before = everything(missed)
    with pytest.raises(WrongState) as refused:
        strike(cast, missed)
    assert refused.value.code == "no-show-struck"
    assert everything(missed) == before


def _final(cast, made):
    charges_finalise(now=LATER + timedelta(days=8))
    return "no-show-final"


def _almost_final(cast, made):
    return "no-show-final"  # no job has run yet


def _disputed(cast, made):
    charge = Charge.objects.get()
    dispute_open(By(cast.actor("wang"), LATER), charge_id=charge.pk, reason="I was there.")
    return "no-show-disputed"


def _on_statement(cast, made):
    charges_finalise(now=LATER + timedelta(days=8))
    statements_draw_due(now=at("2026-04-01 12:00"))
    return "no-show-on-statement"


def _corrected(cast, made):
    correction_propose(
        By(cast.actor("gao"), LATER),
        charge_id=Charge.objects.get().pk,
        amendment=Amendment(waive_percent=D(50)),
        reason="Half of it.",
    )
    return "correction-proposed"


@pytest.mark.parametrize(
    ("prepare", "now"),
    [
        (_final, LATER + timedelta(days=9)),
        (_almost_final, LATER + timedelta(days=9)),
        (_disputed, LATER),
        (_on_statement, at("2026-04-02 12:00")),
        (_corrected, LATER),
    ],
)
def test_too_late_says_what_to_do(cast, missed, prepare, now):
    code = prepare(cast, missed)
    before = everything(missed)
    with pytest.raises(WrongState) as refused:
        strike(cast, missed, now=now)
    assert refused.value.code == code
    assert everything(missed) == before
    assert "charge" in sentence(code, {})


def test_after_a_waiver_the_mark_can_go_without_another_charge(cast, missed):
    charges_finalise(now=LATER + timedelta(days=8))
    now = LATER + timedelta(days=9)
    correction = correction_propose(
        By(cast.actor("zhao"), now),
        charge_id=Charge.objects.get().pk,
        amendment=Amendment(waive_percent=D(100)),
        reason="The door was locked.",
    )
    correction_agree(By(cast.actor("gao"), now), correction_id=correction.pk)
    before = everything(missed)
    with pytest.raises(WrongState) as refused:
        strike(cast, missed, now=now, cause="was_there", usage=TIMES)
    assert refused.value.code == "no-show-waived"
    assert everything(missed) == before
    strike(cast, missed, now=now)
    effects_carry_out(now=now)
    assert owed() == 0
    missed.refresh_from_db()
    assert missed.state == "completed"


@pytest.mark.parametrize(
    ("who", "error"),
    [("wang", NotPermitted), ("chen", NotPermitted), ("gao", NotPermitted), ("hu", NotFound)],
)
def test_only_the_hosts_managers_may(cast, missed, who, error):
    before = everything(missed)
    with pytest.raises(error):
        strike(cast, missed, who=who)
    assert everything(missed) == before


def test_nobody_removes_their_own(cast):
    instrument = cast.instrument(name="Watched", policy={"check_in_minutes": 30})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", instrument=instrument)
    usage_settle(now=at("2026-03-06 10:30"))
    due(made, at("2026-03-06 10:31"))
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    with pytest.raises(NotPermitted) as refused:
        strike(cast, made, who="sun")
    assert refused.value.code == "own-no-show"
    assert Reservation.objects.get(pk=made.pk).state == "no_show"


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"reason": " "}, "reason", "required"),
        ({"cause": "was_there"}, "check_in", "required"),
        ({"usage": TIMES}, "check_in", "times-only-if-there"),
        ({"cause": "nonsense"}, "cause", "unknown-value"),
        ({"cause": "was_there", "usage": TIMES[::-1]}, "check_out", "not-after-start"),
    ],
)
def test_what_is_given_must_make_sense(cast, missed, values, field, code):
    before = everything(missed)
    with pytest.raises(Invalid) as refused:
        strike(cast, missed, **values)
    assert [(one.field, one.code) for one in refused.value.problems] == [(field, code)]
    assert everything(missed) == before


def test_the_page_removes_it(cast, missed, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    client = Client()
    address = reverse("bookings:reservation", args=[missed.pk])
    to = reverse("bookings:strike-no-show", args=[missed.pk])
    client.force_login(cast.people["wang"])
    assert 'id="no-show"' not in page_of(client.get(address))
    client.force_login(cast.people["zhao"])
    assert to in page_of(client.get(address))
    answer = client.post(to, {"cause": "was_there", "check_in": "", "check_out": "", "reason": "Seen."})
    assert "Enter" in page_of(answer, 400) or "required" in page_of(answer, 400)
    assert client.post(to, {"cause": "host_fault", "reason": "The door was locked."}).status_code == 302
    page = page_of(client.get(address))
    assert "data-struck" in page and "it was the owner&#x27;s fault" in page
    assert 'id="no-show"' not in page


def test_the_page_says_what_to_do_when_it_is_too_late(cast, missed, monkeypatch):
    late = LATER + timedelta(days=9)
    monkeypatch.setattr("django.utils.timezone.now", lambda: late)
    charges_finalise(now=late)
    client = Client()
    client.force_login(cast.people["zhao"])
    page = page_of(client.get(reverse("bookings:reservation", args=[missed.pk])))
    assert "Its charge is final." in page
    assert reverse("bookings:money-charges-one", args=[Charge.objects.get().pk]) in page
    assert reverse("bookings:strike-no-show", args=[missed.pk]) not in page
