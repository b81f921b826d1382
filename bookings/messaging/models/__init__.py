from bookings.messaging.models.events import Event
from bookings.messaging.models.feeds import CalendarFeed
from bookings.messaging.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = ["CalendarFeed", "Event", "WebhookAttempt", "WebhookDelivery", "WebhookEndpoint"]
