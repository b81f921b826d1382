"""Remembering which hand wrote a field; what imports wrote, they remember themselves."""

from collections.abc import Sequence

from accounts import trail
from accounts.domain.roles import By
from instruments.domain.imports import by_hand
from instruments.models import Instrument, Provenance


def hand_wrote(by: By, *, instrument: Instrument, names: Sequence[str]) -> None:
    """Remember that a person wrote these fields, so that no later import overwrites them
    unasked. Call it in the transaction that wrote them."""
    if not names:
        return
    stored = Provenance.objects.filter(instrument=instrument).values_list("fields", flat=True)
    fields = by_hand(
        stored.first() or {}, names, user=str(by.actor.user_id or ""), at=trail.plain(by.now)
    )
    Provenance.objects.update_or_create(instrument=instrument, defaults={"fields": fields})
