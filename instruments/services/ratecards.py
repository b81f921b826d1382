"""Rate cards: drafts, and versions of prices that are never edited once published."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max

from accounts import trail
from accounts.domain.errors import WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from instruments.domain.opening import local_date
from instruments.domain.ratecards import RateCardValues, Version, require_room, to_json
from instruments.locks import lock_instrument
from instruments.models import Instrument, RateCard

# Whether something was priced by a card. Rooms above register here (bookings/apps.py): this app
# does not know of bookings, yet what they keep may not be replaced under them.
Use = Callable[[Instrument, RateCard], bool]
uses: list[Use] = []


@transaction.atomic
def rate_card_create(
    by: By, *, instrument_id: UUID, card: RateCardValues, publish: bool
) -> RateCard:
    """A new version; `publish` puts it in force from its first day.

    An open-ended card that began before ends where the new one begins. Any other overlap is
    refused (`overlaps-version`), and so are days without a price between two versions
    (`leaves-gap`) and taking the place of a card that was used (`version-used`). Bookings keep
    the version they were quoted with.
    """
    instrument = _locked(by.actor, instrument_id)
    latest = RateCard.objects.filter(instrument=instrument).aggregate(latest=Max("version"))
    row = RateCard(
        instrument=instrument, version=(latest["latest"] or 0) + 1, created_at=by.now, revision=0
    )
    return _store(by, row, card, publish=publish)


@transaction.atomic
def rate_card_change(
    by: By, *, instrument_id: UUID, version: int, card: RateCardValues, publish: bool
) -> RateCard:
    """Other prices in a draft; `publish` as of a new version. `WrongState` once it was
    published; `WrongVersion` if somebody changed it since `expected_version`."""
    row = _draft(_locked(by.actor, instrument_id), version, by.version)
    return _store(by, row, card, publish=publish)


@transaction.atomic
def rate_card_delete(by: By, *, instrument_id: UUID, version: int) -> None:
    """Throw a draft away. `WrongState` once it was published."""
    instrument = _locked(by.actor, instrument_id)
    row = _draft(instrument, version, by.version)
    row.delete()
    _record(by, "ratecard.delete", instrument, before={"version": version, "card": row.card})


def _locked(actor: Actor, instrument_id: UUID) -> Instrument:
    instrument = lock_instrument(instrument_id)
    require(actor, "manage-instruments", place_of(instrument.organisation))
    return instrument


def _draft(instrument: Instrument, version: int, expected: int | None) -> RateCard:
    row = visible(RateCard.objects, instrument=instrument, version=version)
    if expected is not None and expected != row.revision:
        raise WrongVersion(version=row.revision)
    if row.published_at is not None:
        raise WrongState(state="published", wanted="draft")
    if row.replaced_at is not None:
        raise WrongState(state="replaced", wanted="draft")
    row.instrument = instrument
    return row


def _store(by: By, row: RateCard, card: RateCardValues, *, publish: bool) -> RateCard:
    """Write a draft's prices, and publish it if wanted."""
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
    _record(by, action, instrument, before=before, after=after | {"card": row.card})
    return row


def _record(
    by: By,
    action: str,
    instrument: Instrument,
    *,
    before: dict[str, Any],
    after: dict[str, Any] | None = None,
) -> None:
    trail.record(by, action, instrument, before=before, after=after or {})


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
        card, others, today, lambda version: _is_used(instrument, rows[version])
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


def _is_used(instrument: Instrument, row: RateCard) -> bool:
    return any(use(instrument, row) for use in uses)
