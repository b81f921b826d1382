"""The table of parameters by which instruments are compared."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id


class Parameter(models.Model):
    """A quantity by which instruments are compared, stored for `instruments/vocabulary/domain/parameters.py`.

    `unit` is that of stored values; `units` maps another to `[factor, offset]`, decimal strings: value x
    factor + offset is the value in `unit`. `bare_units` mean this parameter in a text that names none.
    `techniques` are codes: instruments with these or narrower ones should state it.
    """

    class Direction(models.TextChoices):
        DOWN = "down", _("smaller is better")
        UP = "up", _("larger is better")
        RANGE = "range", _("a range")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, blank=True)
    units = models.JSONField(default=dict)
    bare_units = models.JSONField(default=list)
    synonyms = models.JSONField(default=list)
    synonyms_zh = models.JSONField(default=list)
    direction = models.CharField(max_length=5, choices=Direction)
    techniques = models.JSONField(default=list)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("parameter")

    def __str__(self) -> str:
        return self.name
