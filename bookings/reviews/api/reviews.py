"""Reviews before buying: schemes, purchase cases, what hosts and experts are asked."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, reads, tells
from accounts.api.shapes import (
    Choice,
    Day,
    Instant,
    ListOf,
    Money,
    Number,
    ReasonBody,
    Shape,
    Text,
    Whole,
)
from accounts.selectors.rows import visible
from bookings.needs.api.needs import RequirementBody
from bookings.reviews.domain import reviews as rules
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from bookings.reviews.selectors import cases as selectors
from bookings.reviews.selectors.comparison import evidence_of
from bookings.reviews.services import cases as services
from bookings.reviews.services.cases import CaseValues, Decision
from bookings.reviews.services.opinions import (
    Opinion,
    expert_ask,
    interest_declare,
    opinion_give,
)
from bookings.reviews.services.promises import MOST_YEARS, Answer, pledge_answer

_DECISIONS = [(s.value, s.label) for s in PurchaseCase.State if s.value in rules.DECISIONS]


class SchemeShape(serializers.Serializer[Any]):
    """The newest version of a scheme. Null or empty: it states nothing."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    regions = serializers.ListField(child=serializers.CharField())
    money = serializers.ListField(child=serializers.CharField())
    least = Money(allow_null=True)
    most = Money(allow_null=True)
    full_hours = serializers.IntegerField(allow_null=True)
    full_percent = serializers.CharField(allow_null=True)
    look = serializers.CharField()
    grounds = serializers.ListField(child=serializers.DictField())
    experts = serializers.IntegerField(allow_null=True)
    days = serializers.DictField()
    appeal_days = serializers.IntegerField(allow_null=True)
    valid_from = serializers.DateField(allow_null=True)
    read_from = serializers.CharField(source="source", help_text="Where it was read.")
    source_date = serializers.CharField()


class ReviewSchemes(Resource):
    at, key, name, many, tag = (
        "review-schemes/",
        "scheme_id",
        "review_scheme",
        "review_schemes",
        ("planning"),
    )
    shape, order = SchemeShape, ("code", "id")

    def visible(self, pk: UUID) -> ReviewScheme:
        return visible(ReviewScheme.objects.all(), pk=pk)

    @lists(_("Review schemes"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ReviewScheme]:
        """The newest version of each."""
        return selectors.newest_schemes()

    @reads(_("A review scheme"))
    def detail(self, pk: UUID) -> None:
        """One version of it, as cases were decided by."""


class CaseBody(Shape):
    """What is to be bought."""

    scheme = Text(40, help_text="A code of `GET review-schemes/`.")
    money = Choice(ReviewScheme.Money.choices)
    organisation = Text(
        40, required=False, help_text="The applicant: a code. Your only one, unless named."
    )
    techniques = ListOf(child=Text(60), help_text="Codes: its class.")
    name = Text(200, help_text="The standard name of what is to be bought.")
    reason = Text(4000)
    price = Number(15, 2, min_value=0)
    currency = Text(3)
    years = Whole(min_value=1, max_value=services.MOST_YEARS, help_text="Of use.")
    hours = Whole(min_value=1, max_value=services.MOST_HOURS, help_text="Needed a year.")
    place = Text(200)
    requirements = ListOf(child=RequirementBody(), default=list)
    upkeep_percent = Number(5, 2, min_value=0, max_value=100, default=rules.UPKEEP_PERCENT)
    staff = Number(15, 2, min_value=0, default=Decimal(0), help_text="A year.")
    space = Number(15, 2, min_value=0, default=Decimal(0), help_text="A year.")
    marginal = Number(15, 2, min_value=0, default=Decimal(0), help_text="What an own hour costs.")
    travel = Number(15, 2, min_value=0, default=Decimal(0), help_text="For an hour elsewhere.")


class CaseDecisionBody(Shape):
    decision = Choice(_DECISIONS)
    grounds = ListOf(child=Text(40), help_text="Codes: of the figures, or of the scheme.")
    reason = Text(4000)
    conditions = Text(4000, default="", allow_blank=True)
    pooled_with = serializers.UUIDField(required=False, allow_null=True)


class ExpertBody(Shape):
    person = Text(254, help_text="An id, or a mail address.")


class ServiceBody(Shape):
    instrument = serializers.UUIDField(help_text="The record of what was bought.")
    in_service_on = Day()


class CaseStepShape(serializers.Serializer[Any]):
    state = serializers.ChoiceField(PurchaseCase.State.choices)
    at = Instant()
    due_on = serializers.DateField(allow_null=True)


class FollowUpShape(serializers.Serializer[Any]):
    months = serializers.IntegerField()
    made_at = Instant()
    pledged_minutes = serializers.IntegerField()
    used_minutes = serializers.IntegerField()
    own_minutes = serializers.IntegerField()
    is_avoided = serializers.BooleanField()


class CaseShape(serializers.Serializer[Any]):
    """A purchase case."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    scheme = serializers.CharField(source="scheme.code")
    scheme_version = serializers.IntegerField(source="scheme.version")
    money = serializers.ChoiceField(ReviewScheme.Money.choices)
    techniques = serializers.ListField(child=serializers.CharField(), source="technique_codes")
    name = serializers.CharField()
    reason = serializers.CharField()
    price = Money()
    years = serializers.IntegerField()
    hours = serializers.IntegerField()
    upkeep_percent = serializers.CharField()
    staff = Money()
    space = Money()
    marginal = Money()
    travel = Money()
    requirements = serializers.ListField(child=serializers.DictField())
    place = serializers.CharField()
    state = serializers.ChoiceField(PurchaseCase.State.choices)
    due_on = serializers.DateField(allow_null=True)
    decision = serializers.CharField()
    grounds = serializers.ListField(child=serializers.CharField())
    decision_reason = serializers.CharField()
    conditions = serializers.CharField()
    decided_at = Instant(allow_null=True)
    steps = CaseStepShape(many=True, source="steps.all")
    follow_ups = FollowUpShape(many=True, source="follow_ups.all")
    created_at = Instant()
    changed_at = Instant()
    version = serializers.IntegerField()


class CaseFiguresShape(serializers.Serializer[Any]):
    """What the rules say of a comparison and of what hosts answered. Hours as decimal texts, null
    where there is no figure."""

    mean_hours = serializers.CharField(allow_null=True)
    spare_hours = serializers.CharField()
    unmet_hours = serializers.CharField()
    promised_hours = serializers.CharField()
    coverage = serializers.CharField()
    wait_hours = serializers.CharField(allow_null=True)
    own_cost = serializers.CharField(help_text="A year, in the currency of the case.")
    shared_cost = serializers.CharField(allow_null=True, help_text="Of an hour elsewhere.")
    break_even_hours = serializers.IntegerField(allow_null=True)
    grounds_for = serializers.ListField(child=serializers.CharField())
    grounds_against = serializers.ListField(child=serializers.CharField())
    excluding = serializers.DictField(child=serializers.IntegerField())
    contradicted = serializers.ListField(child=serializers.UUIDField())


class ComparisonShape(serializers.Serializer[Any]):
    """The evidence as it was frozen, its SHA-256 over canonical JSON (RFC 8785), and the figures;
    all null before it is submitted."""

    content = serializers.DictField(allow_null=True)
    digest = serializers.CharField(allow_null=True)
    figures = CaseFiguresShape(allow_null=True)


class CaseQuery(Pages):
    state = Choice(PurchaseCase.State.choices, required=False)
    waits = Choice([("decide", "decide")], required=False, help_text="For coordinators.")


class PurchaseCases(Resource):
    at, key, name, many = "purchase-cases/", "case_id", "purchase_case", "purchase_cases"
    tag, shape, needs_person = "planning", CaseShape, True
    write_scope = "manage"

    def visible(self, pk: UUID) -> PurchaseCase:
        return selectors.case_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        full = selectors.cases().prefetch_related("steps", "follow_ups")
        by_id = {row.pk: row for row in full.filter(pk__in=[row.pk for row in rows])}
        every: list[Any] = [by_id[row.pk] for row in rows]
        for row in every:
            row.technique_codes = sorted(one.code for one in row.techniques.all())
        return every

    @lists(_("Purchase cases"), CaseQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[PurchaseCase]:
        """One's own and those of organisations whose manager one is; once submitted, those of the
        regions one coordinates or audits; the newest first."""
        rows = selectors.cases_for(self.actor)
        if "waits" in query:
            rows = selectors.cases_to_decide(self.actor)
        return rows.filter(state=query["state"]) if "state" in query else rows

    @creates(
        _("Begin a purchase case"),
        CaseBody,
        refuses=[403],
        sends={
            "scheme": "cn-shanghai",
            "money": "regional",
            "organisation": "wusong-tech",
            "techniques": ["PaNET01198"],
            "name": "Transmission electron microscope",
            "reason": "Our students wait for months.",
            "price": "2000000.00",
            "currency": "CNY",
            "years": 5,
            "hours": 400,
            "place": "Baoshan campus",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Keep what is to be bought, as a draft."""
        return services.case_make(self.by, values=CaseValues(**data)).pk

    @reads(_("A purchase case"))
    def detail(self, pk: UUID) -> None:
        """As it is now; also for who is asked about it as an expert."""

    @changes(_("Change a purchase case"), CaseBody, method="put", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Put another in its place while it is a draft; the applicant stays."""
        return services.case_change(self.by, case_id=pk, values=CaseValues(**data)).pk

    @tells(_("The comparison of a purchase case"), ComparisonShape)
    def comparison(self, pk: UUID, query: Any = None) -> dict[str, Any]:
        """What is there already: every instrument of the class where the scheme looks."""
        case = self.visible(pk)
        evidence = evidence_of(case)
        if evidence is None:
            return {"content": None, "digest": None, "figures": None}
        figures, unmet = evidence.figures, evidence.unmet
        return {
            "content": case.comparison.content,
            "digest": case.comparison.digest,
            "figures": {
                "mean_hours": _decimal(figures.mean),
                "spare_hours": _decimal(figures.spare),
                "unmet_hours": _decimal(
                    (unmet["refused"] + unmet["searched"] + unmet["waited"]) / 60
                ),
                "promised_hours": _decimal(figures.promised),
                "coverage": _decimal(figures.coverage, 4),
                "wait_hours": _decimal(evidence.wait),
                "own_cost": f"{figures.own_cost}",
                "shared_cost": None if figures.shared is None else f"{figures.shared}",
                "break_even_hours": figures.break_even,
                "grounds_for": figures.grounds_for,
                "grounds_against": figures.grounds_against,
                "excluding": evidence.excluding,
                "contradicted": sorted(evidence.contradicted),
            },
        }

    @acts(_("Check a purchase case"))
    def check(self, pk: UUID, data: Any = None) -> UUID:
        """For another manager of the applicant than who made it."""
        return services.case_check(self.by, case_id=pk).pk

    @acts(_("Make a draft of a checked case"))
    def reopen(self, pk: UUID, data: Any = None) -> UUID:
        """To change it once more."""
        return services.case_reopen(self.by, case_id=pk).pk

    @acts(_("Submit a purchase case"))
    def submit(self, pk: UUID, data: Any = None) -> UUID:
        """To the coordinators of the region. The comparison is frozen."""
        return services.case_submit(self.by, case_id=pk).pk

    @acts(_("Withdraw a purchase case"), ReasonBody)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Before it is decided."""
        return services.case_withdraw(self.by, case_id=pk, **data).pk

    @acts(_("Ask hosts for hours"))
    def hosts(self, pk: UUID, data: Any = None) -> UUID:
        """For coordinators: all hosts of compared instruments that may fit."""
        return services.hosts_ask(self.by, case_id=pk).pk

    @acts(_("Ask an expert"), ExpertBody, versioned=False)
    def experts(self, pk: UUID, data: dict[str, Any]) -> PurchaseCase:
        """For coordinators. Who belongs to the applicant or a compared host is barred."""
        expert_ask(self.by, case_id=pk, **data)
        return self.visible(pk)

    @acts(_("Begin the review"))
    def review(self, pk: UUID, data: Any = None) -> UUID:
        """For coordinators: opinions are given from now on."""
        return services.case_review(self.by, case_id=pk).pk

    @acts(_("Decide on a purchase case"), CaseDecisionBody)
    def decide(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For coordinators with no part in it. Where hours are shared instead, every promise
        becomes kept hours."""
        return services.case_decide(self.by, case_id=pk, decision=Decision(**data)).pk

    @acts(_("Appeal against a decision"), ReasonBody)
    def appeal(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Once, within fifteen working days unless the scheme says otherwise."""
        return services.case_appeal(self.by, case_id=pk, **data).pk

    @acts(_("Say that it is ordered"))
    def ordered(self, pk: UUID, data: Any = None) -> UUID:
        """After an approval."""
        return services.case_order(self.by, case_id=pk).pk

    @acts(_("Say that it is in service"), ServiceBody)
    def in_service(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """It is followed up twelve and twenty-four months after."""
        return services.case_in_service(
            self.by,
            case_id=pk,
            instrument_id=data["instrument"],
            in_service_on=data["in_service_on"],
        ).pk


class PledgeShape(serializers.Serializer[Any]):
    """What a host is asked, and answers: an empty `answer` is no answer."""

    id = serializers.UUIDField()
    case = serializers.UUIDField(source="case_id")
    applicant = serializers.CharField(source="case.organisation.code")
    name = serializers.CharField(source="case.name")
    hours_needed = serializers.IntegerField(source="case.hours")
    instrument = serializers.UUIDField(source="instrument_id")
    due_on = serializers.DateField()
    answer = serializers.CharField()
    hours = serializers.IntegerField(allow_null=True)
    price = Money(allow_null=True)
    from_date = serializers.DateField(allow_null=True)
    years = serializers.IntegerField()
    reason = serializers.CharField()
    note = serializers.CharField()
    kept_hours = serializers.UUIDField(
        allow_null=True, source="kept_hours_id", help_text="Those of the first year."
    )
    version = serializers.IntegerField()


class PledgeAnswerBody(Shape):
    """A promise of hours a year from a day on, or why not."""

    answer = Choice(HostPledge.Answer.choices)
    hours = Whole(min_value=1, required=False, allow_null=True)
    price = Number(12, 2, min_value=0, required=False, allow_null=True, help_text="An hour.")
    currency = Text(3, default="", allow_blank=True)
    from_date = Day(required=False, allow_null=True)
    years = Whole(min_value=1, max_value=MOST_YEARS, default=1, help_text="Each with these hours.")
    reason = Choice(HostPledge.Reason.choices, default="", allow_blank=True)
    note = Text(1000, default="", allow_blank=True)


class HostPledges(Resource):
    at, key, name, many = "host-pledges/", "pledge_id", "host_pledge", "host_pledges"
    tag, shape, needs_person = "planning", PledgeShape, True
    write_scope, order = "manage", ("-asked_at", "-id")

    def visible(self, pk: UUID) -> HostPledge:
        return visible(selectors.pledges_asked(self.actor), pk=pk)

    @lists(_("Host pledges"))
    def rows(self, query: dict[str, Any]) -> QuerySet[HostPledge]:
        """What hosts whose manager one is are asked."""
        return selectors.pledges_asked(self.actor)

    @reads(_("A host pledge"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""

    @acts(_("Answer about hours"), PledgeAnswerBody)
    def answer(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Promise hours or deny them; anew until the case is decided."""
        return pledge_answer(self.by, pledge_id=pk, answer=Answer(**data)).pk


class OpinionShape(serializers.Serializer[Any]):
    """What somebody is asked as an expert."""

    id = serializers.UUIDField()
    case = serializers.UUIDField(source="case_id")
    name = serializers.CharField(source="case.name")
    asked_at = Instant()
    declared_at = Instant(allow_null=True)
    interest = serializers.CharField()
    barred = serializers.CharField()
    advice = serializers.CharField()
    grounds = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField()
    given_at = Instant(allow_null=True)


class InterestBody(Shape):
    interest = Text(1000, default="", allow_blank=True, help_text="Empty: there is none.")


class OpinionBody(Shape):
    advice = Choice(CaseExpert.Advice.choices)
    grounds = ListOf(child=Text(40), default=list)
    text = Text(4000)


class CaseOpinions(Resource):
    at, key, name, many = "case-opinions/", "expert_id", "case_opinion", "case_opinions"
    tag, shape, needs_person = "planning", OpinionShape, True
    write_scope, order = "book", ("-asked_at", "-id")

    def visible(self, pk: UUID) -> CaseExpert:
        return visible(selectors.opinions_asked(self.actor), pk=pk)

    @lists(_("Opinions one is asked for"))
    def rows(self, query: dict[str, Any]) -> QuerySet[CaseExpert]:
        """One's own, the newest first."""
        return selectors.opinions_asked(self.actor)

    @reads(_("An opinion one is asked for"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""

    @acts(_("Declare an interest"), InterestBody, versioned=False)
    def declare(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Or that there is none, which comes before an opinion."""
        return interest_declare(self.by, expert_id=pk, **data).pk

    @acts(_("Give an opinion"), OpinionBody, versioned=False)
    def give(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """While the case is under review."""
        return opinion_give(self.by, expert_id=pk, opinion=Opinion(**data)).pk


def _decimal(hours: Any, digits: int = 2) -> str | None:
    """A fraction as a decimal text, rounded to so many digits."""
    return None if hours is None else f"{round(float(hours), digits):.{digits}f}"
