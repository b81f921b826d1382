"""The base of models whose addresses workers request again and again."""

from django.db import models

from accounts.models.keys import new_id


class PolledAddress(models.Model):
    """An address that workers request again and again (`instruments.exchange.services.polling`). `claim` is
    the mark of the worker that has it until `claimed_until`; `etag` and `modified` are from the last answer;
    `failures` is how many came in a row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    address = models.CharField(max_length=1000)
    due_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    etag = models.CharField(max_length=200, blank=True)
    modified = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True
