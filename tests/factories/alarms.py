"""An alarm, as the nightly job raises one."""

from bookings.models import IdleAlarm
from instruments.register.models import Instrument
from tests.factories.moments import NOW

FIGURES = {
    "accepted_on": "2024-01-01",
    "used_on": "2026-03-01",
    "productive_minutes": 6_000,
    "external_minutes": 0,
    "norm_minutes": 84_000,
    "open_days": 2,
    "asked": 4,
    "since": "2025-03-01",
    "until": "2026-03-01",
}


def alarm_of(instrument: Instrument) -> IdleAlarm:
    return IdleAlarm.objects.create(
        instrument=instrument, kind="idle", figures=FIGURES, raised_at=NOW, asked_at=NOW, checked_at=NOW
    )
