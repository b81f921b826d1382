"""Requiring house rules to be accepted before booking or beginning to use an instrument."""

from uuid import UUID

from accounts.domain.roles import By
from bookings.availability.selectors.house_rules import load_acceptance
from bookings.record.domain.refusals import Refusal, RulesRefuse
from instruments.house_rules.selectors.house_rules import rules_version
from instruments.house_rules.services.house_rules import acceptance_record, acceptance_store
from instruments.register.models import Instrument


def house_rules_lacking(
    by: By, instrument: Instrument, person: UUID, accepts: int | None
) -> tuple[Refusal, ...]:
    """Return what `house_rules_require` would refuse, for a booking that other rules refuse already."""
    if rules_version(instrument) is None or by.actor.user_id != person:
        return ()
    return load_acceptance(instrument, person, accepts)[1]


def house_rules_require(
    by: By,
    instrument: Instrument,
    person: UUID,
    accepts: int | None,
    *,
    newest: bool = False,
    means: str = "",
) -> int | None:
    """Require that a person has accepted the house rules, or accepts them now by naming the version in force.
    Before a booking any version is enough; at check-in the `newest`. Raises `RulesRefuse`
    (`house-rules-not-accepted`). Nobody can accept for somebody else: bookings for others are not checked,
    and if somebody else checks a person in, the version that the person still has to accept is returned.
    With `means` the actor, who may do so, records that the person has accepted the version `accepts` on paper
    or when it was read out. No statement if there are no rules."""
    version = rules_version(instrument)
    is_own = by.actor.user_id == person
    if version is None or not (is_own or newest):
        return None
    is_recorded = bool(means) and not is_own
    accepts = accepts if is_own or is_recorded else None
    rules, refusals = load_acceptance(instrument, person, accepts, newest=newest)
    if is_recorded and not refusals:
        if rules is not None:
            acceptance_record(by, rules, user_id=person, means=means)
        return None
    if refusals and not (is_own or is_recorded):
        return version
    if refusals:
        raise RulesRefuse(refusals)
    if rules is not None:
        acceptance_store(by, rules)
    return None
