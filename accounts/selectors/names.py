"""Names of rows, as database expressions."""

from typing import Any

from django.db.models import TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

DOT = Value(" · ")


def text(expression: Any) -> Any:
    """Return an expression, cast to text."""
    return Cast(expression, TextField())


def joined(*parts: Any) -> Any:
    """Return expressions, cast to text and concatenated."""
    return Concat(*(text(part) for part in parts), output_field=TextField())


def person(path: str = "") -> Any:
    """Return an expression for the name of the person at a path, or their address if they gave no name."""
    return Coalesce(NullIf(text(f"{path}name"), Value("")), text(f"{path}email"))
