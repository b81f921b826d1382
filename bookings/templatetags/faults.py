"""Fault reports on pages of instruments."""

from django import template
from django.utils import timezone

from bookings.usage.models import FaultReport
from bookings.usage.selectors.faults import standing_faults
from instruments.register.models import Instrument

register = template.Library()


@register.simple_tag
def faults_of(instrument: Instrument) -> tuple[FaultReport | None, list[FaultReport]]:
    """Return the open report of an instrument and its known issues. Two statements at most."""
    return standing_faults(instrument.pk, timezone.now())
