"""What the inbox needs."""

from django import template

from accounts.letters.mails import TOPIC_NAMES

register = template.Library()


@register.filter
def topic_name(topic: str) -> str:
    """A topic in the reader's language; one that is no more, by its name."""
    return str(TOPIC_NAMES.get(topic, topic))
