"""House rules, asked of whoever books or begins to use an instrument."""

from uuid import UUID

from accounts.domain.roles import By
from bookings.record.domain.refusals import Refusal, RulesRefuse
from instruments.models import Instrument
from instruments.selectors.house_rules import load_house_rules, rules_version
from instruments.services.house_rules import acceptance_store


def house_rules_require(
    by: By,
    instrument: Instrument,
    person: UUID,
    accepts: int | None,
    *,
    newest: bool = False,
) -> None:
    """Require that a person has accepted the house rules, or does so now by naming the version in
    force. Before a booking any version of them will do; at check-in the `newest`. What is booked
    for somebody else is not asked: that person accepts when they check in. `RulesRefuse`
    (`house-rules-not-accepted`). No statement where there are no rules."""
    version = rules_version(instrument)
    is_own = by.actor.user_id == person
    if version is None or not (is_own or newest):
        return
    rules = load_house_rules(instrument, person)
    if rules is None:
        return
    accepted: int | None = rules.accepted  # type: ignore[attr-defined]
    if is_own and accepts == version and accepted != version:
        acceptance_store(by, rules)
    elif accepted is None or (newest and accepted != version):
        raise RulesRefuse([Refusal("house-rules-not-accepted", {"version": version})])
