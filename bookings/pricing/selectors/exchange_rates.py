"""Exchange rates, as far as each person may see them, and the conversions that follow from them."""

from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.prepared import Prepared
from bookings.pricing.models import ExchangeRate


def rates_for_actor(actor: Actor) -> QuerySet[ExchangeRate]:
    """Return the rates of the actor's organisations, for finance and managers, and of an auditor's
    regions; the newest first."""
    seen = Q(organisation_id__in=actor.organisations_where("read-money"))
    regions = list(actor.regions_where("read-money"))
    if regions:
        seen |= Q(organisation__region__lineage__overlap=regions)
    return (
        ExchangeRate.objects.filter(seen)
        .select_related("organisation", "entered_by")
        .order_by("-entered_at", "-id")
    )


def load_worths(payer: Organisation | None, currency: str, day: date) -> dict[str, Decimal]:
    """Return what one unit of each currency is worth in `currency`, itself included, by the newest rate that
    the payer's finance entered for the day or before; a rate for the other direction is inverted. Currencies
    without a rate are left out. One statement, none without a payer."""
    worths = {currency: Decimal(1)}
    if payer is None:
        return worths
    rates = _RATES.rows(payer_id=payer.pk, currency=currency, day=day)
    for rate in sorted(rates, key=lambda rate: rate.quote == currency):  # the direct rate counts
        if rate.quote == currency:
            worths[rate.base] = rate.rate
        else:
            worths[rate.quote] = 1 / rate.rate
    return worths


_RATES = Prepared(
    lambda payer_id, currency, day: (
        ExchangeRate.objects.filter(
            Q(base=currency) | Q(quote=currency), organisation_id=payer_id, valid_on__lte=day
        )
        .order_by("base", "quote", "-valid_on", "-entered_at")
        .distinct("base", "quote")
    )
)


def accounted_by(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations for which the actor does the finance."""
    return (
        Organisation.objects.filter(pk__in=actor.organisations_where("account"))
        .select_related("region")
        .order_by("name")
    )


def accounted_named(actor: Actor, code: str) -> Organisation:
    """Return the organisation with a code for which the actor does the finance; without a code their only
    one. Raise `NotPermitted` if there is none, `Invalid` (`organisation-needed`) if there are several."""
    mine = accounted_by(actor)
    found = list(mine.filter(code=code.replace("\0", "")) if code else mine[:2])
    if not found:
        raise NotPermitted(capability="account")
    if len(found) > 1:
        raise invalid("organisation", "organisation-needed")
    return found[0]
