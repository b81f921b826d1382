"""Searches that people save."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User
from accounts.models.keys import new_id
from instruments.register.models import Instrument


class SavedSearch(models.Model):
    """A search that a person has saved for a payer, with its `criteria` as `catalogue/domain/searches` writes
    them. `looked_on`: the day (UTC) of the job's last look."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=100)
    criteria = models.JSONField()
    is_paused = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    looked_on = models.DateField()

    class Meta:
        verbose_name = _("saved search")
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_search_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> int:
        """Return the version: 2 while the search is paused, since nothing else of it ever changes."""
        return 1 + self.is_paused


class SearchMatch(models.Model):
    """An instrument that a saved search has found, so that the person is told of it only once."""

    id = models.BigAutoField(primary_key=True)
    search = models.ForeignKey(SavedSearch, models.CASCADE, related_name="matches")
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["search", "instrument"], name="search_match_once")]

    def __str__(self) -> str:
        return f"{self.search_id} {self.instrument_id}"
