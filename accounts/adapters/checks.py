"""Database checks, run by `migrate` and `manage.py check --database default`."""

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, transaction

from accounts.selectors.memberships import people_in_conflict


def duties(databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Name who holds two roles that exclude one another, given before they did."""
    if not databases:
        return []
    try:
        with transaction.atomic():
            people = people_in_conflict()
    except DatabaseError:  # before the first migration there are no tables
        return []
    return [
        Warning(
            f"{user.email} is {first} and {second}, which exclude one another.",
            hint="An administrator takes one of the roles away (People, Roles).",
            id="accounts.W001",
        )
        for user, first, second in people
    ]


def connect() -> None:
    register(duties, Tags.database)
