"""How samples are written on pages and in letters."""

from collections.abc import Collection
from uuid import UUID

from django import template

from bookings.samples.domain.samples import code_text
from bookings.samples.models import SampleItem
from bookings.samples.selectors.samples import refusals_of
from instruments.register.models import Instrument
from instruments.templatetags.managing import hazards_named

register = template.Library()
register.filter("sample_code", code_text)


register.filter("hazards", hazards_named)


@register.filter
def barred(sample: SampleItem, instrument: Instrument) -> bool:
    """Say whether an instrument refuses a hazard of a sample."""
    return bool(refusals_of(instrument, [sample]))


@register.filter
def is_mine(host: UUID, hosts: Collection[UUID]) -> bool:
    """Say whether a host is one of the reader's organisations."""
    return host in hosts
