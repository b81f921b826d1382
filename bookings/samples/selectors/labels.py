"""Load the texts of samples' labels."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import Actor
from accounts.letters.words import listed, named
from bookings.record.adapters.labels import Label
from bookings.samples.domain.samples import MOST_AT_ONCE, code_text
from bookings.samples.models import SampleItem
from bookings.samples.selectors.samples import samples_for, with_bookings
from instruments.policy.messages import HAZARD_LABELS


def load_labels(actor: Actor, sample_ids: Iterable[UUID]) -> list[Label]:
    """Return the labels of samples that the actor may see, as they were announced, in the current language.
    Raise `NotFound`, `Invalid`. Two statements."""
    ids = set(sample_ids)
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise invalid("samples", "out-of-range", least=1, most=MOST_AT_ONCE)
    rows = list(with_bookings(samples_for(actor).filter(pk__in=ids)).order_by("id"))
    if len(rows) != len(ids):
        raise NotFound
    return [_label(row) for row in rows]


def _label(sample: SampleItem) -> Label:
    address = reverse("bookings:sample-item", args=[sample.code])
    lines = [named(sample.organisation), *_booked(sample)]
    if sample.storage:
        lines.append(gettext("Storage: {storage}").format(storage=sample.storage))
    hazards = listed(str(HAZARD_LABELS[code]) for code in sample.hazards)
    return Label(
        link=settings.SITE_URL + address,
        code=code_text(sample.code),
        title=sample.name,
        lines=lines,
        warning=gettext("Hazards: {hazards}").format(hazards=hazards) if hazards else "",
    )


def _booked(sample: SampleItem) -> list[str]:
    """Return the newest booking of a sample as lines of text: the instrument, the time in its time zone, and
    to whom and where the sample is sent."""
    rows: Sequence[Any] = list(sample.bookings.all())
    if not rows:
        return []
    one = rows[-1].reservation
    start: datetime = one.start_at.astimezone(one.instrument.facility.zone)
    facility = one.instrument.facility
    lines = [named(one.instrument), f"{start:%Y-%m-%d %H:%M} · {str(one.pk)[-6:]}"]
    to = getattr(facility, "sample_receiving", None)
    parts = (to.recipient, to.phone, to.address) if to else (named(facility), facility.address)
    lines.append(gettext("To: {recipient}").format(recipient=", ".join(part for part in parts if part)))
    return lines
