"""Template tags of the inbox."""

from django import template

from accounts.selectors.messages import all_topics

register = template.Library()


@register.filter
def topic_name(topic: str) -> str:
    """Return a topic's name in the reader's language; for a topic that no longer exists, its code."""
    known = all_topics().get(topic)
    return str(known.label) if known else topic
