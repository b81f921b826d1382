"""Rate cards: drafts, and versions of prices that are never edited once published."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max

from accounts import trail
from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.selectors.rows import visible
from instruments.domain.opening import local_date
from instruments.domain.ratecards import RateCardValues, Version, require_room, to_json
from instruments.locks import lock_managed
from instruments.models import Instrument, RateCard

# Whether something was priced by a card. Rooms above register here (bookings/apps.py): this app
# does not know of bookings, yet what they keep may not be replaced under them.
Use = Callable[[Instrument, RateCard], bool]
uses: list[Use] = []


@transaction.atomic
def rate_card_create(
    by: By, *, instrument_id: UUID, card: RateCardValues, publish: bool
) -> RateCard:
    """Add a version; `publish` puts it in force from its first day.

    An open-ended card that began before ends where the new one begins. Any other overlap is
    refused (`overlaps-version`), and so are days without a price between two versions
    (`leaves-gap`) and taking the place of a card that was used (`version-used`). Bookings keep
    the version they were quoted with.
    """
    instrument = lock_managed(by, instrument_id)
    latest = RateCard.objects.filter(instrument=instrument).aggregate(latest=Max("version"))
    row = RateCard(
        instrument=instrument, version=(latest["latest"] or 0) + 1, created_at=by.now, revision=0
    )
    return _store(by, row, card, publish=publish)


@transaction.atomic
def rate_card_change(
    by: By, *, instrument_id: UUID, version: int, card: RateCardValues, publish: bool
) -> RateCard:
    """Change the prices of a draft; `publish` as of a new version. `WrongState` once it was
    published; `WrongVersion` if somebody has changed it since."""
    row = _draft(by, lock_managed(by, instrument_id), version)
    return _store(by, row, card, publish=publish)


@transaction.atomic
def rate_card_delete(by: By, *, instrument_id: UUID, version: int) -> None:
    """Throw a draft away. `WrongState` once it was published."""
    instrument = lock_managed(by, instrument_id)
    row = _draft(by, instrument, version)
    row.delete()
    trail.record(by, "ratecard.delete", instrument, before={"version": version, "card": row.card})


def _draft(by: By, instrument: Instrument, version: int) -> RateCard:
    row = visible(RateCard.objects, instrument=instrument, version=version)
    by.require_version(row.revision)
    if row.published_at is not None:
        raise WrongState(state="published", wanted="draft")
    if row.replaced_at is not None:
        raise WrongState(state="replaced", wanted="draft")
    row.instrument = instrument
    return row


def _store(by: By, row: RateCard, card: RateCardValues, *, publish: bool) -> RateCard:
    """Write a draft's prices, and publish it if asked to."""
    instrument, is_new = row.instrument, row.revision == 0
    before: dict[str, Any] = {} if is_new else {"version": row.version, "card": row.card}
    after: dict[str, Any] = {"version": row.version}
    if publish:
        ended = _make_room(instrument, card, by.now)
        before["in_force"] = {version: was for version, (was, _) in ended.items()}
        after["ended"] = {version: until for version, (_, until) in ended.items()}
    row.card = to_json(card)
    row.currency = card.currency
    row.valid_from, row.valid_until = card.valid_from, card.valid_until
    row.published_at = by.now if publish else None
    row.revision += 1
    row.save(force_insert=is_new)
    draft = "ratecard.create" if is_new else "ratecard.update"
    action = "ratecard.publish" if publish else draft
    trail.record(by, action, instrument, before=before, after=after | {"card": row.card})
    return row


def _make_room(
    instrument: Instrument, card: RateCardValues, now: datetime
) -> dict[int, tuple[date | None, date]]:
    """End the versions in the way; by version the last day they had and the one they have."""
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    rows = {
        row.version: row
        for row in RateCard.objects.filter(
            instrument=instrument, published_at__isnull=False
        ).order_by("version")
    }
    others = [Version(row.version, row.valid_from, row.valid_until) for row in rows.values()]
    ended: dict[int, tuple[date | None, date]] = {}
    for other in require_room(
        card, others, today, lambda version: any(use(instrument, rows[version]) for use in uses)
    ):
        row = rows[other.version]
        ended[row.version] = (row.valid_until, card.valid_from)
        row.revision += 1
        if row.valid_from < card.valid_from:
            row.valid_until = card.valid_from
            row.save(update_fields=["valid_until", "revision"])
        else:
            # The same first day: the newer version takes its place, the older stays on record.
            row.published_at, row.replaced_at = None, now
            row.save(update_fields=["published_at", "replaced_at", "revision"])
    return ended
