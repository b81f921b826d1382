"""The table of measurands: what instruments can measure or find out, in people's words."""

from django.db import models

from accounts.models.keys import new_id


class Measurand(models.Model):
    """A quantity or question, with the codes of the techniques that answer it, the best first.

    `is_edited`: a curator changed it, so that later versions of the platform's own list do not overwrite it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200)
    unit = models.CharField(max_length=40, blank=True)
    samples = models.JSONField(default=list)
    techniques = models.JSONField(default=list)
    lines = models.JSONField(default=list)
    lines_zh = models.JSONField(default=list)
    synonyms = models.JSONField(default=list)
    synonyms_zh = models.JSONField(default=list)
    source = models.CharField(max_length=300, blank=True)
    is_edited = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name
