"""How samples are written on pages and in letters."""

from django import template

from accounts.domain.roles import Scope
from bookings.samples.domain.samples import code_text
from bookings.samples.models import BookedSample, SampleItem
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
def is_mine(booked: BookedSample, scope: Scope) -> bool:
    """Say whether a sample is on a booking of an instrument in the reader's scope."""
    instrument = booked.reservation.instrument
    return scope.holds(booked.host_id, instrument.facility_id, instrument.pk)
