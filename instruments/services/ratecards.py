"""Rate cards: versions of prices, never edited once published."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Q

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import Actor
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from instruments.domain.opening import local_date
from instruments.domain.ratecards import RateCardValues, to_json
from instruments.locks import lock_instrument
from instruments.models import Instrument, RateCard


@transaction.atomic
def rate_card_create(
    *, actor: Actor, instrument_id: UUID, card: RateCardValues, publish: bool, now: datetime
) -> RateCard:
    """A new version; `publish` puts it in force from its first day.

    An open-ended card that began before ends where the new one begins. Any other overlap is
    refused (`overlaps-version`). Bookings keep the version they were quoted with.
    """
    instrument = lock_instrument(instrument_id)
    require(actor, "manage-instruments", place_of(instrument.organisation))
    cards = RateCard.objects.filter(instrument=instrument)
    latest = cards.aggregate(latest=Max("version"))["latest"] or 0
    ended = _make_room(instrument, card, now) if publish else {}
    row = RateCard.objects.create(
        instrument=instrument,
        version=latest + 1,
        card=to_json(card),
        currency=card.currency,
        valid_from=card.valid_from,
        valid_until=card.valid_until,
        published_at=now if publish else None,
        created_at=now,
    )
    trail.record(
        actor=actor,
        action="ratecard.publish" if publish else "ratecard.create",
        target=instrument,
        now=now,
        before={"in_force": {version: was for version, (was, _) in ended.items()}},
        after={
            "version": row.version,
            "card": row.card,
            "ended": {version: until for version, (_, until) in ended.items()},
        },
        organisation_ids=[instrument.organisation_id],
        region_ids=instrument.region.lineage,
    )
    return row


def _make_room(
    instrument: Instrument, card: RateCardValues, now: datetime
) -> dict[int, tuple[date | None, date]]:
    """End the versions in the way; by version the last day they had and the one they have."""
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    if card.valid_until and card.valid_until <= today:
        raise invalid("valid_until", "in-the-past")
    meets = Q(valid_until=None) | Q(valid_until__gt=card.valid_from)
    if card.valid_until:
        meets &= Q(valid_from__lt=card.valid_until)
    ended: dict[int, tuple[date | None, date]] = {}
    for other in RateCard.objects.filter(
        meets, instrument=instrument, published_at__isnull=False
    ).order_by("version"):
        ended[other.version] = (other.valid_until, card.valid_from)
        if other.valid_until is None and other.valid_from < card.valid_from:
            other.valid_until = card.valid_from
            other.save(update_fields=["valid_until"])
        elif other.valid_from == card.valid_from and other.valid_until is None:
            # The same first day: the newer version takes its place, the older stays on record.
            other.published_at = None
            other.save(update_fields=["published_at"])
        else:
            raise invalid("valid_from", "overlaps-version", version=other.version)
    return ended
