"""The origin of each value of an instrument's record."""

from django.db import models

from instruments.register.models.instruments import Instrument


class Provenance(models.Model):
    """The origins of an instrument's values: field -> where it comes from (domain/provenance.Origin)."""

    instrument = models.OneToOneField(Instrument, models.CASCADE, primary_key=True, related_name="provenance")
    fields = models.JSONField(default=dict)
