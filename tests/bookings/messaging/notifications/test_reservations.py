"""Messages: who is told, in which words, in whose time, and once."""

from datetime import timedelta

import pytest
from django.core import mail

from accounts.domain.roles import PLATFORM, By
from accounts.letters.kinds import compose
from accounts.models import OutboxMessage, User
from accounts.services.memberships import role_grant
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.services.charges import charge_make
from bookings.messaging.notifications import facts
from bookings.messaging.notifications.facts import About
from bookings.messaging.notifications.reservations import KINDS
from bookings.models import Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.questions.services.questions import questionnaire_set
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_release
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide
from bookings.samples.services.receiving import receiving_set
from bookings.series.services.series import series_book, series_cancel
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import house_rules_record
from instruments.house_rules.services.house_rules import house_rules_set
from tests.factories.cast import NOW, at, reserve
from tests.factories.waiting import narrow, wait

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def sent():
    """(recipient, subject) of what was sent since last asked."""
    found = [(message.to[0], message.subject) for message in mail.outbox]
    mail.outbox.clear()
    return found


def written(kind, about, reader):
    return compose(KINDS[kind], KINDS[kind].content(about, OutboxMessage(), NOW), reader)


def test_a_booking_is_confirmed_and_recalled_a_day_and_an_hour_before(cast):
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    assert sent() == [("wang@fudan.example", "Confirmed: Transmission electron microscope, Tue 10 Mar 10:00")]
    effects_carry_out(now=made.start_at - DAY - timedelta(seconds=1))
    assert sent() == []
    effects_carry_out(now=made.start_at - DAY)
    effects_carry_out(now=made.start_at - DAY)
    assert sent() == [
        ("wang@fudan.example", "Starting soon: Transmission electron microscope, Tue 10 Mar 10:00")
    ]
    effects_carry_out(now=made.start_at - HOUR)
    assert len(sent()) == 1


def test_booked_later_than_a_reminder_it_is_left_out(cast):
    reserve(cast, "2026-03-05 12:30", "2026-03-05 14:00")  # half an hour ahead
    assert not OutboxMessage.objects.filter(kind="mail.reminder").exists()
    reserve(cast, "2026-03-05 18:00", "2026-03-05 19:00")
    assert OutboxMessage.objects.filter(kind="mail.reminder").count() == 1


def test_a_reminder_that_comes_too_late_or_for_nothing_is_skipped(cast):
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    other = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=other.pk, reason="")
    effects_carry_out(now=NOW)
    sent()
    # The workers slept until after the start of one; the other was cancelled.
    effects_carry_out(now=other.start_at)
    assert sent() == []
    reminders = OutboxMessage.objects.filter(kind="mail.reminder")
    assert set(reminders.values_list("outcome", flat=True)) == {"skipped"}
    assert made.state == "confirmed"


def test_a_request_goes_to_the_hosts_managers_and_its_answer_back(cast):
    instrument = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=instrument)
    effects_carry_out(now=NOW)
    assert sorted(sent()) == [
        ("wang@fudan.example", "Requested: Asks first, Tue 10 Mar 10:00"),
        ("zhao@ustc.example", "A request to approve: Asks first, Tue 10 Mar 10:00"),
    ]
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=made.pk, approve=True, reason="")
    effects_carry_out(now=NOW)
    assert sent() == [("wang@fudan.example", "Confirmed: Asks first, Tue 10 Mar 10:00")]


def test_what_fails_while_writing_to_several_reaches_nobody_before_it_is_tried_again(cast, monkeypatch):
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    instrument = cast.instrument(policy={"approval": "manual"})
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=instrument)

    def failing(kind, content, reader):
        if kind.name == "mail.to-decide" and reader == cast.zhao:  # the second of two
            raise OSError
        return compose(kind, content, reader)

    with monkeypatch.context() as patch:
        patch.setattr("accounts.letters.kinds.compose", failing)
        effects_carry_out(now=NOW)
    assert [to for to, _ in sent()] == ["wang@fudan.example"]
    effects_carry_out(now=NOW + HOUR)
    assert sorted(to for to, _ in sent()) == ["sun@ustc.example", "zhao@ustc.example"]


def test_in_the_readers_language_and_both_zones(cast):
    User.objects.filter(pk=cast.wang.pk).update(language="zh-hans", time_zone="Europe/London")
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    made.refresh_from_db()
    message = written("mail.confirmed", About(made), User.objects.get(pk=cast.wang.pk))
    assert "透射电子显微镜" in message.subject
    assert "2026年3月10日" in message.text
    assert "10:00" in message.text and "北京时间" in message.text
    assert "02:00" in message.text and "伦敦时间" in message.text
    assert f"/bookings/{made.pk}/" in message.text
    html = message.html
    assert f"/bookings/{made.pk}/" in html


def test_who_sends_samples_is_mailed_where_to(cast):
    instrument = cast.instrument(service_modes=["entrusted"])
    made = reserve(
        cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=instrument, service_mode="entrusted"
    )
    said = {"recipient": "Sample office", "address": "Room 1", "phone": "104"}
    receiving_set(By(cast.actor("zhao"), NOW, 0), facility_id=instrument.facility_id, **said)
    message = written("mail.confirmed", About(Reservation.objects.get(pk=made.pk)), cast.wang)
    assert "Send the samples to: Sample office, Room 1" in message.text and "Where" not in message.text
    assert "Sample office, Room 1" in message.html and "Where" not in message.html


def test_an_offer_says_until_when_in_both_zones_and_where_to_take_it(cast):
    User.objects.filter(pk=cast.wang.pk).update(time_zone="Europe/London")
    instrument = narrow(cast)
    wait(cast, instrument)
    effects_carry_out(now=NOW)
    (letter,) = mail.outbox
    assert letter.to == ["wang@fudan.example"]
    assert letter.subject == "A slot is free for you: Narrow, Fri 6 Mar 02:00 (London time)"
    take = f"/instruments/{instrument.pk}/book/?start=2026-03-06T02%3A00%3A00Z&minutes=120&organisation=fudan"
    for text in (letter.body, letter.alternatives[0][0].replace("&amp;", "&")):
        assert "Fri 6 Mar 2026, 10:00" in text and "Fri 6 Mar 2026, 02:00" in text
        assert "Thu 5 Mar 2026, 14:00" in text and "Thu 5 Mar 2026, 06:00" in text
        assert take in text and "/waiting/" in text


def test_an_offer_that_was_declined_before_the_mail_left_is_not_sent(cast):
    wait(cast, narrow(cast))
    held = Reservation.objects.get()
    hold_release(By(cast.actor("wang"), NOW), reservation_id=held.pk)
    effects_carry_out(now=NOW)
    assert sent() == []
    assert OutboxMessage.objects.get(kind="mail.offer").outcome == "skipped"


def test_who_is_displaced_is_told_where_else(cast):
    other = narrow(cast, name="Other", name_zh="另一台")
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        outage=Outage("breakdown", at("2026-03-06 09:00"), at("2026-03-06 13:00")),
        displace=True,
    )
    mail.outbox.clear()
    effects_carry_out(now=NOW)
    letter = next(m for m in mail.outbox if m.subject.startswith("Displaced"))
    form = "/book/?start={}&minutes=120&organisation=fudan"
    for text in (letter.body, letter.alternatives[0][0].replace("&amp;", "&")):
        # The equivalent one at the same time, then this one after it is open again.
        first = text.index(f"{other.pk}{form.format('2026-03-06T02%3A00%3A00Z')}")
        second = text.index(f"{cast.microscope.pk}{form.format('2026-03-06T05%3A00%3A00Z')}")
        assert first < second
    assert "Other: Fri 6 Mar 2026, 10:00 – 12:00 (Beijing time), CNY 657.20" in letter.body


@pytest.mark.parametrize("kind", sorted(name.removeprefix("mail.") for name in KINDS))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_kind_can_be_written(cast, kind, language, monkeypatch):
    monkeypatch.setattr(facts, "load_nearest", lambda one, now: ())
    is_of_charge = KINDS[f"mail.{kind}"].topic == "charge"
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    made.reason = "<b>pump</b> & more"
    made.state = {
        "cancelled": "cancelled",
        "series-cancelled": "cancelled",
        "completed": "completed",
        "no-show": "no_show",
        "no-show-struck": "completed",
    }.get(kind, "completed" if is_of_charge else "confirmed")
    made.struck = "host_fault" if kind == "no-show-struck" else ""
    made.ended_at = made.deadline_at = made.start_at - HOUR
    cast.wang.language = language
    about = About(made, [made] if "series" in kind or "imported" in kind else ())
    if is_of_charge:
        made.save()
        about = About(made, charge=charge_make(reservation_id=made.pk, now=made.start_at))
    if kind == "house-rules-recorded":
        zhao = By(cast.actor("zhao"), NOW)
        house_rules_set(zhao, instrument_id=cast.microscope.pk, text="Wear gloves.", text_zh="")
        made.instrument.refresh_from_db()
        house_rules_record(zhao, reservation_id=made.pk, version=1, means="paper")
    message = written(f"mail.{kind}", about, cast.wang)
    if kind == "house-rules-recorded":
        said = {"en": "version 1 of the house rules", "zh-hans": "第 1 版"}
        assert said[language] in message.text and "Zhao Min" in message.text
    assert "\n" not in message.subject and message.subject
    assert "{" not in message.subject + message.text
    # Before it is the quote, after it what is owed; where nothing is owed nothing is said.
    free = {"rejected", "expired", "displaced", "cut-short", "offer", "overrun", "overrun-next"}
    free |= {"poor-rating", "rating-answered", "house-rules-open", "house-rules-recorded"}
    free |= {"no-show-struck"}
    assert ("657.20" in message.text) == (kind not in free)
    elsewhere = {"displaced", "cut-short", "rejected", "offer"}
    assert ("/instruments/" in message.text) == (kind in elsewhere)
    assert "<b>pump" not in message.html
    assert "<b>pump</b> & more" in message.text


def test_a_series_is_one_message_with_its_dates_and_their_sum(cast):
    made = series_book(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            cast.microscope.pk, Period(at("2026-03-10 10:00"), at("2026-03-10 12:00")), None, "self"
        ),
        rule="FREQ=DAILY;COUNT=3",
        on_conflict="refuse",
    )
    effects_carry_out(now=NOW)
    (letter,) = mail.outbox
    assert letter.subject == "Confirmed (3): Transmission electron microscope, Tue 10 Mar – Thu 12 Mar"
    for day in ("Tue 10 Mar 2026, 10:00", "Wed 11 Mar 2026, 10:00", "Thu 12 Mar 2026, 10:00"):
        assert day in letter.body and day in letter.alternatives[0][0]
    assert "CNY 1,971.60" in letter.body
    mail.outbox.clear()
    series_cancel(
        By(cast.actor("wang"), NOW),
        series_id=made.series.pk,
        scope="following",
        reservation_id=made.reservations[1].pk,
        reason="done",
    )
    effects_carry_out(now=NOW)
    assert sent() == [
        ("wang@fudan.example", "Cancelled (2): Transmission electron microscope, Wed 11 Mar – Thu 12 Mar")
    ]


def test_a_series_to_decide_is_told_the_host_once_until_it_is_decided(cast):
    instrument = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = series_book(
        By(cast.actor("wang"), NOW),
        booking=Booking(instrument.pk, Period(at("2026-03-10 10:00"), at("2026-03-10 12:00")), None, "self"),
        rule="FREQ=DAILY;COUNT=2",
        on_conflict="refuse",
    )
    reservation_decide(
        By(cast.actor("zhao"), NOW), reservation_id=made.reservations[0].pk, approve=True, reason=""
    )
    effects_carry_out(now=NOW)
    assert sorted(sent()) == [
        ("wang@fudan.example", "Confirmed: Asks first, Tue 10 Mar 10:00"),
        ("wang@fudan.example", "Requested (2): Asks first, Tue 10 Mar – Wed 11 Mar"),
        ("zhao@ustc.example", "Requests to approve (1): Asks first, Wed 11 Mar 10:00"),
    ]


def test_who_decides_reads_the_answers_given_when_booking(cast):
    instrument = cast.instrument(name="Asks first", policy={"approval": "manual"})
    toxic = {"key": "toxic", "kind": "yes_no", "label": "Toxic?", "label_zh": "有毒吗？", "required": True}
    questionnaire_set(
        By(cast.actor("zhao"), NOW), instrument_id=instrument.pk, moment="booking", fields=[toxic]
    )
    made = reserve(
        cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=instrument, answers={"toxic": True}
    )
    User.objects.filter(pk=cast.zhao.pk).update(language="zh-hans")
    message = written("mail.to-decide", About(made), User.objects.get(pk=cast.zhao.pk))
    assert "有毒吗？：是" in message.text and "有毒吗？" in message.html
    assert "有毒" not in written("mail.requested", About(made), cast.wang).text
