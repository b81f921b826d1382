"""Samples of the cast, announced and moved through the services."""

from typing import Any

from accounts.domain.roles import By
from bookings.models import Reservation, SampleItem
from bookings.samples.services.joining import samples_join
from bookings.samples.services.samples import NextStep, SampleValues, sample_announce, samples_step
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.register.models import Instrument
from tests.factories.cast import NOW, Cast


def announce(cast: Cast, who: str = "wang", *, now: Any = NOW, **values: Any) -> SampleItem:
    """One sample, of Wang Li unless said otherwise."""
    given = {"name": "Perovskite film"} | values
    (sample,) = sample_announce(By(cast.actor(who), now), values=SampleValues(**given))
    return sample


def join(cast: Cast, booking: Reservation, *samples: SampleItem, who: str = "wang") -> None:
    ids = [one.pk for one in samples]
    samples_join(By(cast.actor(who), NOW), reservation_id=booking.pk, sample_ids=ids)


def step(
    cast: Cast, who: str, state: str, *samples: SampleItem, now: Any = NOW, **said: Any
) -> list[SampleItem]:
    ids = [one.pk for one in samples]
    return samples_step(By(cast.actor(who), now), sample_ids=ids, step=NextStep(state, **said))


def refuse(cast: Cast, instrument: Instrument, *hazards: str, now: Any = NOW) -> None:
    """Let an instrument not accept these hazards; the rest of its policy is the usual one."""
    policy = {"slot_minutes": 30, "max_minutes": 480, "refused_hazards": list(hazards)}
    policy_set(By(cast.actor("zhao"), now), instrument_id=instrument.pk, policy=parse_policy(policy))
