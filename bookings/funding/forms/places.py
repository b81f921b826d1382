"""Read which funding sources a person may choose for a place in a course."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from accounts.models import Organisation
from bookings.funding.forms.funding import default_of, described
from bookings.funding.selectors.defaults import load_default
from bookings.funding.selectors.funding_sources import chargeable
from bookings.record.domain.money import format_number
from instruments.training.selectors.fees import SourceChoice


def places_choice(person: UUID, payers: Iterable[Organisation], day: date) -> dict[UUID, list[SourceChoice]]:
    """Return the sources of each payer that a person may charge for a place that begins on a local day, their
    default marked. Two statements for each payer, one for one without sources."""
    choices: dict[UUID, list[SourceChoice]] = {}
    for payer in payers:
        sources = chargeable(payer, [person], day)
        if not sources:
            continue
        shares = load_default(payer.pk, person, sources).shares
        chosen = shares[0].source if len(shares) == 1 else "" if shares else default_of(sources)
        choices[payer.pk] = [
            SourceChoice(row.code, described(row), is_default=row.code == chosen) for row in sources
        ]
        if len(shares) > 1:
            whole = " + ".join(f"{share.source} {format_number(share.percent)} %" for share in shares)
            choices[payer.pk].insert(0, SourceChoice("", whole, is_default=True))
    return choices
