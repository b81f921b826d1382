"""Fault reports on pages of instruments."""

from django import template

from bookings.usage.models import FaultReport
from bookings.usage.selectors.faults import open_fault
from instruments.register.models import Instrument

register = template.Library()


@register.simple_tag
def open_fault_of(instrument: Instrument) -> FaultReport | None:
    """Return the open report of an instrument, for the page on which its managers see it. Two statements."""
    return open_fault(instrument.pk)
