"""Load where the payer owes the tax on a use, and not the host."""

from uuid import UUID

from accounts.domain.organisations import country_of
from accounts.models import Organisation, Region
from bookings.pricing.domain.taxes import UNION, is_reverse_charge, is_vat


def country_of_region(region: Region) -> str:
    """Return the ISO 3166 code of the country of a region; empty if it is not known."""
    return country_of(region.scheme, region.code, region.holiday_calendar)


def is_reversed(payer: Organisation, home: Region, host: Organisation, host_region: Region) -> bool:
    """Say whether a payer owes the tax on a use at a host, by their regions of a day. No statement."""
    countries = country_of_region(home), country_of_region(host_region)
    if countries[0] == countries[1] or not set(countries) <= UNION:
        return False
    return is_reverse_charge(
        host_country=countries[1],
        payer_country=countries[0],
        host_tax_number=host.tax_number,
        payer_tax_number=payer.tax_number,
    )


def load_reversed_hosts(payer: Organisation | None) -> list[UUID]:
    """Return the hosts at which the payer would owe the tax, by the present regions. Two statements for a
    payer in the Union with a number for value added tax, none for others."""
    country = country_of_region(payer.region) if payer else ""
    if payer is None or country not in UNION or not is_vat(payer.tax_number, country):
        return []
    countries = {region.pk: country_of_region(region) for region in Region.objects.filter(shares=True)}
    abroad = [pk for pk, other in countries.items() if other in UNION and other != country]
    hosts = Organisation.objects.filter(region_id__in=abroad, instruments__isnull=False).exclude(
        tax_number=""
    )
    numbers = hosts.values_list("pk", "region_id", "tax_number").distinct()
    return sorted(pk for pk, region, number in numbers if is_vat(number, countries[region]))
