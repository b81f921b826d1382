"""Events of webhooks in words."""

from django import template
from django.utils.translation import gettext

from bookings.messaging.domain.webhooks import PING
from bookings.messaging.forms.webhooks import EVENT_NAMES

register = template.Library()


@register.filter
def event_named(event: str) -> str:
    """What happened, as the choice of events says it."""
    if event == PING:
        return gettext("a test")
    return str(EVENT_NAMES.get(event, event))
