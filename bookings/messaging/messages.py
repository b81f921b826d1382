"""Sentences of the refusals of *messaging*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "too-many-webhooks": _("There are already {most} webhooks: delete one of them first."),
    "too-many-deliveries": _("At most {most} can be sent again at once: choose a shorter period."),
    "ping-waits": _("A test is already on its way."),
    "calendar-set-too-often": _(
        "A calendar can be saved at most {most} times an hour. It is read automatically every hour."
    ),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "feed.make": _("Calendar address created"),
    "feed.renew": _("Calendar address renewed"),
    "feed.revoke": _("Calendar address revoked"),
    "busycalendar.set": _("Own calendar set"),
    "busycalendar.remove": _("Own calendar removed"),
    "webhook.add": _("Webhook added"),
    "webhook.change": _("Webhook changed"),
    "webhook.rotate": _("Secret of a webhook renewed"),
    "webhook.ping": _("Webhook tested"),
    "webhook.replay": _("Delivery of a webhook sent again"),
    "webhook.disable": _("Webhook disabled"),
    "webhook.delete": _("Webhook deleted"),
}
