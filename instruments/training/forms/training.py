"""Forms for courses, for their sessions, and for people whom a manager enrols."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import ListOf, Shape, Text, Whole
from accounts.domain.errors import invalid
from accounts.domain.roles import Actor
from accounts.forms import known_to, person_choice
from accounts.letters.words import named, zone_name
from accounts.models import Organisation
from instruments.reading.forms.fields import (
    LocalMomentField,
    PeopleField,
    StyledForm,
    VersionForm,
    local_moment,
)
from instruments.reading.forms.shapes import field_of
from instruments.register.models import Facility, Instrument
from instruments.training.domain import training
from instruments.training.models import Course, CourseSession
from instruments.training.selectors.fees import THEIRS, SourceChoice
from instruments.vocabulary.models import Technique

_NAMES = {"instrument": "thing", "technique": "thing"}


class CourseChangeBody(Shape):
    """Changes to a course; fields left out stay as they are."""

    name = Text(training.LONGEST_NAME, label=_("Name"))
    name_zh = Text(training.LONGEST_NAME, required=False, allow_blank=True, label=_("Name in Chinese"))
    description = Text(
        training.LONGEST_TEXT, required=False, allow_blank=True, label=_("Description"), style={"rows": 4}
    )
    description_zh = Text(
        training.LONGEST_TEXT,
        required=False,
        allow_blank=True,
        label=_("Description in Chinese"),
        style={"rows": 4},
    )
    months = Whole(
        min_value=1,
        max_value=training.MOST_MONTHS,
        required=False,
        allow_null=True,
        help_text="How long its certificates are valid. Null: no end.",
        label=_("Months for which its certificates are valid"),
        style={"help": _("Empty: no end.")},
    )
    places = Whole(min_value=1, max_value=training.MOST_PLACES, label=_("Usual places per session"))
    prerequisites = ListOf(
        child=serializers.UUIDField(),
        max_length=training.MOST_NAMED,
        required=False,
        help_text="Courses of the same organisation.",
    )


class CourseForm(VersionForm):
    """The terms of a course. `things`: the instruments and techniques for which a new one may certify."""

    name = field_of(CourseChangeBody, "name")
    name_zh = field_of(CourseChangeBody, "name_zh")
    description = field_of(CourseChangeBody, "description")
    description_zh = field_of(CourseChangeBody, "description_zh")
    months = field_of(CourseChangeBody, "months")
    places = field_of(CourseChangeBody, "places")

    def __init__(
        self,
        data: Any = None,
        *,
        course: Course | None = None,
        others: Sequence[Course] = (),
        things: tuple[Sequence[Instrument], Sequence[Technique]] | None = None,
    ) -> None:
        """Fill the form from a course, if given. `others`: the courses that may be its prerequisites."""
        initial: dict[str, Any] = {"places": 6, "months": 24}
        if course is not None:
            names = ("name", "name_zh", "description", "description_zh", "months", "places")
            initial = {name: getattr(course, name) for name in names}
            initial["version"] = course.version
            initial["prerequisites"] = [str(each.pk) for each in course.prerequisites.all()]
        super().__init__(data, initial=initial)
        self.others = others
        if others:
            self.add(
                "prerequisites",
                forms.MultipleChoiceField(
                    label=_("Certificates required beforehand"),
                    required=False,
                    choices=[(str(each.pk), named(each)) for each in others],
                    widget=forms.CheckboxSelectMultiple,
                ),
            )
        self.things: dict[str, Instrument | Technique] = {}
        if things is not None:
            self.things = {str(thing.pk): thing for part in things for thing in part}
            instruments, techniques = ([(str(thing.pk), named(thing)) for thing in part] for part in things)
            choice = forms.ChoiceField(
                label=_("What it certifies"),
                choices=[
                    ("", "–"),
                    (_("An instrument"), instruments),
                    (_("A technique, wherever your instruments require it"), techniques),
                ],
            )
            self.add("thing", choice)
            self.order_fields(["thing"])

    def place_of(self, path: str) -> str | None:
        return _NAMES.get(path, path)

    def chosen_thing(self) -> dict[str, Any]:
        """Return the chosen instrument or technique as the arguments that the service takes."""
        thing = self.things[self.cleaned_data["thing"]]
        return {"technique" if isinstance(thing, Technique) else "instrument": thing}

    def terms(self) -> training.CourseTerms:
        data = self.cleaned_data
        names = ("name", "name_zh", "description", "description_zh", "months", "places")
        return training.CourseTerms(
            **{name: data[name] for name in names},
            prerequisites=tuple(
                each.pk for each in self.others if str(each.pk) in data.get("prerequisites", ())
            ),
        )


class SessionForm(VersionForm):
    """The time and place of a course session, in the facility's time zone."""

    facility = forms.ChoiceField(label=_("Facility"))
    location = forms.CharField(
        label=_("Room or meeting point"), required=False, max_length=training.LONGEST_NAME
    )
    start = LocalMomentField(label=_("From"))
    end = LocalMomentField(label=_("Until"), is_end=True)
    deadline = LocalMomentField(
        label=_("Enrolment closes"), required=False, help_text=_("Empty: until it begins.")
    )
    places = forms.IntegerField(label=_("Places"), min_value=1, max_value=training.MOST_PLACES)
    instrument = forms.ChoiceField(
        label=_("Instrument used"),
        required=False,
        help_text=_("Closed during the session: nobody can book it then."),
    )
    displace = forms.BooleanField(
        label=_(
            "Displace them: bookings that fit another unit move there; the others are cancelled free of "
            "charge, and their people are notified by mail."
        ),
        required=False,
    )
    trainers = PeopleField(
        label=_("Trainers"), least=1, most=30, help_text=_("Members of your organisation.")
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        course: Course,
        facilities: Sequence[Facility],
        instruments: Sequence[Instrument],
        session: CourseSession | None = None,
    ) -> None:
        initial: dict[str, Any] = {"places": course.places}
        if course.instrument:
            initial["facility"] = str(course.instrument.facility_id)
            initial["instrument"] = str(course.instrument_id)
        if session is not None:
            zone = ZoneInfo(session.facility.time_zone)
            initial = {
                "facility": str(session.facility_id),
                "location": session.location,
                "start": local_moment(session.start_at, zone),
                "end": local_moment(session.end_at, zone),
                "deadline": local_moment(session.deadline_at, zone),
                "places": session.places,
                "instrument": str(session.instrument_id or ""),
                "trainers": sorted(map(person_choice, session.trainers.all())),
                "version": session.version,
            }
        super().__init__(data, initial=initial)
        known_to(self, actor)
        self.facilities = {str(each.pk): each for each in facilities}
        fields: Any = self.fields
        fields["facility"].choices = [
            (pk, f"{named(each)} ({zone_name(each.time_zone)})") for pk, each in self.facilities.items()
        ]
        fields["instrument"].choices = [
            ("", _("no instrument needed")),
            *((str(each.pk), named(each)) for each in instruments),
        ]
        chosen = self.facilities.get(str((data or {}).get("facility", "")))
        if chosen is not None:
            for name in ("start", "end", "deadline"):
                fields[name].zone = ZoneInfo(chosen.time_zone)

    def chosen_facility(self) -> Facility:
        return self.facilities[self.cleaned_data["facility"]]

    def names(self) -> list[str]:
        """Return the mail addresses (or ids) of the trainers."""
        return list(self.cleaned_data["trainers"])

    def terms(self, trainers: Sequence[Any]) -> training.SessionTerms:
        data = self.cleaned_data
        return training.SessionTerms(
            start=data["start"],
            end=data["end"],
            deadline=data["deadline"] or data["start"],
            places=data["places"],
            location=data["location"],
            instrument=UUID(data["instrument"]) if data["instrument"] else None,
            trainers=tuple(trainers),
        )


class SessionCancelForm(VersionForm):
    """The reason why a session is cancelled."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("Everybody enrolled will receive this by mail.")
    )


class EnrolForm(StyledForm):
    """The people whom a manager enrols."""

    user = PeopleField(
        label=_("People"),
        least=1,
        most=training.MOST_AT_ONCE,
        required=True,
        help_text=_("Names, or a pasted list of mail addresses."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        payers: Sequence[Organisation] = (),
        sources: Mapping[UUID, Sequence[SourceChoice]] | None = None,
    ) -> None:
        """`payers`: the organisations that may pay for places with a price, if there is a choice; `sources`:
        the funding sources of each that the actor may charge."""
        super().__init__(data)
        known_to(self, actor)
        if len(payers) > 1:
            choice = forms.ChoiceField(
                label=_("Paid by"),
                choices=[(each.code, named(each)) for each in payers],
                help_text=_("Another organisation than your own pays only for its members."),
            )
            self.add("organisation", choice)
        if sources:
            groups: list[tuple[Any, Any]] = [
                (THEIRS, _("the default of the person it is for")),
                ("", _("no funding source")),
            ]
            for payer in payers:
                codes = [
                    (f"{payer.code}/{one.code}", one.label) for one in sources.get(payer.pk, ()) if one.code
                ]
                if codes:
                    groups.append((named(payer), codes))
            choice = forms.ChoiceField(
                label=_("Funding source"), choices=groups, required=False, initial=THEIRS
            )
            self.add("funding", choice)

    def shares(self) -> list[tuple[str, Decimal]] | None:
        """Return the chosen source as the service takes it; None: the default of each person. Raise `Invalid`
        for a source of another organisation than the one that pays."""
        chosen = self.cleaned_data.get("funding", THEIRS)
        if chosen in (THEIRS, ""):
            return None if chosen else []
        organisation, _slash, code = chosen.partition("/")
        if self.cleaned_data.get("organisation", organisation) != organisation:
            raise invalid("funding", "unknown-source")
        return [(code, Decimal(100))]
