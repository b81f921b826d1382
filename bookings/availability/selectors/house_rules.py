"""Check whether a person has accepted the house rules, for a quote, a booking, a check-in."""

from uuid import UUID

from bookings.record.domain.refusals import Refusal
from instruments.house_rules.models import HouseRules
from instruments.house_rules.selectors.house_rules import load_house_rules
from instruments.register.models import Instrument


def load_acceptance(
    instrument: Instrument, person: UUID, accepts: int | None, *, newest: bool = False
) -> tuple[HouseRules | None, tuple[Refusal, ...]]:
    """Return the house rules if the person newly accepts them by naming their version (`accepts`), else None,
    and the refusals if they have not accepted them. Before a booking the acceptance of any version is enough;
    with `newest` it must be the one in force. It takes one statement, none if there are no rules."""
    rules = load_house_rules(instrument, person)
    if rules is None:
        return None, ()
    accepted: int | None = rules.accepted  # type: ignore[attr-defined]
    if accepts == rules.version:
        return (None if accepted == rules.version else rules), ()
    if accepted is None or (newest and accepted != rules.version):
        return None, (Refusal("house-rules-not-accepted", {"version": rules.version}),)
    return None, ()
