"""Funding sources of the cast, made by their finance through the service."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.domain.roles import By
from bookings.funding.domain.funding import Share
from bookings.funding.domain.funding_sources import SourceTerms
from bookings.funding.services.funding import source_create
from bookings.models import Agreement, AgreementMember, Earmark, FundingSource, VoucherGrant, VoucherProgramme
from tests.factories.cast import NOW, Cast


def source(
    cast: Cast,
    code: str = "NSFC-17",
    *,
    by: str = "lin",
    owner: str = "wang",
    users: tuple[str, ...] = (),
    budget: str | None = "10000",
    currency: str = "CNY",
    valid_from: date = date(2026, 1, 1),
    now: datetime = NOW,
    **values: Any,
) -> FundingSource:
    """A source of Fudan that Wang owns, with 10,000 yuan."""
    return source_create(
        By(cast.actor(by), now),
        organisation=values.pop("organisation", cast.fudan),
        code=code,
        terms=SourceTerms(
            name=values.pop("name", "Cathodes without cobalt"),
            owner=cast.people[owner].pk,
            users=frozenset(cast.people[name].pk for name in users),
            budget=None if budget is None else Decimal(budget),
            currency=currency,
            valid_from=valid_from,
            **values,
        ),
    )


def paid_by(*codes: str, percents: tuple[str, ...] = ()) -> tuple[Share, ...]:
    """One source for all of it, or several by percent."""
    parts = percents or ("100",)
    return tuple(Share(c, Decimal(p)) for c, p in zip(codes, parts, strict=True))


def granted(cast: Cast) -> None:
    """A voucher of Fudan that an agreement with the host's region honours."""
    programme = VoucherProgramme.objects.create(
        region=cast.shanghai, code="sh-2026", name="Vouchers", percent=30, currency="CNY",
        valid_from=date(2026, 1, 1), created_by=cast.xu, created_at=NOW,
    )  # fmt: skip
    VoucherGrant.objects.create(
        programme=programme, organisation=cast.fudan, code="fudan-2026", amount=100_000,
        valid_from=date(2026, 1, 1), valid_until=date(2027, 1, 1), granted_by=cast.xu,
        granted_at=NOW,
    )  # fmt: skip
    agreement = Agreement.objects.create(
        code="ah-sh", name="Anhui and Shanghai", valid_from=date(2026, 1, 1),
        honours_vouchers=True, proposed_by=cast.xu, proposed_at=NOW, signed_at=NOW,
    )  # fmt: skip
    for region in (cast.anhui, cast.shanghai):
        AgreementMember.objects.create(agreement=agreement, region=region)


def sums(row: FundingSource) -> tuple[Decimal, Decimal]:
    """What is set aside in a source and spent, now."""
    row.refresh_from_db()
    return row.held, row.spent


def set_aside(reservation: Any) -> list[tuple[str, Decimal]]:
    """What each source has set aside for a booking, in the order of the shares."""
    rows = Earmark.objects.filter(reservation=reservation, source__isnull=False)
    return [(row.source.code, row.held) for row in rows.select_related("source").order_by("created_at", "id")]
