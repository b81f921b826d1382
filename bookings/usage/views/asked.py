"""What is asked of a booking before and after its use, as its pages show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from bookings.questions.domain.questions import BEFORE, MOMENTS, Field, load_fields
from bookings.questions.forms.questions import AnswersForm, answer_words, label_of
from bookings.questions.models import AnswerFile, AnswerSheet, Meter
from bookings.questions.selectors.questions import (
    answered,
    files_uploaded,
    load_questionnaire,
    load_sheets,
    questions_version,
)
from bookings.record.models import Reservation
from instruments.models import HouseRules
from instruments.selectors.house_rules import load_house_rules, rules_to_accept


@dataclass(frozen=True)
class Asked:
    """The questions of each moment, what was answered, and the house rules that the reader has yet
    to accept; `is_host`: the reader may leave questions out for the person."""

    questions: Mapping[str, Sequence[Field]]
    versions: Mapping[str, int]
    sheets: Mapping[str, AnswerSheet]
    uploaded: Mapping[str, Mapping[str, AnswerFile]]
    meters: Mapping[UUID, Meter]
    house_rules: HouseRules | None
    is_host: bool
    is_open: bool

    def form[Form: AnswersForm](
        self, kind: type[Form], moment: str, data: Any = None, files: Any = None
    ) -> Form:
        """The form of a moment, with what was answered."""
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
        )

    def answers(self) -> list[dict[str, Any]]:
        """The sheets with their questions and answers, for the page."""
        return [
            {
                "sheet": sheet,
                "rows": [(label_of(f), answer_words(f, answer)) for f, answer in answered(sheet)],
            }
            for moment in MOMENTS
            if (sheet := self.sheets.get(moment))
        ]


def load_asked(row: Reservation, actor: Actor) -> Asked:
    """What is asked of a booking (instrument, facility loaded with it). No statement where nothing
    was ever asked of the instrument; else eight at most."""
    instrument = row.instrument
    is_asked = any(questions_version(instrument, moment) for moment in MOMENTS)
    is_own = actor.user_id in {row.user_id, row.made_by_id}
    sheets = load_sheets(row) if is_asked else {}
    questions: dict[str, Sequence[Field]] = {}
    versions: dict[str, int] = {}
    for moment in MOMENTS:
        sheet = sheets.get(moment)
        # What is owed is answered as it was asked, what is answered again as it is asked now.
        is_owed = sheet is not None and sheet.state == AnswerSheet.State.OWED
        asked = sheet.questionnaire if sheet and is_owed else load_questionnaire(instrument, moment)
        questions[moment] = load_fields(asked.fields) if asked else ()
        if asked:
            versions[moment] = asked.version
    named = {q.meter for fields in questions.values() for q in fields if q.meter}
    rules = load_house_rules(instrument, row.user_id) if row.state == "confirmed" else None
    return Asked(
        questions=questions,
        versions=versions,
        sheets=sheets,
        uploaded={
            moment: files_uploaded(row, moment)
            for moment, fields in questions.items()
            if any(field.kind == "file" for field in fields)
        },
        meters=Meter.objects.in_bulk(named) if named else {},
        house_rules=rules_to_accept(rules)
        if row.user_id == actor.user_id and row.service_mode != "entrusted"
        else None,
        is_host=not is_own and actor.may("manage-instruments", place_of(row.host)),
        is_open=row.state == "confirmed",
    )
