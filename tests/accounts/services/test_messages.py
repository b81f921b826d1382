"""Messages: into the inbox, out by mail as each reader wants it."""

import re
from datetime import time, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import Invalid, NotFound, WrongVersion
from accounts.domain.messages import Choice, Quiet
from accounts.domain.roles import By
from accounts.models import Message, MessageSettings, OutboxMessage, TrailEntry, User
from accounts.selectors.messages import inbox_of, message_by_id, settings_of, with_unread
from accounts.services.messages import choices_set, message_read, messages_read, topics_leave
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.services.retention import records_remove
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide
from tests.factories.cast import NOW, at, reserve
from tests.factories.waiting import narrow, wait

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(shared_cast):
    mail.outbox.clear()
    return shared_cast


def choose(cast, name, quiet=None, **topics):
    return choices_set(By(cast.actor(name), NOW), topics=topics, quiet=quiet)


def subjects():
    found = [(m.to[0].split("@")[0], m.subject.split(":")[0]) for m in mail.outbox]
    mail.outbox.clear()
    return sorted(found)


def asks(cast):
    instrument = cast.instrument(name="Asks first", policy={"approval": "manual"})
    return reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=instrument)


def test_a_message_lies_in_the_inbox_and_its_mail_says_the_same(cast):
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    (row,) = inbox_of(cast.actor("wang"))
    assert (row.topic, row.kind, row.about) == ("confirmation", "mail.confirmed", made.pk)
    assert row.link == f"/bookings/{made.pk}/"
    (letter,) = mail.outbox
    assert letter.body.startswith(row.text) and "/profile/messages/" in letter.body
    stored = Message.objects.get(pk=row.pk)
    # What only the mail needed is gone once it has left.
    assert (stored.html, stored.calendar, stored.mailed_at) == ("", "", NOW)
    # An outbox row that is carried out again says nothing twice.
    OutboxMessage.objects.filter(kind__in=["mail.confirmed", "letter.send"]).update(done_at=None)
    effects_carry_out(now=NOW)
    assert len(mail.outbox) == 1 and inbox_of(cast.actor("wang")).count() == 1


def test_each_reader_has_a_letter_of_their_own_that_is_tried_again_alone(cast, monkeypatch):
    asks(cast)
    from django.core.mail.backends.locmem import EmailBackend

    send = EmailBackend.send_messages

    def failing(self, messages):
        if messages[0].to[0].startswith("zhao"):
            raise OSError("no")
        return send(self, messages)

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", failing)
        effects_carry_out(now=NOW)
    assert subjects() == [("wang", "Requested")]
    # The inbox does not wait for the mail.
    assert inbox_of(cast.actor("zhao")).count() == 1
    effects_carry_out(now=NOW + HOUR)
    assert subjects() == [("zhao", "A request to approve")]


def test_switched_off_by_mail_it_still_lies_in_the_inbox(cast):
    choose(cast, "wang", confirmation=Choice(mail="off"), reminder=Choice(mail="off", inbox=False))
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=made.start_at - HOUR)
    assert subjects() == []
    assert [m.kind for m in inbox_of(cast.actor("wang"))] == ["mail.confirmed"]
    rows = OutboxMessage.objects.filter(kind="mail.reminder")
    assert set(rows.values_list("outcome", flat=True)) == {"skipped"}


def test_a_digest_gathers_requests_and_comes_once(cast):
    choose(cast, "zhao", request=Choice(mail="daily"))
    for hour in (10, 12, 14):
        instrument = cast.instrument(name=f"Asks {hour}", policy={"approval": "manual"})
        reserve(cast, f"2026-03-10 {hour}:00", f"2026-03-10 {hour}:30", instrument=instrument)
    effects_carry_out(now=NOW)
    assert [who for who, _ in subjects()] == ["wang"] * 3
    effects_carry_out(now=at("2026-03-06 07:59"))
    assert subjects() == []
    effects_carry_out(now=at("2026-03-06 08:00"))
    (digest,) = [m for m in mail.outbox if m.to == ["zhao@ustc.example"]]
    assert digest.subject == "Instrument Commons: 3 messages"
    for hour in (10, 12, 14):
        assert f"A request to approve: Asks {hour}" in digest.body
        assert f"A request to approve: Asks {hour}" in digest.alternatives[0][0]
    assert digest.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    effects_carry_out(now=at("2026-03-07 08:00"))
    assert [m for m in mail.outbox if m.subject.startswith("Instrument Commons")] == [digest]


def test_quiet_hours_hold_mail_back_but_not_what_lapses_within_them(cast):
    choose(cast, "wang", quiet=Quiet(time(11), time(16)))  # it is noon
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    wait(cast, narrow(cast))
    effects_carry_out(now=NOW)
    # The offer is kept until two o'clock.
    assert subjects() == [("wang", "A slot is free for you")]
    assert inbox_of(cast.actor("wang")).count() == 2
    effects_carry_out(now=at("2026-03-05 16:05"))
    assert subjects() == [("wang", "Confirmed")]


def test_a_mail_held_back_is_not_sent_once_it_is_no_longer_true(cast):
    choose(cast, "zhao", quiet=Quiet(time(11), time(16)))
    made = asks(cast)
    effects_carry_out(now=NOW)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.pk, reason="")
    mail.outbox.clear()
    effects_carry_out(now=at("2026-03-05 16:05"))
    assert subjects() == [("wang", "Cancelled")]


def test_a_topic_may_come_in_another_language(cast):
    choose(cast, "wang", confirmation=Choice(language="zh-hans"))
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    (row,) = inbox_of(cast.actor("wang"))
    assert row.language == "zh-hans" and "透射电子显微镜" in row.subject
    assert mail.outbox[0].subject == row.subject
    assert User.objects.get(pk=cast.wang.pk).language == "en"


def test_managers_are_warned_before_a_request_lapses(cast):
    made = asks(cast)
    effects_carry_out(now=NOW)
    mail.outbox.clear()
    effects_carry_out(now=made.deadline_at - timedelta(minutes=1))
    assert ("zhao", "A request is about to expire") in subjects()
    other = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", instrument=made.instrument)
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=other.pk, approve=True, reason="")
    effects_carry_out(now=other.deadline_at or made.deadline_at + 24 * HOUR)
    assert ("zhao", "A request is about to expire") not in subjects()


def test_one_click_stops_mail_of_a_topic_and_opening_the_page_does_not(cast):
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    header = mail.outbox[0].extra_headers["List-Unsubscribe"]
    path = "/" + header.strip("<>").split("/", 3)[3]
    browser = Client(enforce_csrf_checks=True)
    assert browser.get(path).status_code == 200
    assert not MessageSettings.objects.exists()
    answer = browser.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    row = MessageSettings.objects.get(user=cast.wang)
    assert row.choices["confirmation"]["mail"] == "off"
    entry = TrailEntry.objects.get(action="messages.choose")
    assert entry.actor_id == cast.wang.pk
    assert browser.post(path.replace("/stop/", "/stop/x"), {}).status_code == 404


def test_mail_that_is_required_offers_no_way_out(cast):
    topics_leave(user=cast.wang, topics=["displacement", "reminder"], now=NOW)
    assert list(MessageSettings.objects.get(user=cast.wang).choices) == ["reminder"]
    before = MessageSettings.objects.get(user=cast.wang)
    with pytest.raises(Invalid):
        choose(cast, "wang", charge=Choice(mail="off"))
    with pytest.raises(WrongVersion):
        choices_set(By(cast.actor("wang"), NOW, 1), topics={}, quiet=None)
    after = MessageSettings.objects.get(user=cast.wang)
    assert (before.choices, before.version) == (after.choices, after.version)


def test_reading_counts_down_in_the_navigation_without_a_statement_of_its_own(
    cast, client, django_assert_num_queries
):
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    asks(cast)
    effects_carry_out(now=NOW)
    with django_assert_num_queries(1):
        assert with_unread(User.objects.filter(pk=cast.wang.pk)).get().unread == 2
    client.force_login(cast.wang)
    page = client.get(reverse("accounts:messages")).content.decode()
    assert "Not read (2)" in page
    first = inbox_of(cast.actor("wang")).first()
    opened = client.post(reverse("accounts:message", args=[first.pk]), {"act": "open"})
    assert opened["Location"] == first.link
    assert "Not read (1)" in client.get(reverse("accounts:messages")).content.decode()
    with pytest.raises(NotFound):
        message_by_id(cast.actor("zhao"), first.pk)
    with pytest.raises(NotFound):
        message_read(By(cast.actor("zhao"), NOW), message_id=first.pk, is_read=False)
    assert Message.objects.get(pk=first.pk).read_at is not None
    assert messages_read(By(cast.actor("wang"), NOW)) == 1
    assert inbox_of(cast.actor("wang"), unread=True).count() == 0


def test_opening_the_page_a_message_leads_to_marks_it_as_read(cast, client):
    first = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    second = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    effects_carry_out(now=NOW)
    told = inbox_of(cast.actor("wang")).get(about=first.pk)
    Message.objects.filter(pk=told.pk).update(link=f"{told.link}#part")
    address = reverse("bookings:reservation", args=[first.pk])
    client.force_login(cast.zhao)
    client.get(address)
    client.force_login(cast.wang)
    client.head(address)
    client.get(address, headers={"HX-Request": "true"})
    assert inbox_of(cast.actor("wang"), unread=True).count() == 2
    client.get(address)
    (unread,) = inbox_of(cast.actor("wang"), unread=True)
    assert unread.about == second.pk


def test_settings_show_the_topics_that_can_reach_a_person(cast, client):
    address = reverse("accounts:message-settings")

    def shown(who):
        client.force_login(cast.people[who])
        return set(re.findall(r'name="language-([^"]+)"', client.get(address).content.decode()))

    wang, hosts = shown("wang"), {"request", "record", "connection", "statement", "audit", "seal", "review"}
    assert {"confirmation", "reminder", "charge", "account"} <= wang and not hosts & wang
    assert {"request", "record", "connection"} <= shown("zhao") and "seal" in shown("auditor")
    assert "reminder" not in shown("lin") and shown("alice") == wang
    row = settings_of(cast.actor("wang"))
    choices_set(By(cast.actor("wang"), NOW), topics={"review": Choice("off")}, quiet=None)
    Message.objects.create(
        user=cast.wang,
        topic="audit",
        kind="audit.finding-raised",
        created_at=NOW,
        subject="x",
        mail="at-once",
    )
    assert row.choices == {} and shown("wang") - wang == {"review", "audit"}


def test_messages_are_removed_after_half_a_year(cast):
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    effects_carry_out(now=NOW)
    assert "messages" not in records_remove(now=NOW + timedelta(days=180))
    assert records_remove(now=NOW + timedelta(days=181))["messages"] == 1
