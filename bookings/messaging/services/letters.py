"""Sending the mails of messages that are already in the inbox."""

from datetime import datetime

from accounts.models import OutboxMessage
from accounts.services.messages import letter_message, letter_send
from bookings.messaging.notifications.reservations import still_says


def letter_mail(row: OutboxMessage, *, now: datetime) -> str:
    """Send the mail of a message, unless it is no longer true after being held back. Return the outcome of
    the row."""
    message = letter_message(row)
    if message is None or not still_says(message.kind, message.about, now):
        return "skipped"
    return letter_send(message, now=now)
