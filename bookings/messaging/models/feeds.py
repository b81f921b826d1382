"""Feeds: addresses under which calendar programs read bookings."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from instruments.register.models import Instrument


class CalendarFeed(models.Model):
    """A secret address under which a program reads a person's own bookings, or an instrument's as
    that person may see them. Only the SHA-256 digest of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="calendar_feeds")
    instrument = models.ForeignKey(Instrument, models.CASCADE, null=True, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("calendar feed")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "instrument"],
                condition=Q(revoked_at=None),
                nulls_distinct=False,
                name="calendar_feed_once",
            )
        ]

    @property
    def version(self) -> int:
        """Return the version of the feed: 1, and 2 once it is revoked."""
        return 1 if self.revoked_at is None else 2
