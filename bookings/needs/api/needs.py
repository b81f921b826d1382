"""Needs, and the instruments that meet them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api import shapes
from accounts.api.memberships import PersonShape
from accounts.api.resource import OnPage, Resource, acts, changes, creates, reads, tells
from bookings.catalogue.api.fees import QuotedShape, quote_shown
from bookings.needs.domain.matching import GATES, LABELS, PARTS
from bookings.needs.forms.needs import ReaderForm
from bookings.needs.messages import GATES as GATE_TEXTS
from bookings.needs.messages import reasons_of
from bookings.needs.models import Need
from bookings.needs.selectors.matches import JudgedInstrument, Wanted, load_answer, load_matches, wanted_of
from bookings.needs.selectors.needs import (
    NEEDS,
    keeps,
    need_by_id,
    need_to_match,
    needs_for,
    shown_need,
    written,
)
from bookings.needs.services import needs
from bookings.pricing.domain.quotes import quote_to_json
from bookings.record.api.lists import listed
from bookings.record.api.shapes import ReferenceBody, ReferencedShape, references_show
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id
from instruments.vocabulary.api.needs import NeedTermShape
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.selectors.needs import load_parameters


class RequirementBody(shapes.Shape):
    """An instrument must reach down to `low` and up to `high`, in the unit of the parameter."""

    parameter = shapes.Text(60, help_text="Code of the parameter.")
    low = shapes.Number(30, 15, required=False, allow_null=True)
    high = shapes.Number(30, 15, required=False, allow_null=True)


class WeightsBody(shapes.Shape):
    """The weight of each part of a match, from 0 to 1; parts left out do not count."""

    fit = shapes.Number(4, 3, min_value=0, max_value=1, required=False)
    time = shapes.Number(4, 3, min_value=0, max_value=1, required=False)
    cost = shapes.Number(4, 3, min_value=0, max_value=1, required=False)
    effort = shapes.Number(4, 3, min_value=0, max_value=1, required=False)
    trust = shapes.Number(4, 3, min_value=0, max_value=1, required=False)


class NeedBody(shapes.Shape):
    text = shapes.Text(LONGEST_NEED, help_text="What you need to find out, in your own words.")
    organisation = shapes.Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    terms = shapes.ListOf(
        child=shapes.Text(60),
        required=False,
        help_text="Codes of measurands and techniques; default: the likeliest ones found in the text.",
    )
    requirements = shapes.ListOf(
        child=RequirementBody(), required=False, help_text="Default: the requirements found in the text."
    )
    sample = shapes.Text(200, default="", allow_blank=True, help_text="Form of the sample.")
    quantity = shapes.Whole(min_value=1, max_value=100_000, required=False, help_text="Number of samples.")
    modes = shapes.ListOf(child=shapes.Choice(Instrument.ServiceMode.choices), default=list)
    regions = shapes.ListOf(
        child=shapes.Text(60),
        default=list,
        help_text="Codes of regions; the regions within them are included.",
    )
    earliest = shapes.Instant(help_text="Earliest start.")
    latest = shapes.Instant(help_text="Latest end.")
    minutes = shapes.Whole(min_value=1, max_value=44640)
    budget = shapes.Number(
        16,
        2,
        min_value=0,
        required=False,
        allow_null=True,
        help_text="For everything, in the currency of the payer's region.",
    )
    weights = WeightsBody(required=False)
    is_flexible = shapes.Flag(
        default=False, help_text="Whether any time in the window is suitable, so that a batch may hold one."
    )


class NeedNewBody(NeedBody, ReferenceBody):
    """A new need, and what is noted at it."""


class PersonBody(shapes.Shape):
    person = shapes.Text(254, help_text="Id or e-mail address of the person.")


class ReaderShape(serializers.Serializer[Any]):
    """A reader of a need, by id or by the mail address that was entered."""

    id = serializers.UUIDField(allow_null=True, help_text="Null if access was given to an address.")
    name = serializers.CharField(help_text="Name of the person, or the address.")


class NeedShape(ReferencedShape):
    """A need. `requirements` and `budget` are returned as they were entered."""

    id = serializers.UUIDField()
    user = serializers.CharField(source="user.name", style=shapes.replaced_by("person"))
    person = PersonShape(source="user")
    organisation = serializers.CharField(
        source="organisation.code", help_text="Code of the paying organisation."
    )
    readers = ReaderShape(many=True, source="shown_readers")
    text = serializers.CharField()
    terms = NeedTermShape(many=True, source="chosen")
    requirements = serializers.ListField(child=serializers.DictField())
    sample = serializers.CharField()
    quantity = serializers.IntegerField(allow_null=True)
    modes = serializers.ListField(child=serializers.CharField())
    regions = serializers.ListField(child=serializers.CharField(), source="region_codes")
    earliest = shapes.Instant()
    latest = shapes.Instant()
    minutes = serializers.IntegerField()
    budget = shapes.Money(allow_null=True)
    weights = serializers.DictField(child=serializers.FloatField())
    is_flexible = serializers.BooleanField()
    state = serializers.ChoiceField(Need.Shown.choices, source="shown_state")
    created_at = shapes.Instant()
    changed_at = shapes.Instant()
    version = serializers.IntegerField()
    modified = shapes.Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


class FitShape(serializers.Serializer[Any]):
    """A requirement, and whether an instrument meets it."""

    parameter = serializers.CharField()
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)
    fit = serializers.ChoiceField(["meets", "fails", "unknown"])


class ReasonShape(serializers.Serializer[Any]):
    """A part of a match in words. `value` is between 0 and 1; `parameter` is set if the host can be asked
    about it (`POST instruments/{id}/questions/`)."""

    part = serializers.ChoiceField(PARTS)
    text = serializers.CharField()
    value = serializers.FloatField()
    parameter = serializers.CharField()


class MatchInstrumentShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    host = serializers.CharField(source="organisation.code")
    region = serializers.CharField(source="region.code")
    time_zone = serializers.CharField(source="facility.time_zone")


AsQuote = shapes.shown_by(quote_shown, QuotedShape)


class JudgedShape(serializers.Serializer[Any]):
    """An instrument that was held against a need."""

    instrument = MatchInstrumentShape(
        style=shapes.replaced_by("instrument_id", "instrument_name", "host", "host_region", "time_zone")
    )
    instrument_id = serializers.UUIDField(source="instrument.id")
    instrument_name = serializers.CharField(source="instrument.name")
    instrument_name_zh = serializers.CharField(source="instrument.name_zh")
    host = serializers.CharField(source="instrument.organisation.code")
    host_region = serializers.CharField(source="instrument.region.code")
    time_zone = serializers.CharField(source="instrument.facility.time_zone")


class MatchShape(JudgedShape):
    """An instrument that meets a need. `score` is the weighted sum of `parts`; `price` the quote for this
    start; `is_near`: its technique is only near the right one, so ask the host whether it fits."""

    is_near = serializers.BooleanField()
    fit = serializers.FloatField()
    requirements = FitShape(many=True)
    score = serializers.FloatField()
    parts = serializers.DictField(child=serializers.FloatField())
    reasons = ReasonShape(many=True)
    service_mode = serializers.CharField()
    start = shapes.Instant()
    price = AsQuote(allow_null=True)
    labels = serializers.ListField(child=serializers.ChoiceField(LABELS))


class NoMatchShape(JudgedShape):
    """An instrument that came near but does not meet the need."""

    code = serializers.ChoiceField(GATES)
    text = serializers.CharField()
    requirements = FitShape(many=True)


class MatchesShape(serializers.Serializer[Any]):
    """The instruments that meet a need, the best first; `left_out`: some that do not, and why."""

    matches = MatchShape(many=True)
    left_out = NoMatchShape(many=True)


class MatchQuery(shapes.Query):
    instrument = serializers.UUIDField(
        required=False, help_text="Only this instrument: the answer says how it matches, or why it does not."
    )


def values_of(data: dict[str, Any]) -> needs.NeedValues:
    """Return the values of a body as the service takes them."""
    weights = data.get("weights")
    if weights is not None:
        data = data | {"weights": {name: float(value) for name, value in weights.items()}}
    return needs.NeedValues(**data)


class Needs(Resource):
    for_persons = True
    at, key, name, many, tag = "needs/", "need_id", "need", "needs", "instruments"
    shape, write_scope, needs_person = NeedShape, "book", True

    def visible(self, pk: UUID) -> Need:
        return need_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        references_show(rows, lambda need: keeps(self.actor, need))
        for need in rows:
            shown_need(need, self.now)
            need.region_codes = sorted(region.code for region in need.regions.all())
        return rows

    @listed(_("Needs"), NEEDS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Need]:
        """Return your own needs, and for managers those of their organisation; the newest first. Nobody else
        reads a need, except auditors and administrators who say why."""
        return needs_for(self.actor)

    @creates(
        _("Describe a need"),
        NeedNewBody,
        refuses=[403, 409],
        sends={
            "text": "Size of silica nanoparticles, resolution 2 nm",
            "organisation": "wusong-tech",
            "earliest": "2026-03-06T08:00:00+08:00",
            "latest": "2026-03-27T20:00:00+08:00",
            "minutes": 120,
            "budget": "2000.00",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Create a need. Terms and requirements are read from its text unless they are given; `GET
        needs/{id}/matches/` returns the instruments that meet it. At most fifty needs may be open."""
        given: dict[str, Any] = {name: data.pop(name) for name in ("reference", "metadata") if name in data}
        return needs.need_make(self.by, values=values_of(data), given=given).pk

    @reads(_("A need"))
    def detail(self, pk: UUID) -> None:
        """Return a need as it is now."""

    @changes(_("Change a need"), NeedBody, method="put", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Replace a need by another; the payer stays, and what was noted at it."""
        return needs.need_change(self.by, need_id=pk, values=values_of(data)).pk

    @changes(
        _("Note a reference at a need"),
        ReferenceBody,
        named="_note",
        sends={"reference": "LIMS-2026-0417", "metadata": {"project": "P-17"}},
    )
    def note(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Note your own id of a need and your own named texts, as its author or a manager of the payer; its
        other readers do not see them."""
        return needs.need_note(self.by, need_id=pk, given=data).pk

    @OnPage(
        "bookings:need", _("Withdraw"), _("The need is withdrawn."), to=lambda pk: reverse("bookings:needs")
    )
    @acts(_("Withdraw a need"))
    def withdraw(self, pk: UUID, data: Any = None) -> UUID:
        """Stop looking for instruments that meet the need."""
        return needs.need_withdraw(self.by, need_id=pk).pk

    @OnPage("bookings:need", done=_("Saved."), form=ReaderForm, name="reader_form", part="#readers")
    @acts(_("Add a reader of a need"), PersonBody, versioned=False)
    def share(self, pk: UUID, data: dict[str, Any]) -> Need:
        """Let somebody else read a need, by id or mail address. Only its author and the payer's managers may
        do this. At most twenty readers. An address is accepted whether or not it belongs to an account;
        whoever has that account, or opens it later, can read the need."""
        return needs.need_share(self.by, need_id=pk, **data)

    @OnPage("bookings:need", done=_("Saved."))
    @acts(_("Remove a reader of a need"), PersonBody, versioned=False)
    def unshare(self, pk: UUID, data: dict[str, Any]) -> Need:
        """Stop letting somebody read a need."""
        return needs.need_unshare(self.by, need_id=pk, **data)

    @acts(_("Open another person's need"), shapes.ReasonBody, versioned=False, once=False)
    def open(self, pk: UUID, data: dict[str, Any]) -> Need:
        """Read a need once, as an auditor of the payer's region or an administrator; the trail records who
        did so and why."""
        return needs.need_open(self.by, need_id=pk, **data)

    @tells(_("The matches of a need"), MatchesShape, query=MatchQuery)
    def matches(self, pk: UUID, query: dict[str, Any]) -> dict[str, Any]:
        """Return the instruments that meet a need, at most fifty, with their earliest start, the price for
        the payer, and the reasons. None fails a requirement; hosts can be asked about what is not stated."""
        question = wanted_of(need_to_match(self.actor, pk))
        if instrument_id := query.get("instrument"):
            instrument = instrument_by_id(self.actor, instrument_id)
            return answers_json([load_answer(question, instrument, self.now)], question)
        return answers_json(load_matches(question, self.now), question)


def answers_json(answers: list[JudgedInstrument], question: Wanted) -> dict[str, Any]:
    """Return matches and near misses as `MatchesShape` takes them."""
    parameters = load_parameters()

    def fits(answer: JudgedInstrument) -> list[dict[str, Any]]:
        return [written(requirement) | {"fit": fit} for requirement, fit in answer.fits]

    return {
        "matches": [
            {
                "instrument": answer.instrument,
                "is_near": answer.is_near,
                "fit": round(answer.match.parts["fit"], 4),
                "requirements": fits(answer),
                "score": round(answer.match.score, 4),
                "parts": {name: round(answer.match.parts[name], 4) for name in PARTS},
                "reasons": reasons_of(answer, question, parameters),
                "service_mode": answer.mode,
                "start": answer.offer.starts[0],
                "price": quote_to_json(answer.offer.quote) if answer.offer.quote else None,
                "labels": answer.match.labels,
            }
            for answer in answers
            if answer.match is not None
        ],
        "left_out": [
            {
                "instrument": answer.instrument,
                "code": answer.gate,
                "text": GATE_TEXTS[answer.gate],
                "requirements": fits(answer),
            }
            for answer in answers
            if answer.match is None
        ],
    }
