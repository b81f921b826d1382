"""Courses, their sessions, and whom a manager enrols."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from instruments.domain.training import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_MONTHS,
    MOST_PLACES,
    CourseTerms,
    SessionTerms,
)
from instruments.forms.fields import LocalMomentField, StyledForm, VersionForm, local_moment
from instruments.models import Course, CourseSession, Facility, Instrument, Technique

_AREA = {"rows": 4}
_NAMES = {"instrument": "thing", "technique": "thing"}


class CourseForm(VersionForm):
    """What a course is. `things`: what a new one may certify."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    name_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=LONGEST_NAME)
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs=_AREA),
    )
    description_zh = forms.CharField(
        label=_("Description in Chinese"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs=_AREA),
    )
    months = forms.IntegerField(
        label=_("Months for which its certificates are valid"),
        required=False,
        min_value=1,
        max_value=MOST_MONTHS,
        help_text=_("Empty: no end."),
    )
    places = forms.IntegerField(
        label=_("Places in a session, as a rule"), min_value=1, max_value=MOST_PLACES
    )

    def __init__(
        self,
        data: Any = None,
        *,
        course: Course | None = None,
        others: Sequence[Course] = (),
        things: tuple[Sequence[Instrument], Sequence[Technique]] | None = None,
    ) -> None:
        """`others`: what may be its prerequisites."""
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
            instruments, techniques = (
                [(str(thing.pk), named(thing)) for thing in part] for part in things
            )
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
        """Return what was chosen, as the service takes it."""
        thing = self.things[self.cleaned_data["thing"]]
        return {"technique" if isinstance(thing, Technique) else "instrument": thing}

    def terms(self) -> CourseTerms:
        data = self.cleaned_data
        names = ("name", "name_zh", "description", "description_zh", "months", "places")
        return CourseTerms(
            **{name: data[name] for name in names},
            prerequisites=tuple(
                each.pk for each in self.others if str(each.pk) in data.get("prerequisites", ())
            ),
        )


class SessionForm(VersionForm):
    """When and where a course is given. Times are those of the facility."""

    facility = forms.ChoiceField(label=_("Facility"))
    location = forms.CharField(
        label=_("Room or meeting point"), required=False, max_length=LONGEST_NAME
    )
    start = LocalMomentField(label=_("From"))
    end = LocalMomentField(label=_("Until"), is_end=True)
    deadline = LocalMomentField(
        label=_("Enrolment closes"),
        required=False,
        help_text=_("Empty: until it begins."),
    )
    places = forms.IntegerField(label=_("Places"), min_value=1, max_value=MOST_PLACES)
    trainers = forms.CharField(
        label=_("Trainers"),
        required=False,
        max_length=2000,
        help_text=_("E-mail addresses of members of your organisation, separated by commas."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        course: Course,
        facilities: Sequence[Facility],
        session: CourseSession | None = None,
    ) -> None:
        initial: dict[str, Any] = {"places": course.places}
        if course.instrument:
            initial["facility"] = str(course.instrument.facility_id)
        if session is not None:
            zone = ZoneInfo(session.facility.time_zone)
            initial = {
                "facility": str(session.facility_id),
                "location": session.location,
                "start": local_moment(session.start_at, zone),
                "end": local_moment(session.end_at, zone),
                "deadline": local_moment(session.deadline_at, zone),
                "places": session.places,
                "trainers": ", ".join(sorted(user.email for user in session.trainers.all())),
                "version": session.version,
            }
        super().__init__(data, initial=initial)
        self.facilities = {str(each.pk): each for each in facilities}
        fields: Any = self.fields
        fields["facility"].choices = [
            (pk, f"{named(each)} ({each.time_zone})") for pk, each in self.facilities.items()
        ]
        chosen = self.facilities.get(str((data or {}).get("facility", "")))
        if chosen is not None:
            for name in ("start", "end", "deadline"):
                fields[name].zone = ZoneInfo(chosen.time_zone)

    def chosen_facility(self) -> Facility:
        return self.facilities[self.cleaned_data["facility"]]

    def names(self) -> list[str]:
        """Return what the trainers are called."""
        text = self.cleaned_data["trainers"].replace("，", ",").replace(";", ",")
        return [name for part in text.split(",") if (name := part.strip())]

    def terms(self, trainers: Sequence[Any]) -> SessionTerms:
        data = self.cleaned_data
        return SessionTerms(
            start=data["start"],
            end=data["end"],
            deadline=data["deadline"] or data["start"],
            places=data["places"],
            location=data["location"],
            trainers=tuple(trainers),
        )


class SessionCancelForm(VersionForm):
    """Why a session is cancelled."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("Everybody enrolled reads this by mail.")
    )


class EnrolForm(StyledForm):
    """Whom a manager enrols."""

    user = forms.CharField(
        label=_("Their e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("The address they sign in with."),
    )
