"""Alarms: raised as the nightly job does, one of them answered by an owner who claims too much."""

from datetime import datetime, timedelta

from accounts.domain.roles import By
from bookings.board.models import IdleAlarm
from bookings.board.services.alarms import alarm_answer, alarms_review
from bookings.demo.services.places import Places
from instruments.models import Instrument

MANAGER, HOST = "manager@demo.test", "hefei-materials"
PUBLISHED = timedelta(days=500)  # long enough for twelve whole months


def alarms_make(places: Places, *, now: datetime) -> int:
    """Let some instruments of the manager's have been there for long; how many alarms follow."""
    host = Instrument.objects.filter(organisation__code=HOST, publication="published")
    for instrument in host.order_by("name")[:3]:
        instrument.published_at = now - PUBLISHED
        instrument.save(update_fields=["published_at"])
    alarms_review(now=now)
    rows = IdleAlarm.objects.filter(
        instrument__organisation__code=HOST, kind__in=["idle", "under_used"]
    )
    if row := rows.order_by("instrument__name").first():
        alarm_answer(
            By(places.people[MANAGER].actor, now),
            alarm_id=row.pk,
            reason="full",
            due_date=(now + timedelta(days=60)).date(),
            note="Our own groups use it every day.",
        )
    return IdleAlarm.objects.count()
