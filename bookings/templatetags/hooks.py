"""Events of webhooks in words."""

from django import template
from django.utils.translation import gettext

from bookings.messaging.domain.webhooks import PING
from bookings.messaging.selectors.webhooks import all_events

register = template.Library()


@register.filter
def event_named(event: str) -> str:
    """Name an event as the form that chooses events does."""
    if event == PING:
        return gettext("a test")
    known = all_events().get(event)
    return str(known.words) if known else event
