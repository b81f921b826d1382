"""Photos and documents, as far as each person may see their instrument."""

from collections.abc import Sequence
from uuid import UUID

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.prepared import Prepared
from instruments.models import Attachment, Instrument
from instruments.selectors.registry import may_see


def attachments_of(instrument: Instrument) -> list[Attachment]:
    """Return photos, then documents, each in their order. One statement."""
    return sorted(
        Attachment.objects.filter(instrument=instrument),
        key=lambda a: (a.kind != Attachment.Kind.PHOTO, a.position, a.pk),
    )


def attachment_by_id(actor: Actor, attachment_id: UUID) -> Attachment:
    """Return an attachment with its instrument. `NotFound` if there is none, or the instrument is
    not the actor's to see. One statement."""
    row = (
        Attachment.objects.select_related("instrument__organisation__region")
        .filter(pk=attachment_id)
        .first()
    )
    if row is None or not may_see(actor, row.instrument):
        raise NotFound
    return row


def load_covers(instruments: Sequence[Instrument]) -> dict[UUID, Attachment]:
    """Return the first photo of each that has one. One statement."""
    rows = _COVERS.rows(instruments=[i.pk for i in instruments])
    return {row.instrument_id: row for row in rows}


_COVERS = Prepared(
    lambda instruments: (
        Attachment.objects.filter(instrument_id__one_of=instruments, kind=Attachment.Kind.PHOTO)
        .order_by("instrument_id", "position", "id")
        .distinct("instrument_id")
    )
)
