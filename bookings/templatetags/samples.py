"""How samples are written on pages and in letters."""

from collections.abc import Collection
from uuid import UUID

from django import template

from bookings.samples.domain.samples import code_text
from bookings.samples.models import SampleItem
from bookings.samples.selectors.samples import refusals_of
from instruments.models import Instrument
from instruments.templatetags.managing import hazards_named

register = template.Library()
register.filter("sample_code", code_text)


register.filter("hazards", hazards_named)


@register.filter
def barred(sample: SampleItem, instrument: Instrument) -> bool:
    """Whether an instrument does not accept a hazard of a sample."""
    return bool(refusals_of(instrument, [sample]))


@register.filter
def is_mine(host: UUID, hosts: Collection[UUID]) -> bool:
    """Whether a host is one of the reader's."""
    return host in hosts
