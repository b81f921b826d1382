"""Complete many drafts alike, from one instrument that is fully set up."""

from dataclasses import replace
from uuid import UUID

from django.db import transaction

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from instruments.managing.selectors.managing import DRAFTING, load_standings
from instruments.managing.services.registry import instrument_update
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.selectors.policies import load_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.models import RateCard
from instruments.rates.services.ratecards import rate_card_create
from instruments.reading.domain.clock import local_date
from instruments.register.locks import lock_managed
from instruments.register.selectors.registry import instrument_to_manage


@transaction.atomic
def draft_complete(by: By, *, instrument_id: UUID, template_id: UUID) -> tuple[str, ...]:
    """Copy to a draft the ways of working, opening hours, policy and rate card that it lacks, as the template
    has them today; the card is in force from today. What the draft already has stays. Return the checklist
    codes of what was copied. `WrongState` if it is no longer a draft; `NotFound`, `NotPermitted` as for each
    step."""
    instrument = lock_managed(by, instrument_id, record=True)
    if instrument.publication not in DRAFTING:
        raise WrongState(state=instrument.publication, wanted="draft")
    given = load_standings([instrument_to_manage(by.actor, template_id)], by.now)[0]
    own = load_standings([instrument], by.now)[0]
    got = []
    if not instrument.service_modes and given.instrument.service_modes:
        modes = {"service_modes": given.instrument.service_modes}
        instrument_update(by, instrument_id=instrument_id, changes=modes, techniques=None)
        got.append("service-modes")
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
