"""Questionnaires: their fields, and the answers that are valid for them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid
from bookings.record.domain.money import format_number

BEFORE, AFTER, BOOKING = MOMENTS = ("before", "after", "booking")
KINDS = ("text", "number", "yes_no", "choice", "date", "meter", "file")
# The states of a booking in which answers are taken on their own.
ANSWERABLE: Mapping[str, tuple[str, ...]] = {
    BEFORE: ("confirmed",),
    AFTER: ("completed",),
    BOOKING: ("requested", "confirmed"),
}
# At booking nobody is at the instrument to read a meter, and there is no booking yet that a file belongs to.
KINDS_AT_BOOKING = ("text", "number", "yes_no", "choice", "date")
MOST_FIELDS = 30
MOST_CHOICES = 20
MOST_FILES = 2  # so that one request can send them all
LONGEST_LABEL = 200
LONGEST_ANSWER = 2000
LONGEST_UNIT = 20
DECIMALS = 4
LONGEST_NUMBER = 30  # characters as typed
MOST_NUMBER = Decimal(10) ** 12
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from."""

    value: str
    label: str = ""
    label_zh: str = ""


@dataclass(frozen=True)
class Field:
    """One question. `unit`, `low` and `high` belong to a number, `choices` to a choice, `meter` to a meter
    reading."""

    key: str
    kind: str
    label: str = ""
    label_zh: str = ""
    required: bool = False
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[Choice, ...] = ()
    meter: UUID | None = None


_NAMES = (
    "key", "kind", "label", "label_zh", "required", "unit", "low", "high", "choices", "meter",
)  # fmt: skip


def kinds_at(moment: str) -> tuple[str, ...]:
    """Return the kinds of questions that can be asked at a moment."""
    return KINDS_AT_BOOKING if moment == BOOKING else KINDS


def parse_fields(
    given: object, meters: Sequence[UUID] = (), kinds: Sequence[str] = KINDS
) -> tuple[Field, ...]:
    """Read the fields of a questionnaire from the JSON of the API. Raises `Invalid` naming each place that is
    wrong; a meter must be one of `meters`, a kind one of `kinds`."""
    if not isinstance(given, list):
        raise Invalid([FieldProblem("questions", "not-a-list")])
    if len(given) > MOST_FIELDS:
        raise Invalid([FieldProblem("questions", "too-many", {"most": MOST_FIELDS})])
    problems: list[FieldProblem] = []
    fields = [_field(f"questions[{n}]", item, meters, kinds, problems) for n, item in enumerate(given)]
    for name in ("key", "meter"):  # two readings of a meter at once could contradict each other
        values = [getattr(field, name) for field in fields]
        problems += [
            FieldProblem(f"questions[{n}].{name}", "repeated")
            for n, value in enumerate(values)
            if value and value in values[:n]
        ]
    files = [n for n, field in enumerate(fields) if field.kind == "file"]
    problems += [
        FieldProblem(f"questions[{n}].kind", "too-many", {"most": MOST_FILES}) for n in files[MOST_FILES:]
    ]
    if problems:
        raise Invalid(problems)
    return tuple(fields)


def _field(
    path: str, given: object, meters: Sequence[UUID], kinds: Sequence[str], problems: list[FieldProblem]
) -> Field:
    if not isinstance(given, Mapping):
        problems.append(FieldProblem(path, "not-an-object"))
        return Field("", "text")
    problems += [FieldProblem(f"{path}.{k}", "unknown-field") for k in given if k not in _NAMES]
    key, kind = given.get("key"), given.get("kind")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        problems.append(FieldProblem(f"{path}.key", "not-a-code"))
        key = ""
    if kind not in kinds:
        numbers: dict[str, str | int] = {"allowed": ", ".join(kinds)}
        problems.append(FieldProblem(f"{path}.kind", "unknown-choice", numbers))
        kind = "text"
    kind = str(kind)
    label = _text(f"{path}.label", given.get("label"), LONGEST_LABEL, problems)
    label_zh = _text(f"{path}.label_zh", given.get("label_zh"), LONGEST_LABEL, problems)
    if not (label or label_zh):
        problems.append(FieldProblem(f"{path}.label", "required"))
    required = given.get("required", False)
    if not isinstance(required, bool):
        problems.append(FieldProblem(f"{path}.required", "not-a-boolean"))
    low, high = (
        _bound(f"{path}.{name}", given.get(name), problems) if kind == "number" else None
        for name in ("low", "high")
    )
    if low is not None and high is not None and low > high:
        problems.append(FieldProblem(f"{path}.high", "maximum-below-minimum"))
    unit = _text(f"{path}.unit", given.get("unit"), LONGEST_UNIT, problems)
    meter: UUID | None = None
    choices: tuple[Choice, ...] = ()
    if kind == "meter":
        meter = _meter(f"{path}.meter", given.get("meter"), meters, problems)
    elif kind == "choice":
        choices = _choices(f"{path}.choices", given.get("choices"), problems)
    unit = unit if kind == "number" else ""
    return Field(key, kind, label, label_zh, required is True, unit, low, high, choices, meter)


def _text(path: str, given: object, most: int, problems: list[FieldProblem]) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or "\x00" in given:
        problems.append(FieldProblem(path, "not-a-text"))
        return ""
    if len(given.strip()) > most:
        problems.append(FieldProblem(path, "too-long", {"most": most}))
    return given.strip()


def _bound(path: str, given: object, problems: list[FieldProblem]) -> Decimal | None:
    if given is None or given == "":
        return None
    number = as_number(given)
    if number is None:
        problems.append(FieldProblem(path, "not-a-decimal"))
    return number


def _choices(path: str, given: object, problems: list[FieldProblem]) -> tuple[Choice, ...]:
    if not isinstance(given, list) or not given:
        problems.append(FieldProblem(path, "required"))
        return ()
    if len(given) > MOST_CHOICES:
        problems.append(FieldProblem(path, "too-many", {"most": MOST_CHOICES}))
        return ()
    choices: list[Choice] = []
    for n, each in enumerate(given):
        item = {"value": each} if isinstance(each, str) else each
        if not isinstance(item, Mapping):
            problems.append(FieldProblem(f"{path}[{n}]", "not-an-object"))
            continue
        value, label, label_zh = (
            _text(f"{path}[{n}].{name}", item.get(name), LONGEST_LABEL, problems)
            for name in ("value", "label", "label_zh")
        )
        if not value:
            problems.append(FieldProblem(f"{path}[{n}].value", "required"))
        elif value in {choice.value for choice in choices}:
            problems.append(FieldProblem(f"{path}[{n}].value", "repeated"))
        choices.append(Choice(value, label, label_zh))
    return tuple(choices)


def _meter(path: str, given: object, meters: Sequence[UUID], problems: list[FieldProblem]) -> UUID | None:
    named = next((meter for meter in meters if str(meter) == str(given)), None)
    if named is None:
        problems.append(FieldProblem(path, "unknown-value" if given else "required"))
    return named


def fields_to_json(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Return fields in the shape of the API; values that say nothing are left out."""
    written = []
    for field in fields:
        values: dict[str, Any] = {
            "key": field.key,
            "kind": field.kind,
            "label": field.label,
            "label_zh": field.label_zh,
            "required": field.required,
        }
        if field.unit:
            values["unit"] = field.unit
        for name in ("low", "high"):
            if (bound := getattr(field, name)) is not None:
                values[name] = format_number(bound)
        if field.choices:
            values["choices"] = [
                {"value": c.value, "label": c.label, "label_zh": c.label_zh} for c in field.choices
            ]
        if field.meter:
            values["meter"] = str(field.meter)
        written.append(values)
    return written


def as_number(given: object) -> Decimal | None:
    """Read a number of at most twelve digits and four decimals; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        return None
    text = str(given).strip()
    if len(text) > LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent  # a letter for numbers that are not finite
    # `0e-999999999` would be written with a billion digits.
    if not isinstance(exponent, int) or abs(exponent) > LONGEST_NUMBER:
        return None
    if abs(number) >= MOST_NUMBER:
        return None
    return number if round(number, DECIMALS) == number else None


def check_answers(fields: Sequence[Field], given: object) -> dict[str, Any]:
    """Return the answers by key as they are stored: texts, booleans for yes or no, and for a file the id of
    its upload; unanswered questions are left out. Raises `Invalid` naming each field that is wrong
    (`answers.<key>`) or required and empty."""
    if not isinstance(given, Mapping):
        raise Invalid([FieldProblem("answers", "not-an-object")])
    by_key = {field.key: field for field in fields}
    problems = [FieldProblem(f"answers.{key}"[:200], "unknown-field") for key in given if key not in by_key]
    answers: dict[str, Any] = {}
    for field in fields:
        value = given.get(field.key)
        if value is None or (isinstance(value, str) and not value.strip()):
            if field.required:
                problems.append(FieldProblem(f"answers.{field.key}", "required"))
            continue
        try:
            answers[field.key] = _ANSWERS[field.kind](field, value)
        except _Wrong as wrong:
            problems.append(FieldProblem(f"answers.{field.key}", wrong.code, wrong.numbers))
    if problems:
        raise Invalid(problems)
    return answers


class _Wrong(Exception):
    """A value is not a valid answer to its question."""

    def __init__(self, code: str, **numbers: str | int) -> None:
        self.code, self.numbers = code, numbers


def _yes_no(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("not-a-boolean")
    return value


def _choice(field: Field, value: object) -> str:
    allowed = [choice.value for choice in field.choices]
    if value not in allowed:
        raise _Wrong("unknown-choice", allowed=", ".join(allowed))
    return str(value)


def _date(field: Field, value: object) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise _Wrong("not-a-date") from None


def _file(field: Field, value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise _Wrong("unknown-value") from None


def _words(field: Field, value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise _Wrong("not-a-text")
    if len(value) > LONGEST_ANSWER:
        raise _Wrong("too-long", most=LONGEST_ANSWER)
    return value.strip()


def _number(field: Field, value: object) -> str:
    number = as_number(value)
    if number is None:
        raise _Wrong("not-a-decimal")
    if field.low is not None and number < field.low:
        raise _Wrong("too-small", least=format_number(field.low))
    if field.high is not None and number > field.high:
        raise _Wrong("too-large", most=format_number(field.high))
    return format_number(number)


# The kind of a question, and the function that gives the stored form of its answer.
_ANSWERS: Mapping[str, Callable[[Field, object], str | bool]] = {
    "yes_no": _yes_no,
    "choice": _choice,
    "date": _date,
    "number": _number,
    "meter": _number,
    "file": _file,
    "text": _words,
}


def load_fields(stored: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    """Return the fields of a stored questionnaire, which were checked when it was set."""
    return parse_fields(stored, [UUID(field["meter"]) for field in stored if "meter" in field])
