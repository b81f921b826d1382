"""Forms for answering questions and for editing a questionnaire."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Invalid
from accounts.letters.words import named
from bookings.questions.domain.questions import KINDS, LONGEST_LABEL, LONGEST_UNIT, MOST_FIELDS, Field
from bookings.questions.models import AnswerFile, Meter
from bookings.questions.selectors.questions import label_of
from instruments.attachments.domain.attachments import ACCEPTED
from instruments.reading.forms.fields import DayField, StyledForm, VersionForm, count_of, day_input

KIND_LABELS = {
    "text": _("text"),
    "number": _("number"),
    "yes_no": _("yes or no"),
    "choice": _("choice"),
    "date": _("day"),
    "meter": _("meter reading"),
    "file": _("file"),
}
BLANK_ROWS = 3


class Asks:
    """The part of a form that asks questions: a field for each, called `answer_<key>`; the rules check the
    answers. A form with it is a `StyledForm`."""

    fields: Any
    cleaned_data: dict[str, Any]
    initial: Any
    questions: Sequence[Field] = ()

    def ask(
        self,
        questions: Sequence[Field],
        *,
        answers: Mapping[str, Any] | None = None,
        uploaded: Mapping[str, AnswerFile] | None = None,
        meters: Mapping[Any, Meter] | None = None,
        version: int | None = None,
        is_skipped: bool = False,
    ) -> None:
        """Add the fields. `answers`: those given so far; `uploaded`: their files; `version`: of the questions
        that the sender must have read; `is_skipped`: no answer is needed."""
        form: Any = self
        self.questions = questions
        for question in questions:
            field = _field_of(question, meters or {})
            field.label = label_of(question)
            field.initial = _shown((answers or {}).get(question.key))
            if question.kind == "file":
                field.initial = (uploaded or {}).get(question.key)
            field.required = question.required and not is_skipped
            field.widget.is_required = field.required
            form.add(f"answer_{question.key}", field)
        if version is not None:
            # Disabled: a form that is sent back shows the version of the page.
            self.initial = {**self.initial, "questions_version": version}
            form.add(
                "questions_version",
                forms.IntegerField(required=False, disabled=True, widget=forms.HiddenInput),
            )

    def check_questions(self) -> None:
        """Refuse answers to another version of the questions than the one in force."""
        form: Any = self
        read, version = form.data.get("questions_version"), form.cleaned_data.get("questions_version")
        if read and version and str(read) != str(version):
            form.add_error(None, _("The questions have changed. Please read your answers again."))

    def asked(self) -> Iterator[tuple[Field, forms.BoundField]]:
        form: Any = self
        for question in self.questions:
            yield question, form[f"answer_{question.key}"]

    def answers(self, upload: Callable[[str, str, bytes], AnswerFile] | None = None) -> dict[str, Any] | None:
        """Return the answers by key; None if nothing is asked. `upload` takes the key of its question, the
        name and the content of each new file; from then on the form shows it as uploaded."""
        if not self.questions:
            return None
        form: Any = self
        answers = {}
        for question in self.questions:
            name = f"answer_{question.key}"
            value = self.cleaned_data.get(name)
            if isinstance(value, UploadedFile) and upload is not None:
                try:
                    value = upload(question.key, value.name or "", value.read())
                except Invalid as wrong:
                    raise Invalid(
                        [replace(each, field=f"answers.{question.key}") for each in wrong.problems]
                    ) from None
                form[name].initial = value
            answers[question.key] = _sent(question, value)
        return answers


class AnswersForm(Asks, StyledForm):
    """A form of the questions of a booking that was made."""

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        questions: Sequence[Field] = (),
        answers: Mapping[str, Any] | None = None,
        uploaded: Mapping[str, AnswerFile] | None = None,
        meters: Mapping[Any, Meter] | None = None,
        version: int | None = None,
        may_skip: bool = False,
        **kwargs: Any,
    ) -> None:
        """Build the form, see `ask`. `may_skip`: the reader may skip the questions on behalf of somebody
        else."""
        super().__init__(data, files, **kwargs)
        self.may_skip = may_skip and bool(questions)
        self.ask(
            questions,
            answers=answers,
            uploaded=uploaded,
            meters=meters,
            version=version,
            is_skipped=self.may_skip and bool((data or {}).get("skip_reason", "").strip()),
        )
        if self.may_skip:
            reason = forms.CharField(label=_("Skip these questions because"), required=False, max_length=500)
            self.add("skip_reason", reason)
        self.order_fields([f"answer_{q.key}" for q in questions] + ["skip_reason"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        self.check_questions()
        return data

    def place_of(self, path: str) -> str | None:
        return path.replace("answers.", "answer_", 1)

    def skip_reason(self) -> str:
        return str(self.cleaned_data.get("skip_reason", ""))


def _field_of(question: Field, meters: Mapping[Any, Meter]) -> forms.Field:
    match question.kind:
        case "yes_no":
            return forms.ChoiceField(required=False, choices=[("", "–"), ("yes", _("yes")), ("no", _("no"))])
        case "choice":
            choices = [(choice.value, label_of(choice)) for choice in question.choices]
            return forms.ChoiceField(required=False, choices=[("", "–"), *choices])
        case "date":
            return DayField(required=False, widget=day_input())
        case "file":
            return forms.FileField(
                required=False,
                widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
                help_text=_("A picture (JPEG, PNG, WebP, up to 15 MB) or PDF (up to 25 MB)."),
            )
        case "number" | "meter":
            return forms.CharField(
                required=False,
                max_length=30,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
                help_text=_hint(question, meters.get(question.meter)),
            )
        case _:
            return forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


def _hint(question: Field, meter: Meter | None) -> str:
    """Return the unit and bounds of a number, or the name and unit of a meter."""
    if meter is not None:
        return f"{named(meter)} ({meter.unit})" if meter.unit else named(meter)
    words = [question.unit] if question.unit else []
    if question.low is not None:
        words.append(f"≥ {question.low}")
    if question.high is not None:
        words.append(f"≤ {question.high}")
    return " · ".join(words)


def _shown(answer: Any) -> Any:
    return {True: "yes", False: "no"}.get(answer, answer) if isinstance(answer, bool) else answer


def _sent(question: Field, value: Any) -> Any:
    if question.kind == "yes_no":
        return {"yes": True, "no": False}.get(value)
    if question.kind == "file":
        return str(value.pk) if value else None
    return value.isoformat() if question.kind == "date" and value else value


class QuestionnaireForm(VersionForm):
    """Rows of questions: `row_<n>_<field>`. Rows without a label are ignored; a new question gets a key of
    its own."""

    rows = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        questions: Sequence[Field],
        meters: Sequence[Meter],
        kinds: Sequence[str] = KINDS,
        more: bool = False,
        **kwargs: Any,
    ) -> None:
        """Build the rows, for questions of these `kinds`; `more` shows further empty rows below those that
        were sent."""
        number = min(len(questions) + BLANK_ROWS, MOST_FIELDS)
        if data is not None:
            number = count_of(data, "rows", least=1, most=MOST_FIELDS)
            if more:
                data = data.copy()
                number = min(number + BLANK_ROWS, MOST_FIELDS)
                data["rows"] = str(number)
        initial = kwargs.pop("initial", {}) | {"rows": number}
        for n, question in enumerate(questions):
            initial |= {f"row_{n}_{name}": value for name, value in _row(question).items()}
        super().__init__(data, initial=initial, **kwargs)
        self.numbers = range(number)
        for n in self.numbers:
            for name, field in _row_fields(meters, kinds).items():
                self.add(f"row_{n}_{name}", field)
        self.places: list[int] = []

    def shown(self) -> Iterator[dict[str, Any]]:
        """Yield the rows for the page."""
        for n in self.numbers:
            row = {name: self[f"row_{n}_{name}"] for name in _row_fields(())}
            more = [row[name] for name in ("unit", "low", "high", "choices", "meter")]
            is_open = any(field.value() or field.errors for field in more)
            yield row | {"n": n + 1, "is_open": is_open}

    def place_of(self, path: str) -> str | None:
        if match := re.match(r"questions\[(\d+)\](?:\.(\w+))?", path):
            return f"row_{self.places[int(match[1])]}_{match[2] or 'label'}"
        return path

    def fields_as_json(self) -> list[dict[str, Any]]:
        """Return the rows with a label, in the shape of the API."""
        data, asked = self.cleaned_data, []
        self.places = []
        keys = {data[f"row_{n}_key"] for n in self.numbers} - {""}
        for n in self.numbers:
            row = {name: data[f"row_{n}_{name}"] for name in _row_fields(())}
            if not (row["label"] or row["label_zh"]):
                continue
            key = row["key"] or next(k for i in range(1, 100) if (k := f"q{i}") not in keys)
            keys.add(key)
            self.places.append(n)
            asked.append(_question_as_json(row | {"key": key}))
        return asked


def _row(question: Field) -> dict[str, Any]:
    return {
        "key": question.key,
        "kind": question.kind,
        "label": question.label,
        "label_zh": question.label_zh,
        "required": question.required,
        "unit": question.unit,
        "low": question.low,
        "high": question.high,
        "meter": str(question.meter or ""),
        "choices": "\n".join(
            " | ".join(filter(None, [c.label or c.value, c.label_zh])) for c in question.choices
        ),
    }


def _row_fields(meters: Sequence[Meter], kinds: Sequence[str] = KINDS) -> dict[str, forms.Field]:
    choices = [(kind, KIND_LABELS[kind]) for kind in kinds]
    return {
        "key": forms.CharField(required=False, max_length=40, widget=forms.HiddenInput),
        "label": forms.CharField(label=_("Question in English"), required=False, max_length=LONGEST_LABEL),
        "label_zh": forms.CharField(label=_("Question in Chinese"), required=False, max_length=LONGEST_LABEL),
        "kind": forms.ChoiceField(label=_("Answer"), required=False, choices=choices),
        "required": forms.BooleanField(label=_("required"), required=False),
        "unit": forms.CharField(label=_("Unit"), required=False, max_length=LONGEST_UNIT),
        "low": forms.CharField(label=_("Smallest"), required=False, max_length=30),
        "high": forms.CharField(label=_("Largest"), required=False, max_length=30),
        "choices": forms.CharField(
            label=_("Choices, one per line: English | Chinese"),
            required=False,
            max_length=4000,
            widget=forms.Textarea(attrs={"rows": 2}),
        ),
        "meter": forms.ChoiceField(
            label=_("Meter"),
            required=False,
            choices=[("", "–"), *((str(m.pk), named(m)) for m in meters if not m.is_hours)],
        ),
    }


def _question_as_json(row: dict[str, Any]) -> dict[str, Any]:
    question = {name: row[name] for name in ("key", "kind", "label", "label_zh", "required")}
    question["kind"] = question["kind"] or "text"
    match question["kind"]:
        case "number":
            question |= {name: row[name] for name in ("unit", "low", "high")}
        case "choice":
            lines = [line for line in row["choices"].splitlines() if line.strip()]
            question["choices"] = [_choice_as_json(line) for line in lines]
        case "meter":
            question["meter"] = row["meter"]
    return question


def _choice_as_json(line: str) -> dict[str, str]:
    label, _bar, label_zh = (part.strip() for part in line.partition("|"))
    return {"value": label or label_zh, "label": label, "label_zh": label_zh}
