"""Put safety data sheets with samples, and remove them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By
from accounts.selectors.rows import visible
from bookings.samples.locks import lock_samples
from bookings.samples.models import SafetySheet, SampleItem
from bookings.samples.selectors.samples import owned_samples
from instruments.attachments.domain.attachments import DOCUMENT, kind_of
from instruments.attachments.services.attachments import Upload, files_put, stored_files_delete


def require_sheet(content: bytes) -> None:
    """Raise `Invalid` if a file is not a PDF, is broken or too large."""
    if kind_of(content) != DOCUMENT:
        raise invalid("file", "not-a-pdf")


def sheet_put(by: By, *, sample_id: UUID, file: Upload) -> SampleItem:
    """Put a safety data sheet (PDF) with the actor's own sample, in place of the one before. Raise
    `NotFound`, `Invalid`, `WrongVersion`. The file is stored before the sample is locked."""
    visible(owned_samples(by.actor), pk=sample_id)
    require_sheet(file[1])
    with files_put(SafetySheet, [file]) as (sheet,), transaction.atomic():
        (sample,) = lock_samples([sample_id])
        by.require_version(sample.version)
        before = sample.sheet
        sheet_store(by, sheet, [sample])
        _save(by, sample, before)
    return sample


@transaction.atomic
def sheet_remove(by: By, *, sample_id: UUID) -> SampleItem:
    """Remove the safety data sheet from the actor's own sample. Raise `NotFound`, `WrongVersion`."""
    visible(owned_samples(by.actor), pk=sample_id)
    (sample,) = lock_samples([sample_id])
    by.require_version(sample.version)
    if (before := sample.sheet) is not None:
        sample.sheet = None
        _save(by, sample, before)
    return sample


def sheet_store(by: By, sheet: SafetySheet, samples: Iterable[SampleItem]) -> None:
    """Save the row of a file, and name it in samples, which the caller saves."""
    sheet.added_by_id, sheet.added_at = by.actor.person, by.now
    sheet.save(force_insert=True)
    for sample in samples:
        sample.sheet = sheet


def _save(by: By, sample: SampleItem, before: SafetySheet | None) -> None:
    sample.changed_at = by.now
    sample.version += 1
    sample.save(update_fields=["sheet", "changed_at", "version"])
    trail.record(by, "sample.sheet", sample, before=sheet_facts(before), after=sheet_facts(sample.sheet))
    if before is not None:
        sheets_drop([before.pk])


def sheet_facts(sheet: SafetySheet | None) -> dict[str, Any]:
    """Describe a sheet, or that there is none, for the trail."""
    return {"sheet": sheet and sheet.pk, "digest": sheet.digest if sheet else ""}


def sheets_drop(sheet_ids: Iterable[UUID]) -> None:
    """Delete those sheets that no sample names any more, with their files. Samples announced together share
    one; its row is locked, so that of two that are removed at the same moment the later deletes it."""
    rows = SafetySheet.objects.select_for_update().filter(pk__in=list(sheet_ids)).order_by("pk")
    unnamed = {row.pk for row in rows} - set(
        SampleItem.objects.filter(sheet__in=list(sheet_ids)).values_list("sheet_id", flat=True)
    )
    stored_files_delete(SafetySheet.objects.filter(pk__in=unnamed))
