"""Rows with a code of their own."""

from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts.domain.errors import invalid


def coded_save(row: Model, *, is_new: bool = True) -> None:
    """Insert a row, or update it; `Invalid` (`code-taken`) where another has its code."""
    try:
        with transaction.atomic():
            row.save(force_insert=is_new)
    except IntegrityError as error:
        if "code" not in str(error):
            raise
        raise invalid("code", "code-taken") from error
