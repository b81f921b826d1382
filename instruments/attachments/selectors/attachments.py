"""Read photos and documents of instruments that a person may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONArray

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.prepared import Prepared
from instruments.attachments.domain.drawings import drawing_of
from instruments.attachments.models import Attachment
from instruments.register.models import Instrument
from instruments.register.selectors.registry import may_see
from instruments.search.domain.search import techniques_in


def attachments_of(instrument: Instrument) -> list[Attachment]:
    """Return an instrument's photos, then its documents, each in their chosen order. One statement."""
    return sorted(
        Attachment.objects.filter(instrument=instrument),
        key=lambda a: (a.kind != Attachment.Kind.PHOTO, a.position, a.pk),
    )


def attachment_by_id(actor: Actor, attachment_id: UUID) -> Attachment:
    """Return an attachment with its instrument. `NotFound` if there is none, or the actor may not see the
    instrument. One statement."""
    row = (
        Attachment.objects.select_related("instrument__organisation__region").filter(pk=attachment_id).first()
    )
    if row is None or not may_see(actor, row.instrument):
        raise NotFound
    return row


@dataclass(frozen=True)
class Picture:
    """The picture of an instrument in a list: its first photo, or a drawing if it has none."""

    drawing: str
    photo: UUID | None = None
    title: str = ""
    title_zh: str = ""


def load_pictures(instruments: Sequence[Instrument]) -> dict[UUID, Picture]:
    """Return the picture of each instrument, by instrument id. One statement."""
    rows = _PICTURES.rows(instruments=[i.pk for i in instruments])
    return {pk: Picture(drawing_of(techniques_in(keys or ())), *(photo or ())) for pk, keys, photo in rows}


_PICTURES = Prepared(
    lambda instruments: (
        Instrument.objects.filter(pk__one_of=instruments)
        .annotate(
            photo=Subquery(
                Attachment.objects.filter(instrument_id=OuterRef("pk"), kind=Attachment.Kind.PHOTO)
                .order_by("position", "id")
                .values(named=JSONArray("pk", "title", "title_zh"))[:1]
            )
        )
        .values_list("pk", "entry__keys", "photo")
    )
)
