"""Events in their order: who reads which, from where on, and how long."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from accounts.models import OutboxMessage
from bookings.messaging.services.webhooks import webhook_add
from bookings.models import Event, WebhookDelivery
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.services.retention import records_remove
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.cast import NOW, reserve

pytestmark = pytest.mark.django_db
MONTH = timedelta(days=30)
SECOND = timedelta(seconds=1)


@pytest.fixture
def cast(shared_cast):
    return shared_cast


def book(cast, day, now=NOW):
    made = reserve(cast, f"2026-03-{day} 10:00", f"2026-03-{day} 12:00")
    effects_carry_out(now=now)
    return made


def types(answer):
    return [event["type"] for event in answer.body["results"]]


def test_host_and_payer_read_what_webhooks_say_without_a_webhook(program, cast):
    made = book(cast, 10)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.pk, reason="")
    effects_carry_out(now=NOW)
    for who in ("zhao", "chen", "admin"):
        answer = program(who).get("events/")
        assert types(answer) == ["reservation.confirmed", "reservation.cancelled"]
        assert [event["data"]["version"] for event in answer.body["results"]] == [1, 2]
        assert answer.body["results"][0]["timestamp"] == "2026-03-05T04:00:00Z"
        assert answer.body["cursor"] == answer.body["results"][1]["cursor"]
    for who in ("wang", "sun", "auditor"):
        assert program(who).get("events/").status == 403
    assert types(program("admin").get("events/?organisation=ustc")) == types(answer)
    assert program("chen").get("events/?organisation=ustc").status == 404
    # Carried out again, an effect is no second event.
    OutboxMessage.objects.filter(kind="mail.confirmed").update(done_at=None)
    effects_carry_out(now=NOW)
    assert Event.objects.count() == 2


def test_an_event_is_stored_once_whatever_the_number_of_webhooks(program, cast):
    for who, at in (("zhao", cast.ustc), ("chen", cast.fudan), ("zhao", cast.ustc)):
        webhook_add(
            By(cast.actor(who), NOW), organisation_id=at.pk, address="https://x.example/",
            events=["reservation.confirmed"], description="",
        )  # fmt: skip
    book(cast, 10)
    event = Event.objects.get()
    deliveries = WebhookDelivery.objects.select_related("told")
    # Each has a copy, too, which workers of the release before events send.
    assert {(one.told_id, one.sent, one.body) for one in deliveries} == {(event.number, *[event.body] * 2)}
    assert len(deliveries) == 3


def test_a_cursor_goes_on_where_it_was_also_past_what_others_may_read(program, cast):
    empty = program("zhao").get("events/")
    assert empty.body["results"] == [] and not empty.body["has_more"]
    for day in (10, 11, 12):
        book(cast, day)
    first = program("zhao").get(f"events/?after={empty.body['cursor']}&limit=2")
    assert len(first.body["results"]) == 2 and first.body["has_more"]
    assert f"after={first.body['cursor']}" in first.body["next"] and "limit=2" in first.body["next"]
    second = program("zhao").get(f"events/?after={first.body['cursor']}&limit=2")
    assert len(second.body["results"]) == 1 and not second.body["has_more"]
    Event.objects.filter(number=3).update(organisations=[cast.fudan.pk])
    other = program("zhao").get(f"events/?after={first.body['cursor']}")
    assert (other.body["results"], other.body["cursor"]) == ([], second.body["cursor"])
    for wrong in ("x", "1", "1-abc", "-1-00000000", "1" * 19 + "-00000000", "١-00000000"):
        assert program("zhao").get(f"events/?after={wrong}").problems == [("after", "unknown-cursor")]


def test_an_old_cursor_and_one_of_before_a_restored_backup_are_refused(program, cast):
    start = program("zhao").get("events/").body["cursor"]
    book(cast, 10)
    old = program("zhao").get(f"events/?after={start}").body["cursor"]
    book(cast, 11, now=NOW + timedelta(days=2))
    last = program("zhao").get(f"events/?after={old}").body["cursor"]
    assert "events" not in records_remove(now=NOW + MONTH)
    assert records_remove(now=NOW + MONTH + SECOND)["events"] == 1
    for gone in (start, old):
        answer = program("zhao").get(f"events/?after={gone}")
        assert (answer.status, answer.code) == (410, "no-longer-kept")
    assert len(program("zhao").get("events/").body["results"]) == 1
    # The last is kept, so that who has read everything goes on however long nothing happens.
    assert "events" not in records_remove(now=NOW + 5 * MONTH)
    assert program("zhao").get(f"events/?after={last}").body["results"] == []
    Event.objects.filter(number=2).update(cause="another")
    assert program("zhao").get(f"events/?after={last}").status == 410
    assert program("zhao").get("events/?after=9-01234567").status == 410


def test_events_stay_with_their_deliveries_and_go_without_a_gap(cast):
    for day in (10, 11, 12):
        book(cast, day)
    WebhookDelivery.objects.all().delete()
    Event.objects.filter(number=2).update(created_at=NOW + timedelta(days=1))
    assert records_remove(now=NOW + MONTH + SECOND)["events"] == 1
    assert list(Event.objects.values_list("number", flat=True).order_by("number")) == [2, 3]
