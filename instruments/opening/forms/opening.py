"""A form for opening hours: a grid with a row per weekday, and a row per window of a dated exception."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext, gettext_lazy

from accounts.domain.errors import Invalid
from instruments.opening.domain.opening import (
    LONGEST_REASON,
    OpeningHours,
    Override,
    WeeklyRule,
    hours_to_json,
    parse_hours,
)
from instruments.reading.domain.clock import clock
from instruments.reading.forms.fields import DayField, StyledForm, WallClockField, count_of, day_input

_ = gettext_lazy
WEEKDAYS = range(1, 8)
LEAST_WINDOWS, MOST_WINDOWS = 2, 6
DAY_MINUTES = 1440
BLANK_ROWS, MOST_ROWS = 3, 400
ROW_FIELDS = ("date", "until", "opens", "closes", "closed", "reason")

SUGGESTION = OpeningHours(
    weekly=tuple(WeeklyRule(day, 9 * 60, 17 * 60) for day in range(1, 6)), observes_holidays=True
)


class OpeningForm(StyledForm):
    """Opening hours in fields `day_<weekday>_<n>_opens` and `row_<n>_date`; the domain rules check the
    values.

    Hours without a place in the grid are kept: weekly rules with dates, unless they are ticked for removal,
    and exceptions before `today`.
    """

    observes_holidays = forms.BooleanField(
        label=_("Closed on the public holidays of the region"), required=False
    )
    windows = forms.IntegerField(widget=forms.HiddenInput, required=False)
    rows = forms.IntegerField(widget=forms.HiddenInput, required=False)
    drop = forms.MultipleChoiceField(label=_("Remove"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, hours: OpeningHours, today: date, fill: bool = False) -> None:
        self.dated = [r for r in hours.weekly if r.valid_from or r.valid_until]
        self.past = [o for o in hours.overrides if o.last < today]
        plain: dict[int, list[WeeklyRule]] = {day: [] for day in WEEKDAYS}
        for rule in hours.weekly:
            if rule not in self.dated:
                plain[rule.weekday].append(rule)
        pieces = [(o, piece) for o in hours.overrides if o.last >= today for piece in (o.windows or (None,))]
        most = max(len(rules) for rules in plain.values())
        if data is None:
            windows = max(LEAST_WINDOWS, min(most, MOST_WINDOWS))
            rows = len(pieces) + BLANK_ROWS
        else:
            windows = count_of(data, "windows", least=LEAST_WINDOWS, most=MOST_WINDOWS)
            rows = count_of(data, "rows", least=BLANK_ROWS, most=MOST_ROWS)
            data = _filled(data, windows) if fill else data
        self.window_range, self.row_range = range(windows), range(rows)
        super().__init__(data, initial=self._initial(hours, plain, pieces, windows, rows))
        for day in WEEKDAYS:
            for n in self.window_range:
                for name in ("opens", "closes"):
                    self.add(f"day_{day}_{n}_{name}", self._clock(weekday_name(day), n, name))
        for n in self.row_range:
            self.add(f"row_{n}_date", DayField(label=_("From"), required=False, widget=day_input()))
            self.add(f"row_{n}_until", DayField(label=_("Until"), required=False, widget=day_input()))
            self.add(f"row_{n}_opens", WallClockField(label=_("Opens")))
            self.add(f"row_{n}_closes", WallClockField(label=_("Closes")))
            self.add(f"row_{n}_closed", forms.BooleanField(label=_("Closed all day"), required=False))
            reason = forms.TextInput({"placeholder": _("Reason, e.g. winter break")})
            self.add(
                f"row_{n}_reason",
                forms.CharField(label=_("Reason"), required=False, max_length=LONGEST_REASON, widget=reason),
            )
        choices: Any = self.fields["drop"]
        choices.choices = [(_key(rule), _words(rule)) for rule in self.dated]
        self.places: dict[str, str] = {}

    @staticmethod
    def _clock(day: str, n: int, name: str) -> WallClockField:
        if name == "opens":
            label = gettext("{day}, opens").format(day=day)
        else:
            label = gettext("{day}, closes").format(day=day)
        return WallClockField(label=f"{label} ({n + 1})" if n else label)

    @staticmethod
    def _initial(
        hours: OpeningHours,
        plain: dict[int, list[WeeklyRule]],
        pieces: list[tuple[Override, tuple[int, int] | None]],
        windows: int,
        rows: int,
    ) -> dict[str, Any]:
        initial: dict[str, Any] = {
            "observes_holidays": hours.observes_holidays,
            "windows": windows,
            "rows": rows,
        }
        for day, rules in plain.items():
            for n, rule in enumerate(rules):
                initial[f"day_{day}_{n}_opens"] = clock(rule.opens)
                initial[f"day_{day}_{n}_closes"] = clock(rule.closes)
        for n, (override, piece) in enumerate(pieces):
            initial[f"row_{n}_date"], initial[f"row_{n}_until"] = override.date, override.until
            initial[f"row_{n}_reason"] = override.reason
            if piece is None:
                initial[f"row_{n}_closed"] = True
            else:
                initial[f"row_{n}_opens"], initial[f"row_{n}_closes"] = map(clock, piece)
        return initial

    def days(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the grid, one per weekday."""
        for day in WEEKDAYS:
            cells = [(self[f"day_{day}_{n}_opens"], self[f"day_{day}_{n}_closes"]) for n in self.window_range]
            yield {
                "name": weekday_name(day),
                "short": str(WEEKDAYS_ABBR[day - 1]).replace("星期", "周"),
                "windows": cells,
            }

    def drawn(self) -> Iterator[dict[str, str]]:
        """Yield the windows as parts of a drawn week, in percent of its width and height. A window that ends
        on the next day has two parts."""
        for day in WEEKDAYS:
            for n in self.window_range:
                opens, closes = (
                    _minute(self[f"day_{day}_{n}_{name}"].value()) for name in ("opens", "closes")
                )
                if opens is None or closes is None or opens >= DAY_MINUTES:
                    continue
                if opens < closes:
                    yield _part(day, opens, closes)
                else:
                    yield _part(day, opens, DAY_MINUTES)
                    if closes:
                        yield _part(day % 7 + 1, 0, closes)

    def exceptions(self) -> Iterator[dict[str, Any]]:
        for n in self.row_range:
            yield {name: self[f"row_{n}_{name}"] for name in ROW_FIELDS}

    def place_of(self, path: str) -> str | None:
        where, _dot, last = path.rpartition(".")
        if where in self.places and last in {"until", "reason"}:
            return f"{self.places[where]}_{last}"
        if where in self.places and last in {"opens", "closes"}:
            return f"{self.places[where]}_{last}"
        if where in self.places:
            return f"{self.places[where]}_opens"
        return f"{self.places[path]}_opens" if path in self.places else path

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        weekly = self._weekly(data)
        dropped = set(data.get("drop") or [])
        kept = OpeningHours(
            weekly=tuple(rule for rule in self.dated if _key(rule) not in dropped), overrides=tuple(self.past)
        )
        kept_json: Any = hours_to_json(kept)
        overrides = self._overrides(data)
        if self.errors:
            return
        try:
            self.hours = parse_hours(
                {
                    "weekly": weekly + kept_json["weekly"],
                    "overrides": overrides + kept_json["overrides"],
                    "observes_holidays": bool(data.get("observes_holidays")),
                }
            )
        except Invalid as refused:
            self.refuse(refused.problems)

    def _weekly(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        weekly: list[dict[str, Any]] = []
        for day in WEEKDAYS:
            for n in self.window_range:
                at = f"day_{day}_{n}"
                opens, closes = data.get(f"{at}_opens"), data.get(f"{at}_closes")
                if not opens and not closes:
                    continue
                if not (opens and closes):
                    self._half(at, opens)
                self.places[f"weekly[{len(weekly)}]"] = at
                weekly.append({"weekday": day, "opens": opens, "closes": closes})
        return weekly

    def _overrides(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the dated exceptions; rows with the same days are windows of these."""
        by_date: dict[date, dict[str, Any]] = {}
        for n in self.row_range:
            at = f"row_{n}"
            when, is_closed = data.get(f"{at}_date"), data.get(f"{at}_closed")
            opens, closes = data.get(f"{at}_opens"), data.get(f"{at}_closes")
            until = data.get(f"{at}_until")
            if not (when or until or is_closed or opens or closes):
                continue
            if when is None:
                if f"{at}_date" not in self.errors:
                    self.add_error(f"{at}_date", gettext("Enter the day."))
                continue
            if is_closed and (opens or closes):
                self.add_error(f"{at}_opens", gettext("Either hours or closed all day, not both."))
                continue
            if not is_closed and not (opens and closes):
                self._half(at, opens)
                continue
            known = by_date.get(when)
            until_text = until.isoformat() if until else None
            if known is not None and (is_closed or not known["windows"] or known["until"] != until_text):
                self.add_error(f"{at}_date", gettext("This row conflicts with another row for the same day."))
                continue
            if known is None:
                self.places[f"overrides[{len(by_date)}]"] = at
                index = len(by_date)
                known = by_date[when] = {
                    "date": when.isoformat(), "until": until_text, "windows": [], "index": index,
                    "reason": "",
                }  # fmt: skip
            known["reason"] = known["reason"] or data.get(f"{at}_reason", "")
            if not is_closed:
                where = f"overrides[{known['index']}].windows"
                self.places.setdefault(where, at)
                self.places[f"{where}[{len(known['windows'])}]"] = at
                known["windows"].append({"opens": opens, "closes": closes})
        names = ("date", "until", "windows", "reason")
        return [{name: override[name] for name in names} for override in by_date.values()]

    def _half(self, at: str, opens: str | None) -> None:
        missing = f"{at}_closes" if opens else f"{at}_opens"
        if missing not in self.errors:
            self.add_error(missing, gettext("Enter from when and until when."))


def _minute(value: Any) -> int | None:
    """Return the minute of the day that a field's text gives; None if it is not a time."""
    hours, _colon, minutes = str(value or "").partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and len(hours) + len(minutes) <= 4):
        return None
    minute = int(hours) * 60 + int(minutes)
    return minute if minute <= DAY_MINUTES else None


def _part(day: int, first: int, last: int) -> dict[str, str]:
    return {
        "x": f"{(day - 1) / 7 * 100:.3f}%",
        "middle": f"{(day - 0.5) / 7 * 100:.3f}%",
        "y": f"{first / DAY_MINUTES * 100:.3f}%",
        "height": f"{(last - first) / DAY_MINUTES * 100:.3f}%",
        "opens": clock(first),
        "closes": clock(last),
    }


def weekday_name(day: int) -> str:
    """Return the name of an ISO weekday in the reader's language."""
    return str(WEEKDAY_NAMES[day - 1])


def _filled(data: Any, windows: int) -> Any:
    """Return a copy of the submitted data of opening hours in which Tuesday to Friday have Monday's hours."""
    data = data.copy()
    for day in range(2, 6):
        for n in range(windows):
            for name in ("opens", "closes"):
                data[f"day_{day}_{n}_{name}"] = data.get(f"day_1_{n}_{name}", "")
    return data


def _key(rule: WeeklyRule) -> str:
    bounds = (rule.valid_from, rule.valid_until)
    parts = [rule.weekday, rule.opens, rule.closes, *(d.isoformat() if d else "" for d in bounds)]
    return "/".join(str(part) for part in parts)


def _words(rule: WeeklyRule) -> str:
    text = f"{weekday_name(rule.weekday)} {clock(rule.opens)}–{clock(rule.closes)}"
    if rule.valid_from:
        text += " " + gettext("from {day}").format(day=rule.valid_from.isoformat())
    if rule.valid_until:
        text += " " + gettext("until {day}").format(day=rule.valid_until.isoformat())
    return text
