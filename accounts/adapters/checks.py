"""Database checks, run by `migrate` and `manage.py check --database default`."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import Region
from accounts.selectors.memberships import people_in_conflict
from accounts.services.organisations import region_problems


def releases(databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Report a database of a release before 0.2.0: the migrations that it lacks no longer exist, so Django
    alone would find nothing to apply."""
    if not databases:
        return []
    try:
        applied = MigrationRecorder(connection).applied_migrations().keys()
    except DatabaseError:
        return []
    there = MigrationLoader(None).disk_migrations
    for migration in there.values():
        gone = set(migration.replaces) - there.keys()
        if len(gone) > len(gone - applied) > 0:
            return [
                Error(
                    "This database is of a release before 0.2.0, which this one cannot upgrade.",
                    hint="Install 0.2.0, let its `migrate` finish, then install this release.",
                    id="accounts.E001",
                )
            ]
    return []


def duties(databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Report people who hold two roles that exclude one another, granted before that rule existed."""
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


def regions(databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Report regions whose currency, time zone or holiday calendar is unknown; they were entered before these
    were checked."""
    if not databases:
        return []
    try:
        with transaction.atomic():
            rows = [(row, region_problems(row)) for row in Region.objects.order_by("code")]
    except DatabaseError:  # before the first migration there are no tables
        return []
    return [
        Warning(
            f"Region {row.code} has a {problem.field} that does not exist: {getattr(row, problem.field)}.",
            id="accounts.W002",
        )
        for row, problems in rows
        for problem in problems
    ]


def connect() -> None:
    register(releases, Tags.database)
    register(duties, Tags.database)
    register(regions, Tags.database)
