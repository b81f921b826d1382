"""Limits, shares and certificates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.domain.roles import By
from bookings.demo.services.files import load
from bookings.demo.services.offers import Offer
from bookings.demo.services.places import Places
from instruments.domain.opening import local_date
from instruments.domain.policies import parse_policy, policy_to_json
from instruments.services.policies import policy_set
from instruments.services.qualifications import qualification_grant

DAY = timedelta(days=1)
NOTE = "Introduction and one session under supervision"


def rules_make(places: Places, offers: Sequence[Offer], now: datetime) -> int:
    """They hold from now on, after all bookings were made, so that none of these is refused.
    How many policies changed."""
    by_key = {offer.key: offer for offer in offers}
    rules = load("rules")
    for key, changes in rules["policies"].items():
        offer = by_key[key]
        policy_set(
            By(places.manager_of(offer.instrument.organisation).actor, now),
            instrument_id=offer.instrument.pk,
            policy=parse_policy(policy_to_json(offer.policy) | changes),
        )
    for row in rules["certificates"]:
        instrument = by_key[row["instrument"]].instrument
        today = local_date(ZoneInfo(instrument.facility.time_zone), now)
        qualification_grant(
            By(places.manager_of(instrument.organisation).actor, now + row["since"] * DAY),
            user=places.people[row["person"]].user,
            issuer=instrument.organisation,
            instrument=instrument,
            valid_from=today + row["since"] * DAY,
            valid_until=today + row["until"] * DAY,
            note=NOTE,
        )
    return len(rules["policies"])
