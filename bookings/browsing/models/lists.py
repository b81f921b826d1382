"""Instruments that people keep in lists of their own."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from bookings.browsing.domain.lists import LONGEST_NAME, LONGEST_NOTE
from instruments.register.models import Instrument


class InstrumentList(models.Model):
    """A list of instruments that only its author sees. The one without a name holds their favourites; it is
    created with the first star."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("list of instruments")
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="instrument_list_name_unique")]

    def __str__(self) -> str:
        return self.name or str(_("Favourites"))

    @property
    def is_favourites(self) -> bool:
        return not self.name


class ListEntry(models.Model):
    """An instrument in a list. `name`, `name_zh`: its names when it was added, which are shown if the person
    may no longer see it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    list = models.ForeignKey(InstrumentList, models.CASCADE, related_name="entries")
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+")
    name = models.CharField(max_length=250)
    name_zh = models.CharField(max_length=250, blank=True)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("entry of a list")
        constraints = [models.UniqueConstraint(fields=["list", "instrument"], name="list_entry_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def now_called(self) -> "Instrument | ListEntry":
        """Return the row whose names to show: the instrument if the person may still see it, otherwise this
        entry. The entry must be loaded with `is_shown` (selectors/lists)."""
        return self.shown if getattr(self, "is_shown", False) else self

    @property
    def shown(self) -> Instrument:
        """Return the instrument, or the one into which it was merged as a duplicate."""
        return self.instrument.merged_into or self.instrument
