"""Add, change and delete photos and documents of instruments, and store files for other rows."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, QuerySet

from accounts import trail
from accounts.domain.errors import NotFound, invalid
from accounts.domain.file_names import file_name_of
from accounts.domain.roles import By
from accounts.models.keys import new_id
from accounts.selectors.rows import visible
from instruments.attachments.adapters.files import file_open, file_put, files_delete
from instruments.attachments.adapters.pictures import MEDIA_TYPE, photo_of
from instruments.attachments.domain.attachments import (
    DOCUMENT,
    OFFICE,
    PDF,
    PHOTO,
    check_room,
    kind_of,
    office_ending,
    sniff,
)
from instruments.attachments.models import Attachment, StoredFile
from instruments.register.locks import lock_managed
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_manage

FIELDS = ("title", "title_zh", "credit", "licence", "position")
Upload = tuple[str, bytes]  # (file name as uploaded, content)
RECORDED = ("title", "title_zh", "licence", "position")  # a credit is a person's name


def attachment_add(
    by: By,
    *,
    instrument_id: UUID,
    content: bytes,
    title: str = "",
    title_zh: str = "",
    credit: str = "",
    licence: str = "",
) -> Attachment:
    """Add a photo (JPEG, PNG or WebP, which is re-encoded) or a document (PDF) as the last of its kind.

    `Invalid` if the file is of another type, too large, one too many or there already, or has no title in
    either language. The picture is processed and the files are stored before the instrument is locked.
    """
    instrument_to_manage(by.actor, instrument_id)  # before any work is done
    _check_titles(title, title_zh)
    kind = kind_of(content)
    photo = photo_of(content) if kind == PHOTO else None
    row = Attachment(
        instrument_id=instrument_id,
        kind=kind,
        title=title,
        title_zh=title_zh,
        credit=credit,
        licence=licence,
        media_type=MEDIA_TYPE if photo else "application/pdf",
        size=len(photo.large if photo else content),
        digest=hashlib.sha256(content).hexdigest(),
        width=photo.width if photo else None,
        height=photo.height if photo else None,
        added_by_id=by.actor.person,
        added_at=by.now,
    )
    files = {"large": photo.large, "small": photo.small} if photo else {"file": content}
    with transaction.atomic():  # no file is stored if the row is refused
        _place(row, lock_managed(by, instrument_id))
    try:
        for size, data in files.items():
            file_put(row.pk, size, data)
        _store(by, row)
    except BaseException:  # whatever the error is: no row refers to the files
        with suppress(OSError):
            files_delete(row.pk, kind)
        raise
    return row


def _place(row: Attachment, instrument: Instrument) -> None:
    """Put an attachment last among those of its kind. `Invalid` if it is there already or one too many."""
    others = instrument.attachments.all()
    if others.filter(digest=row.digest).exists():
        raise invalid("file", "file-there-already")
    kin = others.filter(kind=row.kind).aggregate(count=Count("pk"), last=Max("position"))
    check_room(row.kind, kin["count"])
    row.position = (kin["last"] or 0) + 1


@transaction.atomic
def _store(by: By, row: Attachment) -> None:
    instrument = lock_managed(by, row.instrument_id)
    _place(row, instrument)
    row.save(force_insert=True)
    _record(by, "instrument.attachment-add", instrument, {}, _recorded(row))


@transaction.atomic
def attachment_change(
    by: By, *, attachment_id: UUID, changes: Mapping[str, Any], earlier: bool = False
) -> Attachment:
    """Change the description and position of a photo or document. `position` counts from 1 among those of its
    kind; `earlier` moves it one place forward. `Invalid` if no title would be left, `WrongVersion` if it has
    changed since it was read."""
    unlocked = visible(Attachment.objects, pk=attachment_id)
    instrument = lock_managed(by, unlocked.instrument_id)
    kin = list(instrument.attachments.filter(kind=unlocked.kind).order_by("position", "id"))
    row = next((item for item in kin if item.pk == attachment_id), None)
    if row is None:
        raise NotFound
    by.require_version(row.version)
    before = {name: getattr(row, name) for name in FIELDS}
    for name, value in changes.items():
        if name != "position":
            setattr(row, name, value)
    _check_titles(row.title, row.title_zh)
    if earlier:
        changes = {**changes, "position": kin.index(row)}
    if "position" in changes:
        kin.remove(row)
        kin.insert(max(0, changes["position"] - 1), row)
    moved = [item for place, item in enumerate(kin, start=1) if item.position != place]
    for place, item in enumerate(kin, start=1):
        item.position = place
    after = {name: getattr(row, name) for name in FIELDS}
    changed = [name for name in FIELDS if after[name] != before[name]]
    others = [item for item in moved if item is not row]
    if changed or others:
        for item in (row, *others):
            item.version += 1
        Attachment.objects.bulk_update([row, *others], [*FIELDS, "version"])
        _record(
            by,
            "instrument.attachment-change",
            instrument,
            {"attachment": row.pk, **{n: before[n] for n in changed if n in RECORDED}},
            {"attachment": row.pk, **{n: after[n] for n in changed if n in RECORDED}},
        )
    return row


@transaction.atomic
def attachment_delete(by: By, *, attachment_id: UUID) -> Instrument:
    """Delete an attachment, and its files once the transaction is committed; return its instrument. The trail
    keeps the digest of the content."""
    row = visible(Attachment.objects, pk=attachment_id)
    instrument = lock_managed(by, row.instrument_id)
    # Read again, as it may have changed before the lock was granted.
    row = visible(instrument.attachments, pk=attachment_id)
    by.require_version(row.version)
    kind, before = row.kind, _recorded(row)
    Attachment.objects.filter(pk=row.pk).delete()
    _record(by, "instrument.attachment-delete", instrument, before, {})
    transaction.on_commit(lambda: files_delete(attachment_id, kind), robust=True)
    return instrument


def _recorded(row: Attachment) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in ("kind", "digest", *RECORDED)}
    return {"attachment": row.pk, **values}


def _check_titles(title: str, title_zh: str) -> None:
    if not (title.strip() or title_zh.strip()):
        raise invalid("title", "required")


def photos_of(instrument: Instrument) -> int:
    """Count the photos of an instrument, for `photo_count`."""
    return instrument.attachments.filter(kind=Attachment.Kind.PHOTO).count()


def _record(
    by: By, action: str, instrument: Instrument, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Record a change and raise the instrument's version, so that registers with a copy fetch it again."""
    instrument.version += 1
    instrument.updated_at = by.now
    instrument.photo_count = photos_of(instrument)
    instrument.save(update_fields=["version", "updated_at", "photo_count"])
    trail.record(by, action, instrument, before=before, after=after)


@transaction.atomic
def photos_copy(by: By, *, source: Instrument, copy: Instrument) -> None:
    """Give a new copy of an instrument the photos of the other, each with files of its own."""
    rows: list[Attachment] = []
    try:
        for photo in source.attachments.filter(kind=Attachment.Kind.PHOTO).order_by("position", "id"):
            was = photo.pk
            photo.pk, photo.instrument, photo.version = new_id(), copy, 1
            photo.added_by_id, photo.added_at = by.actor.person, by.now
            rows.append(photo)
            for size in ("large", "small"):
                if (file := file_open(was, size)) is not None:
                    with file:
                        file_put(photo.pk, size, file.read())
        Attachment.objects.bulk_create(rows)
        if rows:
            instrument = lock_managed(by, copy.pk)
            _record(by, "instrument.attachment-add", instrument, {}, {"photos_of": source.pk, "n": len(rows)})
    except BaseException:
        for row in rows:
            with suppress(OSError):
                files_delete(row.pk, row.kind)
        raise


@contextmanager
def files_put[Row: StoredFile](
    model: type[Row], files: Sequence[Upload], *, takes_office: bool = False
) -> Iterator[list[Row]]:
    """Store files, before any lock is taken, and yield their rows, not yet saved. If anything fails inside
    the `with` block, the files are deleted again. `takes_office`: also spreadsheets and texts."""
    rows: list[Row] = []
    try:
        for name, content in files:
            kind = kind_of(content, takes_office=takes_office)
            photo = photo_of(content) if kind == PHOTO else None
            ending = office_ending(content) if kind == DOCUMENT and not sniff(content) else ""
            if ending and not name.lower().endswith(f".{ending}"):
                name = f"{name}.{ending}"
            row = model(
                kind=kind,
                title=file_name_of(name, 250),
                media_type=MEDIA_TYPE if photo else OFFICE if ending else PDF,
                size=len(photo.large if photo else content),
                digest=hashlib.sha256(content).hexdigest(),
            )
            rows.append(row)
            sizes = {"large": photo.large, "small": photo.small} if photo else {"file": content}
            for size, data in sizes.items():
                file_put(row.pk, size, data)
        yield rows
    except BaseException:
        for row in rows:
            with suppress(OSError):
                files_delete(row.pk, row.kind)
        raise


def stored_files_delete[Row: StoredFile](files: QuerySet[Row]) -> None:
    """Delete rows, and their files once the transaction is committed."""
    gone = list(files.values_list("pk", "kind"))
    files.model._default_manager.filter(pk__in=[pk for pk, _ in gone]).delete()

    def delete() -> None:
        for pk, kind in gone:
            files_delete(pk, kind)

    if gone:
        transaction.on_commit(delete, robust=True)
