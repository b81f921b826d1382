"""Create, change, publish and delete rate cards, which are never edited once published."""

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
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from instruments.rates.domain.ratecards import RateCardValues, Version, require_room, to_json
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import readable_card
from instruments.reading.domain.clock import local_date
from instruments.register.locks import lock_managed, lock_seen
from instruments.register.models import Instrument

# Functions that say whether something was priced by a card. Areas above join here (`joins` of their
# manifest): this app does not know bookings, yet the cards that they use must not be replaced.
Use = Callable[[Instrument, RateCard], bool]
uses: list[Use] = []


@transaction.atomic
def rate_card_create(by: By, *, instrument_id: UUID, card: RateCardValues, publish: bool) -> RateCard:
    """Add a version; `publish` puts it in force from its first day.

    A card without an end date that began earlier ends where the new one begins. Refused are any other overlap
    (`overlaps-version`), days without a price between two versions (`leaves-gap`), and replacing a card that
    was used (`version-used`). Bookings keep the version with which they were quoted.
    """
    instrument = lock_managed(by, instrument_id)
    latest = RateCard.objects.filter(instrument=instrument).aggregate(latest=Max("version"))
    row = RateCard(instrument=instrument, version=(latest["latest"] or 0) + 1, created_at=by.now, revision=0)
    return _store(by, row, card, publish=publish)


@transaction.atomic
def rate_card_change(
    by: By, *, instrument_id: UUID, version: int, card: RateCardValues, publish: bool
) -> RateCard:
    """Change the prices of a draft; `publish` puts it in force like a new version. `WrongState` once it was
    published; `WrongVersion` if it has changed since it was read."""
    return _store(by, _draft(by, instrument_id, version), card, publish=publish)


@transaction.atomic
def rate_card_delete(by: By, *, instrument_id: UUID, version: int) -> None:
    """Delete a draft of an instrument's rate card. `WrongState` once it was published."""
    row = _draft(by, instrument_id, version)
    row.delete()
    trail.record(by, "ratecard.delete", row.instrument, before={"version": version, "card": row.card})


def _draft(by: By, instrument_id: UUID, version: int) -> RateCard:
    """Return a draft and lock its instrument. `NotFound` also if the actor may not read it."""
    instrument = lock_seen(by, instrument_id)
    row = readable_card(by.actor, instrument, version)
    require(by.actor, "manage-instruments", place_of(instrument.organisation, instrument))
    by.require_version(row.revision)
    if row.published_at is not None:
        raise WrongState(state="published", wanted="draft")
    if row.replaced_at is not None:
        raise WrongState(state="replaced", wanted="draft")
    return row


def _store(by: By, row: RateCard, card: RateCardValues, *, publish: bool) -> RateCard:
    """Store a draft's prices, and publish it if `publish`."""
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
    """End or replace the versions of a rate card that are in the way of a new one. Return, by version,
    `valid_until` as it was and as it is now."""
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    rows = {
        row.version: row
        for row in RateCard.objects.filter(instrument=instrument, published_at__isnull=False).order_by(
            "version"
        )
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
            # The same first day: the newer version replaces the older, which stays on record.
            row.published_at, row.replaced_at = None, now
            row.save(update_fields=["published_at", "replaced_at", "revision"])
    return ended
