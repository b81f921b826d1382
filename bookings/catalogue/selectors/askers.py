"""Load what the rules need about the person who asks."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from bookings.availability.domain.availability import Asker
from bookings.pricing.selectors.agreements import load_recognised
from bookings.pricing.selectors.fees import Terms
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal
from instruments.register.models import Instrument
from instruments.register.selectors.blocks import block_of, numbers_of
from instruments.training.selectors.qualifications import load_qualified


def load_asker(
    instrument: Instrument,
    payer: Organisation | None,
    terms: Terms,
    *,
    user_id: UUID | None,
    mode: str | None = None,
) -> Asker:
    """Load what the rules need about a person who wants to book an instrument for a payer. It takes one
    statement if the policy requires a certificate, two if one of another region may count, otherwise none."""
    askers = load_askers([instrument], payer, {instrument.pk: terms}, user_id=user_id, mode=mode)
    return askers[instrument.pk]


def load_block(
    actor: Actor, instrument: Instrument, user_id: UUID, payer_id: UUID | None, now: datetime
) -> Refusal | None:
    """Return the refusal (`blocked`) with the last day if the host blocks the person or the payer, and with
    the reason and the address for objections unless they are another person's affair; the host's own managers
    may book for them. One statement at a host that blocks somebody; if the instrument comes from its lock,
    otherwise none."""
    block = block_of(instrument, user_id, payer_id, now)
    if block is None or actor.may("manage-instruments", place_of(instrument.organisation, instrument)):
        return None
    return Refusal("blocked", numbers_of(block, actor))


def load_askers(
    instruments: Sequence[Instrument],
    payer: Organisation | None,
    terms: Mapping[UUID, Terms],
    *,
    user_id: UUID | None,
    mode: str | None = None,
) -> dict[UUID, Asker]:
    """Load what the rules need about the person for each of many instruments (loaded with policy and
    facility). It takes at most one statement; one more for a person with a certificate of another region,
    which counts if an agreement recognises it; and those of `load_certified`.

    A certificate is needed to work alone: in service mode `self` and, if no mode is given, on instruments
    that offer no other.
    """
    alone = [i for i in instruments if works_alone(i, mode)]
    qualified = load_qualified(user_id, alone, load_recognised)
    asks = {i.pk for i in alone if hasattr(i, "policy") and i.policy.qualification}
    certified = load_certified(user_id, instruments)
    return {
        instrument.pk: Asker(
            price_group=terms[instrument.pk].price_group,
            is_served=terms[instrument.pk].serves(mode or ""),
            is_priced=terms[instrument.pk].prices(mode or ""),
            user=user_id,
            organisation=payer.pk if payer else None,
            is_same_region=terms[instrument.pk].is_same_region,
            qualified=tuple(Period(*span) for span in qualified.get(instrument.pk, ()))
            if instrument.pk in asks
            else None,
            guided=tuple(m for m in instrument.service_modes if not works_alone(instrument, m))
            if instrument.pk in asks
            else (),
            certified=certified.get(instrument.pk, ()),
        )
        for instrument in instruments
    }


type Certified = tuple[tuple[str, tuple[Period, ...]], ...]


def load_certified(user_id: UUID | None, instruments: Sequence[Instrument]) -> dict[UUID, Certified]:
    """Return, for each instrument, when the person's certificates that its group hours require are valid, by
    what they are for. It takes no statement if there are no group hours; otherwise one for each kind of
    certificate, and one more for those of another region."""
    asking: dict[str, list[Instrument]] = {}
    for instrument in instruments:
        hours = (hasattr(instrument, "policy") and instrument.policy.group_hours) or ()
        for code in sorted({rule["certificate"] for rule in hours if "certificate" in rule}):
            # The same instrument, as if it asked for this certificate.
            changed = copy(instrument)
            changed.policy = copy(instrument.policy)
            changed.policy.qualification = code
            asking.setdefault(code, []).append(changed)
    certified: dict[UUID, Certified] = {}
    for code, some in asking.items():
        for pk, spans in load_qualified(user_id, some, load_recognised).items():
            held = (code, tuple(Period(*span) for span in spans))
            certified[pk] = (*certified.get(pk, ()), held)
    return certified


def works_alone(instrument: Instrument, mode: str | None) -> bool:
    """Return whether a person works without an operator in this mode; without a mode, whether the instrument
    offers no other."""
    if mode is None:
        return instrument.service_modes == ["self"]
    return mode == "self"
