"""Comments and proposed times, written through the services."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import membership_end, role_grant
from bookings.conversation.models import Comment, ProposedTime
from bookings.conversation.services.comments import comment_write
from bookings.conversation.services.proposals import proposal_make
from bookings.record.domain.periods import Period
from tests.factories.cast import NOW, Cast, at


def say(
    cast: Cast,
    subject: Any,
    who: str = "wang",
    text: str = "Is the holder there?",
    *,
    now: datetime = NOW,
    **values: Any,
) -> Comment:
    """A comment on a booking or a need."""
    kind = values.pop("kind", subject._meta.model_name)
    return comment_write(By(cast.actor(who), now), kind=kind, subject_id=subject.pk, text=text, **values)


def propose(
    cast: Cast,
    reservation: Any,
    start: str,
    end: str,
    who: str = "zhao",
    *,
    text: str = "",
    now: datetime = NOW,
) -> ProposedTime:
    """Another time for a booking, by the host's manager unless said otherwise."""
    pk: UUID = reservation.pk
    period = Period(at(start), at(end))
    return proposal_make(By(cast.actor(who), now), reservation_id=pk, period=period, text=text)


def leave(cast: Cast, who: str) -> None:
    """Somebody leaves their organisation, with their roles; finance manages it from then on."""
    membership = cast.people[who].memberships.get()
    organisation = membership.organisation
    heir = cast.people["gao" if organisation == cast.ustc else "lin"]
    role_grant(By(PLATFORM, NOW), user=heir, role="manager", organisation=organisation)
    membership_end(By(cast.actor(who), NOW), membership_id=membership.pk, reason="")
