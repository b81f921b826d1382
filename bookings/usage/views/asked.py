"""Load the questions of a booking, and before and after its use, as its pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from bookings.pricing.selectors.charges import load_added
from bookings.questions.domain.questions import (
    AFTER,
    ANSWERABLE,
    BEFORE,
    BOOKING,
    MOMENTS,
    Field,
    load_fields,
)
from bookings.questions.forms.questions import AnswersForm
from bookings.questions.models import AnswerFile, AnswerSheet, Meter
from bookings.questions.selectors import questions as question_selectors
from bookings.record.models import Reservation
from bookings.usage.forms.usage import CheckOutForm
from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.house_rules.selectors.house_rules import (
    load_house_rules,
    recorded_acceptance,
    rules_to_accept,
)
from instruments.rates.domain.ratecards import Option


@dataclass(frozen=True)
class QuestionsAsked:
    """The questions of each moment, their answers, and the house rules that the person has yet to accept;
    `is_person`: the reader uses the booking themselves; `is_host`: they may skip questions for the person;
    `is_open`: it is confirmed; `is_ahead`: it is requested or confirmed; `on_use`: options that the reader,
    for the host, adds at check-out; `recorded`: the acceptance of house rules that a manager recorded, for
    the host."""

    questions: Mapping[str, Sequence[Field]]
    versions: Mapping[str, int]
    sheets: Mapping[str, AnswerSheet]
    uploaded: Mapping[str, Mapping[str, AnswerFile]]
    meters: Mapping[UUID, Meter]
    open_rules: HouseRules | None
    is_person: bool
    is_host: bool
    is_open: bool
    is_ahead: bool = False
    on_use: tuple[Option, ...] = ()
    recorded: HouseRulesAcceptance | None = None

    @property
    def at_booking(self) -> bool:
        """Return whether questions asked at booking can still be answered."""
        sheet = self.sheets.get(BOOKING)
        is_left = sheet is None or sheet.state == AnswerSheet.State.OWED
        return self.is_ahead and is_left and bool(self.questions[BOOKING])

    @property
    def house_rules(self) -> HouseRules | None:
        """Return the house rules that the reader accepts by beginning to use the instrument; None if there
        are none to accept."""
        return self.open_rules if self.is_person and self.is_open else None

    @property
    def rules_to_record(self) -> HouseRules | None:
        """Return the house rules of which the reader, for the host, may record that the person accepted them;
        None if there are none."""
        return self.open_rules if self.is_host else None

    def check_out_form(self, data: Any = None, files: Any = None) -> CheckOutForm:
        """Return the form of the questions after use, with the rating for the booking's person and the
        options for the host."""
        return self.form(
            CheckOutForm, AFTER, data, files, rates=self.is_person, for_host=self.is_host, options=self.on_use
        )

    def form[Form: AnswersForm](
        self, kind: type[Form], moment: str, data: Any = None, files: Any = None, **more: Any
    ) -> Form:
        """Return the form of a moment, with the answers so far."""
        sheet = self.sheets.get(moment)
        return kind(
            data,
            files,
            questions=self.questions[moment],
            version=self.versions.get(moment),
            answers=sheet.answers if sheet else {},
            uploaded=self.uploaded.get(moment),
            meters=self.meters,
            may_skip=self.is_host and moment != BEFORE,
            **more,
        )

    def answers(self) -> list[dict[str, Any]]:
        """Return the sheets with their questions and answers, for the page."""
        return [
            {
                "sheet": sheet,
                "rows": [
                    (question_selectors.label_of(f), question_selectors.answer_words(f, answer))
                    for f, answer in question_selectors.answered(sheet)
                ],
            }
            for sheet in sorted(self.sheets.values(), key=attrgetter("created_at"))
        ]


def load_asked(row: Reservation, actor: Actor) -> QuestionsAsked:
    """Load the questions of a booking (with instrument and facility loaded). No statement if the instrument
    never had any questions; otherwise at most nine; for the host one more where there are house rules, and
    one to check out."""
    instrument = row.instrument
    is_asked = any(question_selectors.questions_version(instrument, moment) for moment in MOMENTS)
    manages = actor.may("operate-instruments", place_of(row.host, row.instrument))
    sheets = question_selectors.load_sheets(row) if is_asked else {}
    questions: dict[str, Sequence[Field]] = {}
    versions: dict[str, int] = {}
    for moment in MOMENTS:
        sheet = sheets.get(moment)
        # Owed questions are answered in the version that was asked; answers given again use the present one.
        is_owed = sheet is not None and sheet.state == AnswerSheet.State.OWED
        asked = (
            sheet.questionnaire
            if sheet and is_owed
            else question_selectors.load_questionnaire(instrument, moment)
        )
        questions[moment] = load_fields(asked.fields) if asked else ()
        if asked:
            versions[moment] = asked.version
    named = {q.meter for fields in questions.values() for q in fields if q.meter}
    asks_rules = row.state in {"confirmed", "in_use"} and row.service_mode != "entrusted"
    rules = load_house_rules(instrument, row.user_id) if asks_rules else None
    return QuestionsAsked(
        questions=questions,
        versions=versions,
        sheets=sheets,
        uploaded={
            moment: question_selectors.files_uploaded(row, moment)
            for moment, fields in questions.items()
            if any(field.kind == "file" for field in fields)
        },
        meters=Meter.objects.in_bulk(named) if named else {},
        open_rules=rules_to_accept(rules),
        is_person=row.user_id == actor.user_id,
        is_host=row.user_id != actor.user_id and manages,
        is_open=row.state == "confirmed",
        is_ahead=row.state in ANSWERABLE[BOOKING],
        recorded=recorded_acceptance(rules, row.user_id) if rules and manages else None,
        on_use=load_added(row) if row.state == "in_use" and manages else (),
    )
