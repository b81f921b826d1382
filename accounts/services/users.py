"""A person's own settings."""

import zoneinfo
from datetime import datetime

from django.db import transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.models import User
from accounts.permissions import actor_of


@transaction.atomic
def profile_update(*, user: User, name: str, language: str, time_zone: str, now: datetime) -> User:
    """Name, language of messages, time zone shown beside an instrument's own."""
    if time_zone not in zoneinfo.available_timezones():
        raise invalid("time_zone", "unknown-time-zone")
    if language not in {"en", "zh-hans"}:
        raise invalid("language", "unknown-value")
    before = {"language": user.language, "time_zone": user.time_zone}
    user.name, user.language, user.time_zone = name.strip()[:150], language, time_zone
    user.save(update_fields=["name", "language", "time_zone"])
    trail.record(
        actor=actor_of(user),
        action="user.update",
        target=user,
        now=now,
        before=before,
        after={"language": language, "time_zone": time_zone},
    )
    return user
