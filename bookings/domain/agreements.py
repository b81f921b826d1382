"""What two regions have agreed, on a day (docs/fees.md, "Price group")."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class AgreementValues:
    """An agreement that every member has signed, of the local days [`valid_from`, `valid_until`);
    `valid_until` None: until it is ended."""

    id: UUID
    code: str
    valid_from: date
    valid_until: date | None
    discount_percent: Decimal = Decimal(0)
    honours_vouchers: bool = False
    recognises_qualifications: bool = False

    def is_in_force(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True)
class Recognition:
    """What all agreements in force between two regions come to on a day. `agreement` is the one
    whose discount counts."""

    agreement: AgreementValues
    honours_vouchers: bool
    recognises_qualifications: bool

    @property
    def discount_percent(self) -> Decimal:
        return self.agreement.discount_percent


def recognition(agreements: Iterable[AgreementValues], day: date) -> Recognition | None:
    """Of several in force the highest discount counts (of equals the lower code); vouchers and
    qualifications count where any of them says so. None where none is in force."""
    found = [agreement for agreement in agreements if agreement.is_in_force(day)]
    if not found:
        return None
    return Recognition(
        agreement=min(found, key=lambda each: (-each.discount_percent, each.code)),
        honours_vouchers=any(each.honours_vouchers for each in found),
        recognises_qualifications=any(each.recognises_qualifications for each in found),
    )
