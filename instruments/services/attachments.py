"""Photos and documents beside a record."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max

from accounts import trail
from accounts.domain.errors import NotFound, WrongVersion, invalid
from accounts.domain.roles import Actor, By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from instruments.adapters.files import file_put, files_delete
from instruments.adapters.pictures import MEDIA_TYPE, photo_of
from instruments.domain.attachments import PHOTO, check_room, kind_of
from instruments.locks import lock_instrument
from instruments.models import Attachment, Instrument

MANAGE = "manage-instruments"
SAID = ("title", "title_zh", "credit", "licence", "position")
RECORDED = ("title", "title_zh", "licence", "position")  # a credit is somebody's name


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
    """A photo (JPEG, PNG, WebP, re-encoded) or a document (PDF) by its content, put last.

    `Invalid` for any other file, one too large, too many, there already, or without a title in
    either language. The picture is worked on, and the files are put where uploads lie, while
    nobody waits for a lock on the instrument.
    """
    _check_titles(title, title_zh)
    kind = kind_of(content)
    photo = photo_of(content) if kind == PHOTO else None
    made = Attachment(
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
    with transaction.atomic():  # no file is put for what is refused
        _place(made, _locked(by.actor, instrument_id))
    try:
        for size, data in files.items():
            file_put(made.pk, size, data)
        _store(by, made)
    except BaseException:  # whatever it is, nothing refers to the files
        with suppress(OSError):
            files_delete(made.pk, kind)
        raise
    return made


def _place(made: Attachment, instrument: Instrument) -> None:
    """Put it last among those of its kind; `Invalid` if it is there already or one too many."""
    others = instrument.attachments.all()
    if others.filter(digest=made.digest).exists():
        raise invalid("file", "file-there-already")
    kin = others.filter(kind=made.kind).aggregate(count=Count("pk"), last=Max("position"))
    check_room(made.kind, kin["count"])
    made.position = (kin["last"] or 0) + 1


@transaction.atomic
def _store(by: By, made: Attachment) -> None:
    instrument = _locked(by.actor, made.instrument_id)
    _place(made, instrument)
    made.save(force_insert=True)
    after = {
        "attachment": made.pk,
        "kind": made.kind,
        "digest": made.digest,
        **{name: getattr(made, name) for name in RECORDED},
    }
    _record(by, "instrument.attachment-add", instrument, {}, after)


@transaction.atomic
def attachment_change(by: By, *, attachment_id: UUID, changes: Mapping[str, Any]) -> Attachment:
    """Words and place of a photo or document; `position` counts from 1 among those of its kind.
    `Invalid` if it would be without a title, `WrongVersion` if it moved on from
    `expected_version`."""
    row = visible(Attachment.objects, pk=attachment_id)
    instrument = _locked(by.actor, row.instrument_id)
    kin = list(instrument.attachments.filter(kind=row.kind).order_by("position", "id"))
    found = next((item for item in kin if item.pk == attachment_id), None)
    if found is None:
        raise NotFound
    _check_version(found, by.version)
    before = {name: getattr(found, name) for name in SAID}
    for name, value in changes.items():
        if name != "position":
            setattr(found, name, value)
    _check_titles(found.title, found.title_zh)
    if "position" in changes:
        kin.remove(found)
        kin.insert(max(0, changes["position"] - 1), found)
    moved = [item for place, item in enumerate(kin, start=1) if item.position != place]
    for place, item in enumerate(kin, start=1):
        item.position = place
    after = {name: getattr(found, name) for name in SAID}
    changed = [name for name in SAID if after[name] != before[name]]
    others = [item for item in moved if item is not found]
    if changed or others:
        for item in (found, *others):
            item.version += 1
        Attachment.objects.bulk_update([found, *others], [*SAID, "version"])
        _record(
            by,
            "instrument.attachment-change",
            instrument,
            {"attachment": found.pk, **{n: before[n] for n in changed if n in RECORDED}},
            {"attachment": found.pk, **{n: after[n] for n in changed if n in RECORDED}},
        )
    return found


@transaction.atomic
def attachment_delete(by: By, *, attachment_id: UUID) -> None:
    """The row, and once that is certain its files. The trail keeps its digest."""
    row = visible(Attachment.objects, pk=attachment_id)
    instrument = _locked(by.actor, row.instrument_id)
    # Read again: it may have changed before the lock was had.
    row = visible(instrument.attachments, pk=attachment_id)
    _check_version(row, by.version)
    kind = row.kind
    before = {
        "attachment": row.pk,
        "kind": row.kind,
        "digest": row.digest,
        **{name: getattr(row, name) for name in RECORDED},
    }
    Attachment.objects.filter(pk=row.pk).delete()
    _record(by, "instrument.attachment-delete", instrument, before, {})
    transaction.on_commit(lambda: files_delete(attachment_id, kind), robust=True)


def _locked(actor: Actor, instrument_id: UUID) -> Instrument:
    instrument = lock_instrument(instrument_id)
    require(actor, MANAGE, place_of(instrument.organisation))
    return instrument


def _check_version(row: Attachment, expected: int | None) -> None:
    if expected is not None and expected != row.version:
        raise WrongVersion(version=row.version)


def _check_titles(title: str, title_zh: str) -> None:
    if not (title.strip() or title_zh.strip()):
        raise invalid("title", "required")


def photos_of(instrument: Instrument) -> int:
    """For `Instrument.photo_count`."""
    return instrument.attachments.filter(kind=Attachment.Kind.PHOTO).count()


def _record(
    by: By, action: str, instrument: Instrument, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """The record has another version: who keeps a copy of it asks again."""
    instrument.version += 1
    instrument.updated_at = by.now
    instrument.photo_count = photos_of(instrument)
    instrument.save(update_fields=["version", "updated_at", "photo_count"])
    trail.record(by, action, instrument, before=before, after=after)
