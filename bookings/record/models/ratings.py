"""Ratings that people give to sessions, and the summary that is shown."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookings.record.domain.ratings import MARKS
from bookings.record.models.usage import UsageSession
from instruments.register.models import Instrument

_IN_RANGE = Q()
_NONE_GIVEN = Q(rated_at=None)
for _mark in MARKS:
    _IN_RANGE &= Q(**{_mark: None}) | Q(**{f"{_mark}__range": (1, 5)})
    _NONE_GIVEN &= Q(**{_mark: None})


class SessionRating(models.Model):
    """The marks of a session, from 1 to 5, given once by its person in addition to the overall rating
    (`UsageSession.rating`), and the host's answer, which that person can read."""

    session = models.OneToOneField(UsageSession, models.PROTECT, primary_key=True, related_name="marks")
    usable = models.SmallIntegerField(null=True)
    support = models.SmallIntegerField(null=True)
    on_time = models.SmallIntegerField(null=True)
    price_as_quoted = models.SmallIntegerField(null=True)
    rated_at = models.DateTimeField(null=True)  # null: not rated yet, the host has answered remarks
    answer = models.CharField(max_length=1000, blank=True)
    answered_at = models.DateTimeField(null=True)  # when first answered; edited for a day from then on
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("rating")
        constraints = [
            models.CheckConstraint(condition=_IN_RANGE, name="rating_marks"),
            models.CheckConstraint(condition=_NONE_GIVEN | Q(rated_at__isnull=False), name="rating_rated"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None, answered_by=None)
                | ~Q(answer="") & Q(answered_at__isnull=False, answered_by__isnull=False),
                name="rating_answered",
            ),
        ]


class InstrumentRating(models.Model):
    """Ratings of an instrument that everybody may read, as of last night. A row exists only when enough
    people of enough organisations have rated (record/domain/ratings)."""

    instrument = models.OneToOneField(Instrument, models.CASCADE, primary_key=True, related_name="+")
    mean = models.DecimalField(max_digits=3, decimal_places=2)
    ratings = models.PositiveIntegerField()
    raters = models.PositiveIntegerField()
    organisations = models.PositiveIntegerField()
    not_usable = models.DecimalField(max_digits=4, decimal_places=3, null=True)
    response = models.DecimalField(max_digits=4, decimal_places=3)
    as_of = models.DateTimeField()

    class Meta:
        verbose_name = _("rating of an instrument")
        constraints = [
            models.CheckConstraint(
                condition=Q(mean__range=(1, 5), raters__gte=5, organisations__gte=3),
                name="instrumentrating_shown",
            )
        ]
