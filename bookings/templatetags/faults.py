"""Fault reports on pages of instruments."""

from typing import Any

from django import template

from accounts.views.pages import by_of
from bookings.usage.models import FaultReport
from bookings.usage.selectors.faults import standing_faults
from instruments.register.models import Instrument

register = template.Library()


@register.simple_tag(takes_context=True)
def faults_of(
    context: dict[str, Any], instrument: Instrument
) -> tuple[FaultReport | None, list[FaultReport]]:
    """Return the open report of an instrument and its known issues. Two statements at most."""
    return standing_faults(instrument.pk, by_of(context["request"]).now)
