"""Imports brought to their end in one go."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import Organisation
from instruments.exchange.domain.harvests import Plan
from instruments.exchange.domain.imports import ImportReport, Row
from instruments.exchange.models import Import, ImportTerm
from instruments.exchange.selectors import imports as reading
from instruments.exchange.selectors.imports import load_report
from instruments.exchange.services import jobs
from instruments.exchange.services.harvests import harvest_add, harvest_pause
from instruments.exchange.services.jobs import (
    import_apply,
    import_carry_out,
    import_read,
    import_start,
    mapping_save,
    rows_stage,
)
from tests.factories.cast import NOW as cast_now
from tests.factories.cast import Cast

NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


def keep(
    organisation_id: UUID,
    content: bytes,
    *,
    actor: Actor = PLATFORM,
    format: str = "uniquip",
    name: str = "file.csv",
    now: datetime = NOW,
    **options: Any,
) -> Import:
    """A file kept, not yet read."""
    return import_start(
        By(actor, now),
        organisation_id=organisation_id,
        file=io.BytesIO(content),
        file_name=name,
        format=format,
        **options,
    )


def bring(
    organisation_id: UUID, content: bytes, *, now: datetime = NOW, **options: Any
) -> tuple[Import, ImportReport]:
    """A file kept, read and carried out."""
    job = keep(organisation_id, content, now=now, **options)
    import_read(import_id=job.pk, now=now)
    import_apply(By(PLATFORM, now), import_id=job.pk)
    import_carry_out(import_id=job.pk, now=now)
    job.refresh_from_db()
    return job, load_report(job)


def import_things(cast: Cast) -> dict[str, str]:
    """An import of the host's to be looked at, one whose columns wait to be named, one with a mapping and an
    unknown value, one that is done, a mapping, a remembered value; a harvest, and a paused one."""
    ready = keep(cast.ustc.pk, b"id,name\n1,SEM\n", format="table", now=cast_now)
    unmapped = keep(cast.ustc.pk, b"nr,device\n1,SEM\n", format="table", now=cast_now)
    for job in (ready, unmapped):
        import_read(import_id=job.pk, now=cast_now)
    fields = {"source": "kinds", "key": "nr", "fields": {"name": "device", "kind": "sort"}}
    mapped = keep(cast.ustc.pk, b"nr,device,sort\n1,SEM,odd\n", format="table", now=cast_now, mapping=fields)
    import_read(import_id=mapped.pk, now=cast_now)
    done, _ = bring(cast.ustc.pk, b"id,name\nbrought,SEM\n", format="table", now=cast_now)
    term = ImportTerm.objects.create(
        organisation=cast.ustc, field="kind", value="special one", term="dedicated", created_at=cast_now
    )
    mapping = mapping_save(
        By(cast.actor("zhao"), cast_now),
        organisation=cast.ustc,
        name="Register",
        content={"source": "register", "key": "nr", "fields": {"name": "device"}},
    )
    plan = Plan("Register", "https://x.example/list.csv", "table")
    harvest, paused = (
        harvest_add(By(cast.actor("zhao"), cast_now), organisation_id=cast.ustc.pk, plan=plan)
        for _ in range(2)
    )
    harvest_pause(By(cast.actor("zhao"), cast_now), harvest_id=paused.pk)
    return {
        "harvest": str(harvest.pk),
        "paused-harvest": str(paused.pk),
        "import": str(ready.pk),
        "unmapped": str(unmapped.pk),
        "mapping": str(mapping.pk),
        "mapped-import": str(mapped.pk),
        "done-import": str(done.pk),
        "import-term": str(term.pk),
    }


@transaction.atomic
def bring_rows(
    organisation: Organisation,
    rows: Iterable[Row],
    *,
    source: str,
    now: datetime,
    facility: str = "",
    dry_run: bool = False,
) -> ImportReport:
    """Rows as values, without a file; all or nothing."""
    job = Import.objects.create(
        organisation=organisation, file_name="rows", size=1, format="table", created_at=now
    )
    opened = reading._placed(reading.Opened(source, rows), facility)
    rows_stage(import_id=job.pk, source=source, rows=opened.rows)
    jobs._read_finish(job.pk, now)
    import_apply(By(PLATFORM, now), import_id=job.pk)
    import_carry_out(import_id=job.pk, now=now)
    job.refresh_from_db()
    report = load_report(job)
    transaction.set_rollback(dry_run)
    return report
