"""Describe what instruments can do in numbers: parameters and units, stated and required values, whether one
meets the other, and how both are read from text in English and Chinese.

A value is stored in the unit of its parameter. A requirement says how far down an instrument must reach if
small values are better (a resolution), how far up if large ones are (a force), and either or both for a range
(a temperature).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from functools import cached_property
from typing import Literal

from accounts.domain.errors import FieldProblem, Invalid, invalid
from instruments.vocabulary.domain.techniques import above
from instruments.vocabulary.domain.words import nearest

DOWN, UP, RANGE = "down", "up", "range"
MEETS, UNKNOWN, FAILS = "meets", "unknown", "fails"
type Fit = Literal["meets", "unknown", "fails"]

LONGEST_TEXT, LONGEST_CONDITION = 4000, 200
MOST_REQUIREMENTS, LONGEST_SPEC = 10, 200
LARGEST, DECIMALS = Decimal(10) ** 12, 15  # stored values are smaller than this and rounded to these decimals
_SHOWN = Context(prec=9)
_PLAIN_NUMBER = re.compile(r"[-+]?\d{1,40}(\.\d{1,40})?(e[-+]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_WORST_FIRST: tuple[Fit, ...] = ("fails", "unknown", "meets")
_NEAR, _NEAR_WITHOUT_UNIT = 40, 12  # characters between the name of a parameter and its figure


@dataclass(frozen=True)
class Parameter:
    """A quantity by which instruments are compared.

    `unit` is that of stored values; a value in another of `units` x factor + offset is the value in `unit`.
    `bare_units` mean this parameter in a text that names none. `techniques` are codes: instruments with these
    or narrower ones should state it.
    """

    code: str
    name: str
    name_zh: str
    unit: str
    direction: str
    units: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    synonyms: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    bare_units: tuple[str, ...] = ()
    source: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.name, self.name_zh, *self.synonyms, *self.synonyms_zh)

    @property
    def sides(self) -> tuple[str, ...]:
        """Return the sides that a requirement of this parameter can have: `low` (how far down), `high` (how
        far up)."""
        return {DOWN: ("low",), UP: ("high",)}.get(self.direction, ("low", "high"))

    @property
    def all_units(self) -> tuple[str, ...]:
        """Return the unit of stored values, then the others from small to large."""
        return (self.unit, *sorted(self.units, key=lambda unit: self.units[unit][0]))

    def unit_of(self, text: str) -> str | None:
        """Return the unit of this parameter that a text means; None if it is not one of them."""
        spelt = _unit_spelt(text)
        for sign in (spelt, "°C") if spelt == "°" else (spelt,):
            for key in (_exact, _without_case):
                for unit in self.all_units:
                    if key(_plain(unit)) == key(sign):
                        return unit
        return None

    def stored(self, value: Decimal, unit: str) -> Decimal:
        """Return a value, given in one of the units, in the unit of stored values, rounded like these."""
        factor, offset = self.units.get(unit, (Decimal(1), Decimal(0)))
        value = value * factor + offset
        return round(value, DECIMALS) if fits_column(value) else value

    def shown(self, value: Decimal, unit: str) -> Decimal:
        """Return a stored value in one of the units, to nine digits, without trailing zeros."""
        factor, offset = self.units.get(unit, (Decimal(1), Decimal(0)))
        return Decimal(f"{_SHOWN.divide(value - offset, factor).normalize():f}")


@dataclass(frozen=True)
class Requirement:
    """A requirement: an instrument must reach down to `low` and up to `high` of a parameter (by code), in its
    unit. None: that side is not required; without either, the instrument only must have it. `condition`: as
    "at 1 kV" of "1 nm at 1 kV"; an instrument that states the parameter under it is judged by that alone."""

    parameter: str
    low: Decimal | None = None
    high: Decimal | None = None
    condition: str = ""


@dataclass(frozen=True)
class Stated:
    """A stated capability of an instrument, in the parameter's unit, under a condition. None: that side is
    not stated. `is_available` is false if the instrument does not have it at all."""

    parameter: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    condition: str = ""
    is_available: bool = True


def fit(requirement: Requirement, stated: Iterable[Stated]) -> Fit:
    """Judge a requirement by an instrument's stated capabilities: `meets`, `fails`, or `unknown` if nothing
    is stated of the parameter, or not the side that is needed. Each condition is judged by itself, and the
    best one counts."""
    of = [one for one in stated if one.parameter == requirement.parameter]
    under = [one for one in of if requirement.condition and one.condition == requirement.condition]
    return max((_fit(requirement, one) for one in under or of), key=_WORST_FIRST.index, default="unknown")


def _fit(requirement: Requirement, stated: Stated) -> Fit:
    if not stated.is_available:
        return "fails"
    sides: list[Fit] = ["meets"]
    if (low := requirement.low) is not None:
        least = stated.minimum
        sides.append("unknown" if least is None else "meets" if least <= low else "fails")
    if (high := requirement.high) is not None:
        most = stated.maximum
        sides.append("unknown" if most is None else "meets" if most >= high else "fails")
    return min(sides, key=_WORST_FIRST.index)


def requirement_of(
    code: str, low: Decimal | None, high: Decimal | None, parameters: "Parameters"
) -> Requirement:
    """Return a requirement of a parameter, in its unit, rounded like stored values. `Invalid`:
    unknown-parameter, no-such-parameter (with the nearest), required, too-large, below-low."""
    parameter = parameters.get(code)
    if parameter is None:
        if near := parameters.nearest(code):
            raise invalid("parameter", "no-such-parameter", nearest=near)
        raise invalid("parameter", "unknown-parameter", parameter=code[:60])
    if low is None and high is None:
        raise invalid("high" if parameter.direction == UP else "low", "required")
    if not all(side is None or fits_column(side) for side in (low, high)):
        raise invalid("", "too-large", most=f"{LARGEST:f} {parameter.unit}".strip())
    if low is not None and high is not None and parameter.direction == RANGE and low > high:
        raise invalid("high", "below-low")
    low, high = (None if side is None else round(side, DECIMALS) for side in (low, high))
    return Requirement(code, low, high)


def requirements_of(specs: Sequence[str], parameters: "Parameters") -> tuple[Requirement, ...]:
    """Read requirements from texts in addresses: `CODE:LOW:HIGH`, in the parameter's unit, a side that is not
    required left empty. `Invalid` names the first wrong one: too-many, not-a-requirement, not-a-decimal,
    repeated, and those of `requirement_of`."""
    if len(specs) > MOST_REQUIREMENTS:
        raise invalid("spec", "too-many", most=MOST_REQUIREMENTS)
    result: dict[str, Requirement] = {}
    for n, spec in enumerate(specs):
        code, low, high = spec_parts(spec)
        try:
            if spec.count(":") != 2 or len(spec) > LONGEST_SPEC:
                raise invalid("", "not-a-requirement")
            if code in result:
                raise invalid("", "repeated")
            result[code] = requirement_of(code, _side(low), _side(high), parameters)
        except Invalid as refused:
            problem = refused.problems[0]
            raise Invalid([FieldProblem(f"spec[{n}]", problem.code, problem.numbers)]) from None
    return tuple(result.values())


def spec_parts(spec: str) -> tuple[str, str, str]:
    """Split a requirement written as `CODE:LOW:HIGH` into its three texts."""
    code, low, high, *_ = (part.strip() for part in f"{spec}::".split(":"))
    return code, low, high


def spec_in(code: str, low: str, high: str, unit: str, parameters: "Parameters") -> str:
    """Return `CODE:LOW:HIGH` in the unit of stored values, from texts in one of the parameter's units. A side
    that is not a number stays as it is."""
    parameter = parameters.get(code)

    def side(text: str) -> str:
        if parameter is None or not _PLAIN_NUMBER.fullmatch(text.strip()):
            return text
        value = parameter.stored(Decimal(text.strip()), unit)
        return _written(value) if fits_column(value) else text

    return f"{code}:{side(low)}:{side(high)}"


def spec_of(requirement: Requirement) -> str:
    """Return a requirement as `CODE:LOW:HIGH`, which `requirements_of` reads."""
    sides = ("" if s is None else _written(s) for s in (requirement.low, requirement.high))
    return ":".join((requirement.parameter, *sides))


def required_from(spec: str) -> Requirement:
    """Return the requirement that `spec_of` wrote, without checking it."""
    code, low, high = spec_parts(spec)
    return Requirement(code, Decimal(low) if low else None, Decimal(high) if high else None)


def _side(text: str) -> Decimal | None:
    if text and not _PLAIN_NUMBER.fullmatch(text):
        raise invalid("", "not-a-decimal")
    return Decimal(text) if text else None


def _written(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TINY = Decimal("0.0001")


def readable(value: Decimal, style: str = ",f") -> str:
    """Return a number as people read it, in a style of format(): `1,200`, `0.05`; nearer to 0 than a ten
    thousandth as a power of ten: `5×10⁻⁸`."""
    value = value.normalize()
    if not value or abs(value) >= _TINY:
        return format(value, style)
    power = value.adjusted()
    return f"{value.scaleb(-power):f}×10{str(power).translate(_RAISED)}"


def stated_of(
    parameter: Parameter,
    *,
    minimum: Decimal | None = None,
    maximum: Decimal | None = None,
    unit: str = "",
    condition: str = "",
    is_available: bool = True,
) -> tuple[Stated, str]:
    """Return a capability stated in one of the parameter's units, and the proper spelling of that unit;
    without a unit, values are in that of stored values. `Invalid`: unknown-unit, required, too-large,
    maximum-below-minimum, none-without-values."""
    spelt = parameter.unit_of(unit) if unit.strip() else parameter.unit
    if spelt is None:
        allowed = ", ".join(filter(None, parameter.all_units)) or "–"
        raise invalid("unit", "unknown-unit", allowed=allowed)
    sides: list[Decimal | None] = []
    for name, value in (("minimum", minimum), ("maximum", maximum)):
        if value is not None and not fits_column(parameter.stored(value, spelt)):
            raise invalid(name, "too-large", most=f"{LARGEST:f} {parameter.unit}".strip())
        sides.append(None if value is None else parameter.stored(value, spelt))
    low, high = sides
    if not is_available and (low is not None or high is not None):
        raise invalid("minimum", "none-without-values")
    if is_available and low is None and high is None:
        raise invalid("minimum", "required")
    if low is not None and high is not None and low > high:
        raise invalid("maximum", "maximum-below-minimum")
    return Stated(parameter.code, low, high, " ".join(condition.split()), is_available), spelt


@dataclass(frozen=True)
class RequirementRead:
    """A requirement read from a text: the `words` that state it, and the unit they use."""

    requirement: Requirement
    words: str
    unit: str


@dataclass(frozen=True)
class StatedRead:
    """A capability read from a text: the `words` that state it, and the unit they use."""

    stated: Stated
    words: str
    unit: str


class Parameters(dict[str, Parameter]):
    """All parameters by code, the vocabulary with which texts are read."""

    @cached_property
    def by_label(self) -> dict[str, list[Parameter]]:
        labels: dict[str, list[Parameter]] = {}
        for parameter in self.values():
            for label in parameter.labels:
                rows = labels.setdefault(_plain(label).lower(), [])
                if parameter not in rows:
                    rows.append(parameter)
        return labels

    @cached_property
    def by_bare_unit(self) -> dict[str, Parameter]:
        return {
            _exact(_plain(unit)): parameter for parameter in self.values() for unit in parameter.bare_units
        }

    @cached_property
    def labels(self) -> re.Pattern[str]:
        words = [_word(re.escape(label)) for label in sorted(self.by_label, key=len, reverse=True)]
        return re.compile("|".join(words) or "(?!)", re.IGNORECASE)

    @cached_property
    def figures(self) -> re.Pattern[str]:
        units = {_plain(unit) for row in self.values() for unit in row.all_units if unit}
        units |= {"u" + unit[1:] for unit in units if unit[0] == "μ"}
        units |= {name + unit for name in ("", *_PREFIXES) for unit in _UNIT_WORDS}
        one = "|".join(
            re.escape(unit).replace(r"\^", r"\^?").replace(r"\-", "[-\u2212]").replace("·", "·?")
            + ("(?![A-Za-z])" if unit[-1:].isascii() and unit[-1:].isalpha() else "")
            for unit in sorted(units, key=len, reverse=True)
        )
        return re.compile(_FIGURE.replace("UNIT", one or "(?!)"), re.IGNORECASE)

    def named(self, text: str) -> Parameter | None:
        """Return the parameter that a text names, by its code or by a label that no other has; None
        otherwise."""
        if row := self.get(text.strip()):
            return row
        rows = self.by_label.get(_plain(text.strip()).lower(), [])
        return rows[0] if len(rows) == 1 else None

    def nearest(self, text: str) -> str | None:
        """Return the code of the parameter that was most likely meant by a text which names none; None if
        nothing is near."""
        words = {word: rows[0].code for word, rows in self.by_label.items()}
        words |= {code.replace("_", " "): code for code in self}
        plain = _plain(text.strip()).lower().replace("_", " ")[:200]
        if len(plain) < 3:
            return None
        near = nearest(plain, ((word, 1) for word in words if len(word) >= 3))
        if near is None:
            inside = [word for word in words if plain in word]
            near = min(inside, key=lambda word: (len(word), word), default=None)
        return words[near] if near else None

    def asked_for(self, techniques: Collection[str], parents: Mapping[str, Iterable[str]]) -> list[Parameter]:
        """Return the parameters that instruments with these techniques should state; `parents`: technique ->
        broader ones."""
        codes = {code for one in techniques for code in (one, *above(one, parents))}
        return [row for row in self.values() if codes & set(row.techniques)]


def requirements_in(text: str, parameters: Parameters) -> list[RequirementRead]:
    """Read the requirements in a text, in order: "resolution 2 nm", "at least 300 kV", "-20 to 80 °C" or
    "分辨率优于 2 nm". If a parameter occurs twice, the first counts."""
    result: dict[str, RequirementRead] = {}
    text = text[:LONGEST_TEXT]
    before: tuple[str, int] | None = None  # the parameter of the figure before, and where that ends
    for figure in _figures(text, parameters):
        row = figure.parameter
        is_past = _BEFOREHAND.search(text[: figure.end]) or _TREATED.match(text[figure.end :])
        if is_past and not figure.is_named:
            continue
        low, high = figure.low, figure.high
        if row.direction == DOWN:
            high = None
        elif row.direction == UP:
            low = None
        if before and figure.is_single and _AT.fullmatch(text[before[1] : figure.start]):
            told = result[before[0]]
            under = replace(told.requirement, condition=f"at {figure.figure}")
            result[before[0]] = replace(told, requirement=under)
        before = (row.code, figure.end) if row.code not in result else None
        result.setdefault(
            row.code, RequirementRead(Requirement(row.code, low, high), figure.words, figure.unit)
        )
    return list(result.values())


def fitted(read: RequirementRead, techniques: Collection[str], parameters: Parameters) -> RequirementRead:
    """Return a requirement that was read by its unit alone as one of the parameter with that unit which is
    stated of some techniques: "1.1 GHz NMR" asks for the frequency of protons. The same one if there is no
    such parameter, or more than one. `techniques` are codes, broader ones included."""
    row = parameters[read.requirement.parameter]
    is_named = parameters.labels.search(_plain(read.words))
    if is_named or not techniques or not {*row.techniques}.isdisjoint(techniques):
        return read
    others = [
        (other, unit)
        for other in parameters.values()
        if not {*other.techniques}.isdisjoint(techniques) and (unit := other.unit_of(read.unit))
    ]
    if len(others) != 1:
        return read
    other, unit = others[0]
    low, high = (
        None if side is None else other.stored(row.shown(side, read.unit), unit)
        for side in (read.requirement.low, read.requirement.high)
    )
    asked = Requirement(
        other.code,
        None if other.direction == UP else low,
        None if other.direction == DOWN else high,
        read.requirement.condition,
    )
    return RequirementRead(asked, read.words, unit)


def statements_in(text: str, parameters: Parameters) -> tuple[list[StatedRead], list[str]]:
    """Read the capabilities that a text states, "resolution 1 nm at 15 kV; voltage 5-30 kV"; also return the
    pieces that state nothing, or the same a second time. A piece that names no parameter belongs to that of
    the piece before: "1 nm at 15 kV, 1.4 nm at 1 kV"."""
    result: dict[tuple[str, str], StatedRead] = {}
    last: Parameter | None = None
    rest: list[str] = []
    for piece in filter(None, map(str.strip, _PIECES.split(text[:LONGEST_TEXT]))):
        figures = [f for f in _figures(piece, parameters, last) if f.is_named]
        read = _stated(piece, figures[0]) if figures else None
        last = figures[0].parameter if figures else last
        key = (read.stated.parameter, read.stated.condition) if read else None
        if read is None or key is None or key in result:
            rest.append(piece)
        else:
            result[key] = read
    return list(result.values()), rest


def _stated(piece: str, figure: "_Figure") -> StatedRead:
    row = figure.parameter
    low, high = figure.low, figure.high
    if figure.is_single:
        # "200 kV" alone says how far up the instrument reaches, "2 nm" how far down.
        low, high = (low, None) if row.direction == DOWN else (None, high)
    condition = piece[figure.end :].strip(" ,，()（）[]@\t")[:LONGEST_CONDITION]
    return StatedRead(Stated(row.code, low, high, condition), piece[: figure.end].strip(), figure.unit)


def written(parameter: Parameter, stated: Stated, unit: str) -> str:
    """Write a capability in words that `statements_in` reads as the same. Return an empty text if that is
    impossible: it is not available, or its condition has several pieces."""
    low, high = (
        None if side is None else f"{parameter.shown(side, unit):f}"
        for side in (stated.minimum, stated.maximum)
    )
    if (low is None and high is None) or _PIECES.search(stated.condition):
        return ""
    if low is not None and high is not None:
        values = f"{low} to {high}"
    elif low is not None:
        values = low if parameter.direction == DOWN else f"down to {low}"
    else:
        values = f"{high}" if parameter.direction == UP else f"up to {high}"
    condition = f" ({stated.condition})" if stated.condition else ""
    return f"{parameter.name} {values} {unit}".strip() + condition


@dataclass(frozen=True)
class _Figure:
    """A number or range in a text, with its parameter. `low` and `high` are in the parameter's unit, `unit`
    is the one in the text, `figure` the first number with it; `is_single`: one number stands for both."""

    parameter: Parameter
    low: Decimal | None
    high: Decimal | None
    unit: str
    words: str
    start: int
    end: int
    figure: str
    is_named: bool
    is_single: bool


def _figures(text: str, parameters: Parameters, last: Parameter | None = None) -> Iterator[_Figure]:
    """Yield the figures of a text that belong to a parameter, in order. Their words include the parameter's
    name if it is near. A figure without a name belongs to `last`, if it has a unit of that, or to the
    parameter of its bare unit."""
    plain, origins = _with_origins(_DEGREES.sub(lambda degrees: f"{degrees[0][:-1]}℃", text))
    names = [
        (match.start(), match.end(), row)
        for match in parameters.labels.finditer(plain)
        for row in parameters.by_label[match[0].lower()]
    ]
    for match in parameters.figures.finditer(plain):
        spelt = match["unit2"] or match["unit1"] or ""
        if spelt == _MEGA and not _OF_MAGNETS.match(plain, match.end()):
            continue
        near = []
        for start, end, row in names:
            unit = row.unit_of(spelt)
            gap = max(match.start() - end, start - match.end(), 0)
            between = plain[min(end, match.end()) : max(start, match.start())]
            far = _NEAR if spelt else _NEAR_WITHOUT_UNIT
            if unit is not None and gap <= far and not _STOP.search(between):
                near.append((gap, start > match.start(), start, end, row, unit))
        if near:
            _, _, start, end, row, unit = min(near, key=lambda one: one[:3])
            start, end = min(start, match.start()), max(end, match.end())
        else:
            bare = last or parameters.by_bare_unit.get(_exact(_unit_spelt(spelt)))
            if bare is None and _BETTER.match(match["before"] or ""):
                bare = parameters.get(_RESOLUTION)
            unit_or_none = bare.unit_of(spelt) if bare and spelt else None
            if bare is None or unit_or_none is None:
                continue
            row, unit, start, end = bare, unit_or_none, match.start(), match.end()
        sides = _sides(match, row, unit)
        if sides is None:
            continue
        low, high = sides
        yield _Figure(
            row,
            low,
            high,
            unit,
            text[origins[start] : origins[end - 1] + 1].strip(),
            origins[match.start()],
            origins[match.end() - 1] + 1,
            f"{match['one']} {unit}",
            bool(near) or row is last,
            match["other"] is None and match["both"] is None and low == high,
        )


def _sides(match: re.Match[str], row: Parameter, unit: str) -> tuple[Decimal | None, Decimal | None] | None:
    """Return the low and high value of a matched figure, in the parameter's unit; None if a value is too
    large to store."""
    first = _number(match["one"])
    second = _number(match["other"]) if match["other"] else None
    unit1 = row.unit_of(match["unit1"]) if match["unit1"] else unit
    if unit1 is None:
        return None
    values = [row.stored(first, unit1)]
    if second is not None:
        values.append(row.stored(second, unit))
    elif match["both"]:
        values.append(row.stored(-first, unit))
    if not all(fits_column(value) for value in values):
        return None
    low, high = min(values), max(values)
    if len(values) == 1 and row.direction == RANGE:
        words = f"{match['before'] or ''}{match['after'] or ''}".strip().lower()
        if _UPWARDS.search(words):
            return None, high
        if _DOWNWARDS.search(words):
            return low, None
    return low, high


def fits_column(value: Decimal) -> bool:
    """Say whether a value in its parameter's unit can be stored."""
    return value.is_finite() and abs(value) < LARGEST


_TIMES = {
    "thousand": 3, "million": 6, "billion": 9, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8,
}  # fmt: skip
_ONES = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "twenty": 20, "fifty": 50,
    "a hundred": 100, "one hundred": 100, "一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6,
    "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_MANY = "|".join(sorted(_TIMES, key=len, reverse=True))
_SAID = "|".join(sorted(_ONES, key=len, reverse=True))
_NUMBER = (
    r"(?:[-+\u2212]?\d{1,15}(?:,\d{3})*(?:\.\d{1,15})?"
    r"(?:e[-+]?\d{1,2}|\s?[x×*]\s?10\^?[-+\u2212]?\d{1,2}"
    rf"|\s?(?:{_MANY})(?![a-z克瓦伏米赫帕倍]))?|10\^[-+\u2212]?\d{{1,2}}"
    rf"|(?:{_SAID})\s?(?:{_MANY})(?![a-z克瓦伏米赫帕倍]))"
    r"(?![\d^]|e[-+]?\d)"
)
_UPWARDS = re.compile(
    r"up to|above|over|at least|more than|greater|higher|exceed|not less|no less|max|>|≥|⩾|or more"
    r"|or higher|大于|高于|超过|不低于|不小于|不少于|至少|最高|最大|高达|达到|以上|[升热][到至]"
)
_DOWNWARDS = re.compile(
    r"down to|below|under|less than|at most|not more|no more|better|smaller|lower|as low as|min|<|≤"
    r"|⩽|or less|小于|低于|不超过|不大于|不高于|低至|最低|最小|优于|以下|以内|[降冷]却?[到至]"
)
_BEFORE = (
    r"(?:up to|down to|as (?:low|high) as|at least|at most"
    r"|(?:no|not) (?:more|less|better|worse) than|above|over|below|under"
    r"|(?:more|less|better|greater|higher|lower|smaller|larger) than"
    r"|exceeding|max(?:imum|\.)?|min(?:imum|\.)?|[<>]=?|[≤≥⩽⩾]|不(?:低|小|少|大|高)于|不超过"
    r"|大于|高于|小于|低于|优于|超过|至少|最高|最低|最大|最小|高达|低至|达到|降[到至]|冷却[到至]|升[到至]|加热[到至])(?:等于)?"
)
# One number or a range: `before` and `after` say which side is meant, `both` is a plus-minus sign.
_FIGURE = (
    rf"(?:(?P<before>{_BEFORE})\s?(?:or equal to |about |approx\.? |约|可?达|到|为)?\s?)?"
    r"(?P<between>between |介于|在)?(?P<both>±|\+/-)?"
    rf"(?<![A-Za-z0-9.^])(?P<one>{_NUMBER})(?:\s?(?P<unit1>UNIT))?"
    r"(?:\s?(?:-|–|—|\u2212|~|to|through|至|到|\.{2,3}|…|(?(between)(?:and|与|和)|(?!)))\s?"
    rf"(?P<other>{_NUMBER})(?:\s?(?P<unit2>UNIT))?)?"
    r"(?:\s?(?P<after>or (?:better|more|less|higher|lower)|以上|以下|以内))?"
)
# "at 700 C" and "300度下" mean degrees Celsius; 13C is carbon, and 45度角 an angle. One character for one.
_DEGREES = re.compile(
    r"(?:\b(?:at|to|of|below|above|under) )\d{2,4} C\b(?!-)"
    r"|\d{2,4}度(?=[下时以左的])|(?<=[升热烧冷降][到至])\d{2,4}度(?!角)"
)
# What was done to a sample before is not asked of the instrument: "after firing at 1400 °C".
_BEFOREHAND = re.compile(
    r"\b(?:after|fired|firing|sintered|annealed|calcined|baked|cured|aged|grown|melted|synthesi[sz]ed|stored)\b"
    r"[^.;,]{0,30}$|(?:烧结|煅烧|退火|烧成|焙烧|固化|老化|处理|合成|生长|淬火|保存)"
    r"[^。；，,]{0,12}$",
    re.IGNORECASE,
)
_TREATED = re.compile("[下的]?(?:烧结|煅烧|退火|烧成|焙烧|固化|老化|淬火)")
# "800兆核磁" means megahertz; 兆 of much else means megabytes.
_MEGA, _OF_MAGNETS = "兆", re.compile("[的级]?(?:液体|固体|超导)?(?:核磁|波谱|NMR|谱仪)", re.IGNORECASE)
_AT = re.compile(r"\s*(?:at|@|在)\s*", re.IGNORECASE)  # between a figure and its condition
# What is said to be better than a length is a resolution.
_BETTER, _RESOLUTION = re.compile("better|优于", re.IGNORECASE), "spatial_resolution"
_PIECES = re.compile(r"[;；。，、\n]|,(?!\d)")
_STOP = re.compile(r"[;；。!?！？\n]|\. ")
_SUPERSCRIPT = re.compile(r"[⁺⁻⁰¹²³⁴-⁹]")
# Units as people write them out; a prefix may stand before one.
_PREFIXES = {"纳": "n", "微": "µ", "毫": "m", "厘": "c", "千": "k", "兆": "M", "吉": "G", "皮": "p"}
_UNIT_WORDS = {
    "电子伏特": "eV", "电子伏": "eV", "米": "m", "伏特": "V", "伏": "V", "安": "A", "瓦": "W",
    _MEGA: "MHz", "赫兹": "Hz", "赫": "Hz", "帕": "Pa", "牛顿": "N", "牛": "N", "克": "g", "秒": "s",
    "特斯拉": "T", "特": "T", "升": "L", "埃": "Å", "摄氏度": "°C", "度": "°", "开尔文": "K",
    "nanometers": "nm", "nanometres": "nm", "nanometer": "nm", "nanometre": "nm",
    "micrometers": "µm", "micrometres": "µm", "micron": "µm", "microns": "µm", "angstrom": "Å",
    "millimeters": "mm", "millimetres": "mm", "kelvin": "K", "tesla": "T", "degrees": "°",
    "碱基对": "bp", "碱基": "bp", "bases": "bp", "base pairs": "bp",
    "degrees celsius": "°C", "celsius": "°C", "deg": "°", "oC": "°C",
}  # fmt: skip


def _number(text: str) -> Decimal:
    if many := re.search(rf"(?:{_MANY})$", text, re.IGNORECASE):
        one = text[: many.start()].strip().lower()
        return (Decimal(_ONES[one]) if one in _ONES else _number(one)).scaleb(_TIMES[many[0].lower()])
    plain = text.replace("\u2212", "-").replace(",", "").replace(" ", "").replace("^", "")
    mantissa, times, exponent = re.sub("[x×*]", "x", plain, flags=re.I).partition("x10")
    if times:
        return Decimal(mantissa).scaleb(int(exponent))
    if "^" in text:
        return Decimal(1).scaleb(int(plain[2:]))
    return Decimal(plain)


def _with_origins(text: str) -> tuple[str, list[int]]:
    """Return a text in normal form (NFKC), and for each of its characters the place in the given text."""
    plain: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        after = text[place - 1] if place else ""
        form = unicodedata.normalize("NFKC", character)
        if _SUPERSCRIPT.match(character) and not _SUPERSCRIPT.match(after):
            form = "^" + form
        form = form.replace("\u2212", "-") if _SUPERSCRIPT.match(character) else form
        plain.append(form)
        origins += [place] * len(form)
    return "".join(plain), origins


def _plain(text: str) -> str:
    return _with_origins(text)[0]


def _exact(unit: str) -> str:
    return unit.replace("^", "").replace("\u2212", "-").replace("·", "")


def _without_case(text: str) -> str:
    """Lower the case of a name or unit for comparison, but keep m and M: they differ by nine orders of
    magnitude. k and K do not."""
    return "".join(c if c in "mM" else c.lower() for c in _exact(text))


def _unit_spelt(text: str) -> str:
    """Return the sign of a unit that may be written out: 纳米 becomes nm."""
    plain = _plain(text.strip())
    plain = "μ" + plain[1:] if re.match("u[mAVLgsNW]", plain) else plain
    if sign := _UNIT_WORDS.get(plain) or _UNIT_WORDS.get(plain.lower()):
        return _plain(sign)
    if plain[:1] in _PREFIXES and (sign := _UNIT_WORDS.get(plain[1:])):
        return _plain(_PREFIXES[plain[0]] + sign)
    return plain


def _word(pattern: str) -> str:
    """Return the pattern, restricted to matches that do not begin or end within a Latin word."""
    begin = r"(?<![a-z0-9])" if pattern[:1].isascii() else ""
    end = r"(?![a-z0-9])" if pattern[-1:].isascii() else ""
    return begin + pattern + end
