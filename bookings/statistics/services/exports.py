"""Large tables of hours as files: requested by a person, written by a worker, downloaded by that person."""

from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.text import slugify

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import Actor, By
from accounts.notifications import nudge
from accounts.replica import on_primary, read_by_name
from accounts.selectors.memberships import has_lost_since, load_actor
from accounts.selectors.rows import visible
from accounts.services.file_jobs import counted, file_open, files_work
from bookings.hours.selectors.scope import scope_for
from bookings.record.adapters.figures import csv_pieces, write_workbook
from bookings.statistics.adapters.reports import MEDIA, report_file
from bookings.statistics.models import HoursExport
from bookings.statistics.selectors.reports import load_report, report_about, report_name
from bookings.statistics.selectors.tables import TableQuery, day_sums_of, table_of

TASK = "bookings.tasks.write_exports"
MOST_OPEN = 5  # of one person
REPORT = "report"
FORMATS, REPORT_FORMATS = ("csv", "xlsx"), ("pdf", "docx", "xlsx")
State = HoursExport.State


@transaction.atomic
def export_start(by: By, *, table: str, format: str, query: TableQuery) -> HoursExport:
    """Start the export of a table, or of a year's report. Raises `NotPermitted`, `NotFound` and `Invalid` as
    the page of the table does; `WrongState` if the person has too many in progress."""
    mine = HoursExport.objects.filter(user_id=by.actor.person)
    if mine.filter(state__in=[State.WAITING, State.WORKING]).count() >= MOST_OPEN:
        raise WrongState(state="waiting")
    is_report = table == REPORT
    if format not in (REPORT_FORMATS if is_report else FORMATS):
        raise invalid("format", "unknown-choice", allowed=", ".join(REPORT_FORMATS if is_report else FORMATS))
    if is_report:
        report_about(by.actor, query.narrowed, query.since, query.until)
    else:
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
        by, "hours-export.start", job, after={"table": table, "format": format, "asked": query.as_json()}
    )
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return job


def exports_work(*, now: datetime) -> int:
    """Write the exports that are waiting; return how many were written."""
    return files_work(job="exports of hours", model=HoursExport, write=_write, now=now)


def export_for(actor: Actor, export_id: UUID) -> HoursExport:
    """Return one of the actor's own exports; raise `NotFound` otherwise."""
    return visible(exports_of(actor), pk=export_id)


def exports_of(actor: Actor) -> QuerySet[HoursExport]:
    """Return the actor's own exports."""
    return HoursExport.objects.filter(user_id=actor.person)


def export_name(job: HoursExport) -> str:
    """Return the file name of an export."""
    query = TableQuery.of_json(job.asked)
    if job.table == REPORT:
        return f"{report_name(query.narrowed, query.since.year)}.{job.format}"
    return f"{table_name(job.table, query)}.{job.format}"


def table_name(table: str, query: TableQuery) -> str:
    """Return the name of a table's file, without ending: with the code of the organisation or region that it
    is about, if it is about one, and the days."""
    about = query.narrowed.get("organisation") or query.narrowed.get("region") or ""
    return "-".join(filter(None, (table, slugify(about), str(query.since), str(query.until))))


def media_of(format: str) -> str:
    """Return the media type of a format."""
    return MEDIA.get(format, "text/csv; charset=utf-8")


def export_open(job: HoursExport) -> "File[bytes]":
    """Open the finished file. Raise `WrongState` before it is finished, and (`role-ended-since`) if its
    person has lost a role since requesting it: they must export again what they may read now."""
    if has_lost_since(job.user_id, "read-hours", job.created_at):
        raise WrongState("role-ended-since")
    return file_open(job, WrongState(state=job.state))


def _write(job: HoursExport, stream: BinaryIO) -> int:
    actor, query = load_actor(job.user), TableQuery.of_json(job.asked)

    def fill() -> int:
        stream.seek(0)
        stream.truncate()
        if job.table == REPORT:
            report = load_report(actor, query.narrowed, query.since, query.until)
            stream.write(report_file(report, job.format))
            return sum(len(section.rows) for section in report.sections)
        table = table_of(actor, job.table, query)
        total = 0
        if job.table == "days":
            total = day_sums_of(scope_for(actor, query.narrowed).instruments, query).days or 0
        with on_primary():
            HoursExport.objects.filter(pk=job.pk).update(rows_total=total)
        rows = counted(job, table.rows)
        if job.format == "csv":
            for piece in csv_pieces(table.heads, rows, query.notes):
                stream.write(piece)
        else:
            write_workbook(stream, table.heads, rows, query.notes)
        return job.rows_done

    with translation.override(job.language):
        return read_by_name(job.user_id, fill)
