"""The shapes of requests and answers: plain serializers that check and never save.

`checked` turns every problem into `Invalid`, with the codes and numbers that the rest of the platform uses
and a path such as `manufacturers[0].name`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from django.core.validators import MaxLengthValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from accounts.domain.currencies import in_decimals
from accounts.domain.errors import MOST_UNKNOWN, FieldProblem, Invalid

EARLIEST_YEAR, LATEST_YEAR = 1970, 2100
DAYS_FROM, DAYS_TO = 1900, 2200  # years: instruments may be old
MOST_ITEMS = 50  # of a list or an object, unless its field says otherwise
LONGEST_NAME = 200  # of a field that a caller names
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def rfc3339(moment: datetime) -> str:
    """Return an instant in UTC: `2026-03-06T10:00:00Z`, with a fraction of a second only if there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def amount(value: Decimal, currency: str) -> dict[str, str]:
    """Return money as answers outside quotes show it."""
    return {"amount": in_decimals(value, currency), "currency": currency}


def replaced_by(*names: str) -> dict[str, Any]:
    """Return the `style` of a field of an answer that stays for one version beside those that replace it. The
    description marks it as deprecated."""
    return {"replaced_by": names}


# Fields


class Text(serializers.CharField):
    """A field for a string, which is trimmed. Numbers are not accepted as strings."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(max_length=most, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class TextOrNull(serializers.CharField):
    """A field for a text in an answer; null if there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return str(value) or None


class Whole(serializers.IntegerField):
    """A field for a JSON integer; in a query, for an integer in digits."""

    def to_internal_value(self, data: Any) -> int:
        is_written = isinstance(data, str) and isinstance(self.root, Query)
        if type(data) is not int and not is_written:
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    """A field for a boolean: true or false. In a query 1 and 0 are accepted as well."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool and not isinstance(self.root, Query):
            self.fail("invalid", input=data)
        return bool(super().to_internal_value(data))


class Day(serializers.DateField):
    """A field for a date, `2026-03-06`."""

    default_error_messages = {"out-of-range": "too far away"}

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")
        if not DAYS_FROM <= day.year <= DAYS_TO:
            self.fail("out-of-range")
        return day


class Instant(serializers.DateTimeField):
    """A field for an instant. Requests give it by RFC 3339 with an offset; answers give it in UTC."""

    default_error_messages = {
        "naive-time": "no offset",
        "not-an-instant": "not an instant",
        "out-of-range": "too far away",
    }

    def to_internal_value(self, value: Any) -> datetime:
        match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail("not-an-instant")
        try:
            local = datetime.fromisoformat(f"{match[1]}T{match[2]}")
            if match[3] is None:
                self.fail("naive-time")
            if not EARLIEST_YEAR < local.year < LATEST_YEAR:
                self.fail("out-of-range")
            return datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3].upper()}").astimezone(UTC)
        except ValueError:
            self.fail("not-an-instant")

    def to_representation(self, value: Any) -> Any:
        return rfc3339(value) if isinstance(value, datetime) else value


class TimeOfDay(serializers.TimeField):
    """A field for a time of the day, `08:30`. 24:00 is accepted for midnight, like 00:00."""

    pattern = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **kwargs)

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str):
            self.fail("invalid", format="HH:MM")
        return super().to_internal_value("00:00" if value == "24:00" else value)


class WebAddress(Text):
    """A field for an http or https address."""

    pattern = r"^(https?://\S+)?$"

    default_error_messages = {"not-an-address": "not a web address"}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not text and self.allow_blank:
            return text
        try:
            parts = urlsplit(text)
            is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
            _ = parts.port
        except ValueError:
            is_address = False
        if not is_address or re.search(r"[\s<>\"\\^`{|}\x00-\x1f\x7f]", text):
            self.fail("not-an-address")
        return text


class Number(serializers.DecimalField):
    """A field for a decimal, given as a string or a number and answered as a plain string. An empty string is
    refused even where null is allowed: the framework would read it as null, and so as no limit."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if isinstance(data, str) and not data.strip():
            self.fail("invalid")
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, (str, int, float)):
            self.fail("invalid")
        if isinstance(data, str) and not re.fullmatch(r"-?\d{1,40}(\.\d{1,40})?", data, re.ASCII):
            self.fail("invalid")
        if isinstance(data, int):
            data = max(-(10**20), min(10**20, data))
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """A field that takes one of a fixed set of words."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class ListOf(serializers.ListField):
    """A field for a list of at most 50 items. Its length is checked before the items."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MOST_ITEMS} | kwargs)

    def run_child_validation(self, data: Any) -> Any:
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_child_validation(data)


class ObjectOf(serializers.DictField):
    """A field for an object with at most 50 names chosen by the caller. Their number is checked before the
    values."""

    default_error_messages = {"max_length": "too many", "name-too-long": "too long"}

    def __init__(self, max_length: int = MOST_ITEMS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length
        self.validators.append(MaxLengthValidator(max_length))  # the description reads it

    def run_child_validation(self, data: Any) -> Any:
        if len(data) > self.max_length:
            self.fail("max_length")
        if any(len(str(name)) > LONGEST_NAME for name in data):
            self.fail("name-too-long")
        return super().run_child_validation(data)


# Shapes


class Shape(serializers.Serializer[Any]):
    """The body of a request. A field that is not declared is refused, so that nobody believes it had an
    effect. A list of bodies (`many=True`) has at most 50 items unless it says otherwise."""

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        return super().many_init(*args, **{"max_length": MOST_ITEMS} | kwargs)

    def to_internal_value(self, data: Any) -> Any:
        problems: dict[str, Any] = {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            problems = dict(error.detail) if isinstance(error.detail, dict) else {}
        if isinstance(data, Mapping):
            unknown = (name for name in data if name not in self.fields)
            problems |= {
                str(name): [ErrorDetail(" ".join(self.fields), code="unknown-field")]
                for name in islice(unknown, MOST_UNKNOWN)
            }
        if problems:
            raise ValidationError(problems)
        return value


class Query(serializers.Serializer[Any]):
    """The query parameters of a request. `Endpoint` refuses unknown ones."""


class Amount(serializers.CharField):
    """A field for an amount in an answer, with at least the decimals of its currency, which stands beside
    it: `12.50`."""

    pattern = r"^-?\d+(\.\d+)?$"

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        """Take the name of the row's attribute that holds the currency, for a decimal of the row; empty if
        the row has none, and whoever renders it adds the decimals."""
        super().__init__(**kwargs)
        self.currency_of = attrgetter(currency) if currency else None

    def get_attribute(self, instance: Any) -> Any:
        value = super().get_attribute(instance)
        if self.currency_of is None or not isinstance(value, Decimal):
            return value
        return in_decimals(value, self.currency_of(instance))


class Money(serializers.Serializer[Any]):
    """An amount with its currency: `{"amount": "12.50", "currency": "CNY"}`."""

    amount = Amount()
    currency = serializers.CharField()

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        """Take the name of the row's attribute that holds the currency of this amount."""
        super().__init__(*args, **kwargs)
        self.currency_of = attrgetter(currency)

    def get_attribute(self, instance: Any) -> Any:
        value = super().get_attribute(instance)
        return amount(value, self.currency_of(instance)) if isinstance(value, Decimal) else value

    def to_representation(self, instance: Any) -> Any:
        return instance


def shown_by(show: Callable[[Any], Any], shape: Any) -> Any:
    """Return a field class that a function renders and that the API describes as the shape."""

    class Shown(serializers.Field[Any, Any, Any, Any]):
        def to_representation(self, value: Any) -> Any:
            return show(value)

    return extend_schema_field(shape)(Shown)


class Nothing(Shape):
    """A body without fields."""


class ReasonBody(Shape):
    """The reason for an act on a row."""

    reason = Text(500, default="", allow_blank=True, help_text="Required from managers.")


def checked(shape: type[Shape], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """Return the typed values of a body. Raise `Invalid` with everything that is wrong with it."""
    # `null` is no object; the framework would call it a missing field.
    return _checked(_template(shape, partial), [] if data is None else data)


def names_of(query: type[Query]) -> Collection[str]:
    """Return the names of the parameters of a query."""
    return tuple(_template(query).fields)


def query_values(query: type[Query], params: Any) -> dict[str, Any]:
    """Return the typed values of a query; an empty value counts as not given. A list is given by repeating
    its name."""
    template = _template(query)
    lists = [n for n, f in template.fields.items() if isinstance(f, serializers.ListField)]
    given = params.dict() | {name: list(filter(None, params.getlist(name))) for name in lists}
    return _checked(template, {k: v for k, v in given.items() if v not in ("", [])})


@cache
def _template(shape: type[serializers.Serializer[Any]], partial: bool = False) -> Any:
    # Making one copies all its fields; checking keeps nothing in it.
    return shape(partial=partial)


def _checked(template: serializers.Serializer[Any], data: Any) -> dict[str, Any]:
    try:
        return dict(template.run_validation(data))
    except ValidationError as error:
        raise Invalid(list(_problems(template, error.detail, ""))) from None


def object_of(data: Any) -> dict[str, Any]:
    """Return a body whose fields a rule reads itself; raise `Invalid` if it is not an object."""
    if not isinstance(data, dict):
        raise Invalid([FieldProblem("", "not-an-object")])
    return dict(data)


def _problems(field: Any, errors: Any, path: str) -> Iterator[FieldProblem]:
    """Yield the problems that a serializer reports for a field and, recursively, for the fields in it."""
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            if key == api_settings.NON_FIELD_ERRORS_KEY:
                yield from _problems(field, inner, path)
            elif isinstance(key, int):
                yield from _problems(getattr(field, "child", None), inner, f"{path}[{key}]")
            else:
                child = getattr(field, "fields", {}).get(key, getattr(field, "child", None))
                yield from _problems(child, inner, f"{path}.{key}" if path else str(key))
    else:
        for detail in errors:
            yield _problem(field, detail, path)


# What the framework calls a problem -> what we call it.
_CODES = {
    "null": "required",
    "blank": "required",
    "empty": "required",
    "invalid_choice": "unknown-value",
    "not_a_list": "not-a-list",
    "not_a_dict": "not-an-object",
    "null_characters_not_allowed": "bad-character",
    "surrogate_characters_not_allowed": "bad-character",
    "max_decimal_places": "too-many-decimals",
    "max_digits": "out-of-range",
    "max_whole_digits": "out-of-range",
    "max_string_length": "out-of-range",
    "overflow": "not-an-instant",
}
# What has not the shape of its field.
_INVALID: tuple[tuple[type[Any], str], ...] = (
    (serializers.BooleanField, "not-a-boolean"),
    (serializers.IntegerField, "not-an-integer"),
    (serializers.DecimalField, "not-a-decimal"),
    (serializers.DateTimeField, "not-an-instant"),
    (serializers.DateField, "not-a-date"),
    (serializers.TimeField, "not-a-time"),
    (serializers.UUIDField, "not-an-id"),
    (serializers.EmailField, "not-a-mail-address"),
    (serializers.CharField, "not-a-text"),
    (serializers.BaseSerializer, "not-an-object"),
)


_LISTS = (serializers.ListField, serializers.ListSerializer, serializers.DictField)


def _problem(field: Any, detail: ErrorDetail, path: str) -> FieldProblem:
    code, numbers = str(detail.code), dict[str, str | int]()
    if code == "invalid":
        code = next((ours for kind, ours in _INVALID if isinstance(field, kind)), code)
    elif code == "max_length":
        code = "too-many" if isinstance(field, _LISTS) else "too-long"
        numbers = {"most": field.max_length}
    elif code == "name-too-long":
        code, numbers = "too-long", {"most": LONGEST_NAME}
    elif code in {"min_value", "max_value"}:
        code = "out-of-range"
    elif code == "unknown-field":
        return FieldProblem(path, code, known=tuple(detail.split()))
    code = _CODES.get(code, code)
    if code == "not-an-object" and (fields := getattr(field, "fields", None)):
        numbers = {"fields": ", ".join(fields)}
    if code == "too-many-decimals":
        numbers = {"decimals": field.decimal_places}
    elif code == "out-of-range":
        numbers = _range_of(field)
    return FieldProblem(path, code, numbers)


def _range_of(field: Any) -> dict[str, str | int]:
    if isinstance(field, Instant):
        return {"least": EARLIEST_YEAR + 1, "most": LATEST_YEAR - 1}
    if isinstance(field, Day):
        return {"least": DAYS_FROM, "most": DAYS_TO}
    least, most = getattr(field, "min_value", None), getattr(field, "max_value", None)
    return {"least": "–" if least is None else _plain(least), "most": "–" if most is None else _plain(most)}


def _plain(number: Any) -> str | int:
    return number if isinstance(number, int) else str(number)
