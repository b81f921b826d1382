"""The moment of the last change of rows, for systems that keep copies of them."""

from django.db import models
from django.db.models.functions import Now


class Copied(models.Model):
    """A base for rows of which other systems keep copies. A trigger sets `modified` by the database's clock
    whenever a row is stored, whoever stores it (migrations 0082, 0084); older rows have their moment."""

    modified = models.DateTimeField(null=True, default=None, db_default=Now(), editable=False)

    class Meta:
        abstract = True
