"""Lists as people have saved them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from accounts.models.users import User


class SavedView(models.Model):
    """A filtered and sorted list that somebody has saved under a name: the path of its page, and its
    query."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    page = models.CharField(max_length=200)
    query = models.CharField(max_length=1000, blank=True)
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_name_unique")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return f"{self.page}?{self.query}"
