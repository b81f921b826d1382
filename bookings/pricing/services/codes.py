"""Saving rows that have a unique code."""

from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts.domain.errors import invalid


def coded_save(row: Model, *, is_new: bool = True) -> None:
    """Insert or update a row; raise `Invalid` (`code-taken`) if another row has its code."""
    try:
        with transaction.atomic():
            row.save(force_insert=is_new)
    except IntegrityError as error:
        if "code" not in str(error):
            raise
        raise invalid("code", "code-taken") from error
