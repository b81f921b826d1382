"""Effects that are carried out in groups come to the same as one after the other."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.domain.roles import By
from accounts.models import Message, OutboxMessage
from accounts.notifications import Effect, enqueue
from bookings.messaging.selectors.webhooks import all_events
from bookings.messaging.services.webhooks import webhook_add
from bookings.models import Event, WebhookDelivery
from bookings.overview.services import effects
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.results import released
from tests.factories.samples import announce, join, step

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """A host with a webhook for everything, and a morning's effects: bookings, one asked for, one cancelled,
    a sample, results, a bid, an invitation to somebody without an account, and two that cannot be written."""
    webhook_add(
        By(cast.actor("zhao"), NOW), organisation_id=cast.ustc.pk, address="https://lab.example/hook",
        events=list(all_events()), description="",
    )  # fmt: skip
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    rows = [
        reserve(cast, f"2026-03-17 {hour:02}:00", f"2026-03-17 {hour + 1:02}:00")
        for hour in (8, 9, 10, 11, 12)
    ]
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", instrument=asks)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=rows[2].pk, reason="")
    sample = announce(cast)
    join(cast, rows[3], sample)
    step(cast, "wang", "shipped", sample)
    released(cast)
    bid_of(cast, enquiry_of(cast))
    with transaction.atomic():
        gone = {"reservation": "0197a1de-0000-7000-8000-000000000001"}
        enqueue([Effect("mail.confirmed", "gone", gone), Effect("mail.confirmed", "empty", {})], now=NOW)
    return cast


def come_to(group: int, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[int]]:
    """Return what the effects come to, which is then taken back, and how many were told together."""
    together: list[int] = []

    def counted(rows: Any, now: Any) -> Any:
        found = told(rows, now)
        together.append(len(found))
        return found

    told = effects._told_together
    with monkeypatch.context() as patch:
        patch.setattr(effects, "GROUP", group)
        patch.setattr(effects, "_told_together", counted)
        with transaction.atomic():
            for _ in range(3):
                effects.effects_carry_out(now=SOON)
            found = {
                "messages": sorted(Message.objects.values_list("id", "subject", "html", "mail_due_at")),
                "events": sorted(Event.objects.values_list("kind", "cause", "body")),
                "deliveries": sorted(WebhookDelivery.objects.values_list("event", "cause", "body")),
                "effects": sorted(OutboxMessage.objects.exclude(kind="webhook.deliver").values_list(
                    "kind", "key", "outcome", "attempts", "last_error"
                )),
                "numbers": sorted(Event.objects.values_list("number", flat=True)),
            }  # fmt: skip
            transaction.set_rollback(True)
    return found, together


def test_groups_come_to_the_same(busy: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, none = come_to(1, monkeypatch)
    grouped, together = come_to(16, monkeypatch)
    assert not none and sum(together) >= 12
    for name in alone:
        assert grouped[name] == alone[name], name
    assert len(alone["messages"]) > 12 and len(alone["events"]) > 9 and len(alone["deliveries"]) > 9
    assert [row for row in alone["effects"] if row[4]] == [
        ("mail.confirmed", "empty", "", 1, "KeyError: 'reservation'")
    ]
