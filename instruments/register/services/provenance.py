"""Record which fields a person wrote; imports record their own."""

from collections.abc import Sequence

from accounts import trail
from accounts.domain.roles import By
from instruments.register.domain.provenance import by_hand
from instruments.register.models import Instrument, Provenance


def hand_wrote(by: By, *, instrument: Instrument, names: Sequence[str]) -> None:
    """Record that a person wrote these fields, so that later imports do not overwrite them without being told
    to. Call it in the transaction that wrote them."""
    if names:
        hand_wrote_many(by, written=[(instrument, names)])


def hand_wrote_many(by: By, *, written: Sequence[tuple[Instrument, Sequence[str]]]) -> None:
    """Record the same of the fields of several locked instruments, in two statements."""
    stored = dict(
        Provenance.objects.filter(instrument__in=[i.pk for i, _ in written]).values_list("pk", "fields")
    )
    user, at = str(by.actor.user_id or ""), trail.plain(by.now)
    rows = [
        Provenance(instrument=i, fields=by_hand(stored.get(i.pk, {}), names, user=user, at=at))
        for i, names in written
    ]
    Provenance.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["instrument"], update_fields=["fields"]
    )
