"""Large tables of hours as files: asked for, written by a worker, fetched by whoever asked.

A worker that dies leaves a file half written and its job at work; another begins it anew, a few
times at most. Files are kept for some days.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import translation

from accounts import trail
from accounts.domain.errors import Refused, WrongState
from accounts.domain.roles import Actor, By
from accounts.notifications import nudge
from accounts.selectors.memberships import load_actor
from accounts.selectors.rows import visible
from bookings.hours.models import HoursExport
from bookings.hours.selectors.scope import scope_for
from bookings.hours.selectors.tables import Table, TableQuery, day_sums_of, table_of
from bookings.record.adapters.figures import csv_pieces, write_workbook
from bookings.record.domain.retention import FILES

log = logging.getLogger(__name__)

TASK = "bookings.tasks.write_exports"
STALLED = timedelta(minutes=10)
MOST_ATTEMPTS = 3
MOST_OPEN = 5  # of one person
STEP = 5000  # rows, between two words of progress
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
State = HoursExport.State


@transaction.atomic
def export_start(by: By, *, table: str, format: str, query: TableQuery) -> HoursExport:
    """Have a table written. `NotPermitted` and `Invalid` as the page of the table; `WrongState`
    where a person has as many at work as one may."""
    mine = HoursExport.objects.filter(user_id=by.actor.person)
    if mine.filter(state__in=[State.WAITING, State.WORKING]).count() >= MOST_OPEN:
        raise WrongState(state="waiting")
    table_of(by.actor, table, query)
    job = HoursExport.objects.create(
        user_id=by.actor.person,
        table=table,
        format=format,
        language=by.actor.language,
        asked=query.as_json(),
        created_at=by.now,
    )
    trail.record(
        by,
        "hours-export.start",
        job,
        after={"table": table, "format": format, "asked": query.as_json()},
    )
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return job


def exports_work(*, now: datetime) -> int:
    """Write what waits, one job after the other, on as many workers as there are; the number
    written. Those that nobody has worked on for a while are begun anew."""
    done = 0
    while (job := _claimed(now)) is not None:
        try:
            _write(job)
            done += 1
        except Refused as refused:
            _end(job, State.FAILED, now)
            log.info("export refused: %s", refused.code)
        except Exception:
            log.exception("export failed")
            if job.attempts >= MOST_ATTEMPTS:
                _end(job, State.FAILED, now)
            else:
                HoursExport.objects.filter(pk=job.pk).update(state=State.WAITING)
                break
    return done


def exports_clear(*, now: datetime) -> int:
    """Delete files that nobody needs any more; how many."""
    old = HoursExport.objects.filter(created_at__lt=now - FILES)
    for job in old.exclude(file=""):
        default_storage.delete(job.file)
    return old.delete()[0]


def export_for(actor: Actor, export_id: UUID) -> HoursExport:
    """Return one's own export of this id. `NotFound`."""
    return visible(exports_of(actor), pk=export_id)


def exports_of(actor: Actor) -> QuerySet[HoursExport]:
    """Return one's own exports."""
    return HoursExport.objects.filter(user_id=actor.person)


def export_name(job: HoursExport) -> str:
    """What the file is called."""
    query = TableQuery.of_json(job.asked)
    return f"{job.table}-{query.since}-{query.until}.{job.format}"


def media_of(format: str) -> str:
    """The type of a file in a format."""
    return XLSX if format == "xlsx" else "text/csv; charset=utf-8"


def export_open(job: HoursExport) -> "File[bytes]":
    """Open the finished file. `WrongState` before it is."""
    if job.state == State.DONE:
        with suppress(FileNotFoundError):
            return default_storage.open(job.file)
    raise WrongState(state=job.state)


@transaction.atomic
def _claimed(now: datetime) -> HoursExport | None:
    due = Q(state=State.WAITING) | Q(state=State.WORKING, worked_at__lt=now - STALLED)
    job = (
        HoursExport.objects.select_for_update(skip_locked=True)
        .filter(due)
        .order_by("created_at", "pk")
        .first()
    )
    if job is None:
        return None
    job.state = State.FAILED if job.attempts >= MOST_ATTEMPTS else State.WORKING
    job.attempts += 1
    job.worked_at, job.rows_done = now, 0
    job.save(update_fields=["state", "attempts", "worked_at", "rows_done"])
    return job


def _write(job: HoursExport) -> None:
    actor, query = load_actor(job.user), TableQuery.of_json(job.asked)
    with translation.override(job.language):
        table = table_of(actor, job.table, query)
        total = 0
        if job.table == "days":
            total = day_sums_of(scope_for(actor, query.narrowed).instruments, query).days
        HoursExport.objects.filter(pk=job.pk).update(rows_total=total)
        counted = _counted(job, table)
        with TemporaryFile() as stream:
            if job.format == "csv":
                for piece in csv_pieces(table.heads, counted, query.notes):
                    stream.write(piece)
            else:
                write_workbook(stream, table.heads, counted, query.notes)
            stream.seek(0)
            name = f"exports/{job.pk}-{job.attempts}.{job.format}"
            job.file = default_storage.save(name, File(stream))
    HoursExport.objects.filter(pk=job.pk).update(
        state=State.DONE,
        file=job.file,
        rows_done=job.rows_done,
        rows_total=job.rows_done,
        ended_at=Now(),
    )


def _counted(job: HoursExport, table: Table) -> Iterator[Any]:
    for row in table.rows:
        yield row
        job.rows_done += 1
        if job.rows_done % STEP == 0:
            HoursExport.objects.filter(pk=job.pk).update(rows_done=job.rows_done, worked_at=Now())


def _end(job: HoursExport, state: str, now: datetime) -> None:
    HoursExport.objects.filter(pk=job.pk).update(state=state, ended_at=now)
