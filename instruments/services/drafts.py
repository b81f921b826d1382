"""Many drafts made ready alike: from one instrument that is set up."""

from dataclasses import replace
from uuid import UUID

from django.db import transaction

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from instruments.domain.opening import local_date, parse_hours
from instruments.locks import lock_managed
from instruments.models import RateCard
from instruments.selectors.managing import DRAFTING, instrument_to_manage, load_standings
from instruments.selectors.policies import load_policy
from instruments.services.opening import opening_hours_set
from instruments.services.policies import policy_set
from instruments.services.ratecards import rate_card_create


@transaction.atomic
def draft_complete(by: By, *, instrument_id: UUID, template_id: UUID) -> tuple[str, ...]:
    """Give a draft what it lacks of opening hours, policy and rate card, as the template has them
    today; the card is in force from today on. What the draft has of its own stays. Return what it
    got, in codes of the checklist. `WrongState` of what is no draft any more; `NotFound`,
    `NotPermitted` as for any of the steps."""
    instrument = lock_managed(by, instrument_id, record=True)
    if instrument.publication not in DRAFTING:
        raise WrongState(state=instrument.publication, wanted="draft")
    given = load_standings([instrument_to_manage(by.actor, template_id)], by.now)[0]
    own = load_standings([instrument], by.now)[0]
    got = []
    if own.hours is None and given.instrument.schedule is not None:
        hours = parse_hours(given.instrument.schedule.hours)
        opening_hours_set(by, instrument_id=instrument_id, hours=hours)
        got.append("opening-hours")
    if own.policy is None and given.policy is not None:
        policy_set(by, instrument_id=instrument_id, policy=load_policy(given.instrument.policy))
        got.append("policy")
    has_cards = RateCard.objects.filter(instrument=instrument, replaced_at=None).exists()
    if own.card is None and given.card is not None and not has_cards:
        today = local_date(instrument.facility.zone, by.now)
        card = replace(given.card.values, valid_from=today, valid_until=None)
        rate_card_create(by, instrument_id=instrument_id, card=card, publish=True)
        got.append("rate-card")
    return tuple(got)
