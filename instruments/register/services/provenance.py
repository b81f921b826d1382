"""Record which fields a person wrote; imports record their own."""

from collections.abc import Sequence

from accounts import trail
from accounts.domain.roles import By
from instruments.register.domain.provenance import by_hand
from instruments.register.models import Instrument, Provenance


def hand_wrote(by: By, *, instrument: Instrument, names: Sequence[str]) -> None:
    """Record that a person wrote these fields, so that later imports do not overwrite them without being told
    to. Call it in the transaction that wrote them."""
    if not names:
        return
    stored = Provenance.objects.filter(instrument=instrument).values_list("fields", flat=True)
    fields = by_hand(stored.first() or {}, names, user=str(by.actor.user_id or ""), at=trail.plain(by.now))
    Provenance.objects.update_or_create(instrument=instrument, defaults={"fields": fields})
