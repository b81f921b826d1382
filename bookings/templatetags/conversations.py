"""The conversation about a subject, on the subject's page."""

from typing import Any

from django import template

from accounts.views.pages import by_of
from bookings.conversation.selectors.threads import load_conversation

register = template.Library()


@register.inclusion_tag("bookings/conversation/part.html", takes_context=True)
def conversation(context: dict[str, Any], kind: str, subject: Any) -> dict[str, Any]:
    """Show the conversation to people who take part in it, and nothing to others: `{% conversation "need"
    need %}`."""
    request = context["request"]
    by = by_of(request)
    found = load_conversation(by.actor, kind, subject, by.now)
    return {
        "conversation": found,
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "reader_zone": context.get("reader_zone"),
    }
