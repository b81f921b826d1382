from bookings.messaging.models.feeds import CalendarFeed
from bookings.messaging.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = ["CalendarFeed", "WebhookAttempt", "WebhookDelivery", "WebhookEndpoint"]
