"""The table of techniques, the terms of controlled vocabularies: PaNET and others."""

from django.db import models

from accounts.models.keys import new_id


class Technique(models.Model):
    """A technique, with the next broader ones as its parents."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scheme = models.CharField(max_length=20, default="PaNET")
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    synonyms = models.JSONField(default=list)
    definition = models.TextField(blank=True)
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code"], name="technique_code_unique")]

    def __str__(self) -> str:
        return self.name
