"""Money set aside for a reservation."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from bookings.domain.quotes import QuoteInput
from bookings.domain.vouchers import GrantValues
from bookings.locks import locked
from bookings.models import Earmark, VoucherGrant


@dataclass(frozen=True)
class Earmarked:
    """What is set aside for one reservation and not yet spent: of one grant at most, and of
    funding sources by percent."""

    grant: Earmark | None = None
    sources: tuple[Earmark, ...] = ()

    @property
    def held(self) -> Decimal:
        """Of the grant; 0 without one."""
        return self.grant.held if self.grant else Decimal(0)

    @property
    def grant_id(self) -> UUID | None:
        return self.grant.grant_id if self.grant else None


def load_earmarked(reservation_id: UUID, *, lock: bool = False) -> Earmarked:
    """With grant and source of each. One statement; `lock`: one more, so that what the grant
    has left stays so."""
    if lock:
        held = Earmark.objects.filter(reservation_id=reservation_id, released_at=None)
        grants = VoucherGrant.objects.filter(pk__in=held.values("grant_id")).order_by("pk")
        list(locked(grants).values_list("pk"))
    rows = list(
        Earmark.objects.filter(reservation_id=reservation_id, released_at=None)
        .select_related("grant__programme", "source")
        .order_by("created_at", "id")
    )
    return Earmarked(
        grant=next((row for row in rows if row.grant_id is not None), None),
        sources=tuple(row for row in rows if row.source_id is not None),
    )


def kept_grants(quoted: QuoteInput, earmarked: Earmarked) -> tuple[GrantValues, ...]:
    """The grant a booking keeps, on the terms it was quoted with, with what it may cover now:
    what is set aside, and what the grant has left. None for a booking without one."""
    row = earmarked.grant
    if row is None or row.grant is None:
        return ()
    left = row.grant.amount - row.grant.held - row.grant.redeemed + row.held
    return tuple(
        GrantValues(
            code=grant.code,
            percent=grant.percent,
            cap_per_booking=grant.cap_per_booking,
            remaining=left,
            expires=grant.expires,
        )
        for grant in quoted.grants
        if grant.code == row.grant.code
    )
