"""A person exports their data, or closes their account for good."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model

from accounts import trail
from accounts.areas import Erasure, areas
from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.models import FileJob, User
from accounts.permissions import actor_of
from accounts.services.erasure import account_close
from accounts.services.file_jobs import files_forget
from bookings.plans.selectors.waiting import open_wishes
from bookings.plans.services.waiting import wish_withdraw
from bookings.privacy.selectors.leaving import bookings_ahead
from bookings.privacy.selectors.persons import Row, load_obstacles, load_person
from bookings.privacy.services.leaving import bookings_drop
from instruments.register.locks import lock_instruments
from instruments.training.services.enrolments import enrolments_drop


@transaction.atomic
def person_export(*, user: User, now: datetime) -> dict[str, list[Row]]:
    """Return all tables about a person, and record in the trail that they were exported."""
    tables = load_person(user)
    trail.record(
        By(actor_of(user), now),
        "user.export",
        user,
        after={"rows": sum(len(rows) for rows in tables.values())},
    )
    return tables


@transaction.atomic
def person_close(*, user: User, now: datetime, by_platform: bool = False, reason: str = "") -> int:
    """Close the account for good: cancel upcoming bookings, each by its rules, withdraw waiting-list entries,
    delete saved searches and lists; a job then forgets who it was (`accounts/services/erasure.py`). Return
    the number of bookings cancelled. Past bookings, charges, the ledger and the trail stay as they are, under
    a pseudonym.

    Raises `WrongState` while a booking is under way, a charge of theirs is not final, or nobody else could
    decide for an organisation or the platform.
    """
    own = By(actor_of(user), now)
    for obstacle in load_obstacles(user, now):
        raise WrongState(obstacle.code, **obstacle.numbers)
    ahead = bookings_ahead(user.pk, now)
    wishes = open_wishes(now).filter(user=user)
    enrolments_drop(own, user=user)  # sessions of courses are locked before instruments
    # Instruments are locked before people, and withdrawing a waiting-list entry locks its person.
    lock_instruments({*ahead.values_list("instrument_id", flat=True)})
    for pk in list(wishes.order_by("pk").values_list("pk", flat=True)):
        wish_withdraw(own, wish_id=pk)
    cancelled = bookings_drop(own, ahead=ahead, reason="")
    for area in reversed(areas()):
        for forget in area.forgets:
            forget(own, user=user)
    for area in reversed(areas()):
        for table in area.personal:
            for key, erasure in table.keys.items():
                if erasure is Erasure.DELETED:
                    _delete(table.model, key, user)
    by = None if by_platform else own.actor
    account_close(actor=own.actor, by=by, reason=reason, now=now)
    return cancelled


def _delete(model: type[Model], key: str, user: User) -> None:
    """Delete the rows that refer to a person by a key, with their files; if the key is a list of people, only
    remove the person from it."""
    field: Any = model._meta.get_field(key)
    if field.many_to_many:
        field.remote_field.through._default_manager.filter(user=user).delete()
    elif issubclass(model, FileJob):
        files_forget(model, user_id=user.pk)
    else:
        model._default_manager.filter(**{key: user}).delete()
