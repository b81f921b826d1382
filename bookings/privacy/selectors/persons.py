"""All that the platform stores about a person, in the form in which they may take it along; and what prevents
erasing them.

Each area says in its manifest which of its tables hold personal data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from accounts.areas import Personal, Told, areas
from accounts.models import OutboxMessage, User
from accounts.selectors.erasure import sole_duties
from bookings.pricing.models import Charge
from bookings.record.models import Reservation

type Row = dict[str, Any]


@dataclass(frozen=True)
class Obstacle:
    """A reason why somebody cannot be erased now: a code of messages.py with its numbers."""

    code: str
    numbers: Mapping[str, str | int]


def load_obstacles(user: User, now: datetime) -> list[Obstacle]:
    """Return what prevents erasing a person now, if anything. Four statements."""
    obstacles = []
    under_way = Reservation.objects.filter(
        Q(state="in_use") | Q(state="confirmed", start_at__lte=now, end_at__gt=now), user=user
    ).count()
    if under_way:
        obstacles.append(Obstacle("booking-under-way", {"count": under_way}))
    # The payer can ask only this person whether a charge is right.
    theirs = Q(reservation__user=user) | Q(enrolment__user=user)
    charges = Charge.objects.filter(theirs, state__in=["open", "disputed"]).count()
    if charges:
        obstacles.append(Obstacle("charges-not-final", {"count": charges}))
    for grant in sole_duties(user):
        where = grant.organisation
        if where is None:
            obstacles.append(Obstacle("last-administrator", {}))
        else:
            obstacles.append(Obstacle("last-manager", {"organisation": where.name}))
    return obstacles


def load_person(user: User) -> dict[str, list[Row]]:
    """Return every table about a person by its name, as rows of plain values, the oldest first. One statement
    per table, however many rows it has."""
    profile = {
        name: getattr(user, name)
        for name in ("id", "email", "name", "language", "time_zone", "created_at", "last_login")
    }
    told = (_told(each, user) for area in areas() for each in area.told)
    effects = OutboxMessage.objects.filter(reduce(or_, told)).order_by("created_at")
    messages: Iterable[Any] = effects.values("kind", "payload", "created_at", "done_at", "outcome")
    return {
        "profile": [profile],
        **{table.table: _rows(table, user) for area in areas() for table in area.personal},
        "messages": list(messages),
    }


def _told(told: Told, user: User) -> Q:
    ids = told.model._default_manager.filter(_through(told.paths.split(), user)).values_list("pk", flat=True)
    return Q(kind__startswith=told.kinds, **{f"payload__{told.payload}__in": [str(pk) for pk in ids]})


def _through(paths: list[str], user: User) -> Q:
    """Return a condition for rows that belong to a person by any of some paths."""
    return reduce(or_, (Q(**{path: user.pk}) for path in paths))


def _rows(table: Personal, user: User) -> list[Row]:
    paths = [*table.keys, *filter(None, [table.also])]
    rows = table.model._default_manager.filter(table.where(user) if table.where else _through(paths, user))
    if any(table.model._meta.get_field(key).many_to_many for key in table.keys):
        rows = rows.distinct()
    columns = {
        path or name: name for name, _, path in (word.partition("=") for word in table.columns.split())
    }
    found = rows.order_by(*table.order.split()).values(*columns)
    return [{columns.get(key, key): value for key, value in row.items()} for row in found]
