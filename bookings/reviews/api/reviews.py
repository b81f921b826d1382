"""Reviews of purchases: schemes, purchase cases, requests to hosts and experts."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import OnPage, Resource, acts, changes, creates, lists, reads, rendered, tells
from accounts.api.schema import operation
from accounts.api.shapes import (
    Amount,
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
    checked,
)
from accounts.domain.currencies import in_decimals
from accounts.selectors.rows import visible
from bookings.needs.api.needs import RequirementBody
from bookings.record.api.lists import listed
from bookings.reviews.domain import reviews as rules
from bookings.reviews.forms import reviews
from bookings.reviews.forms.schemes import MOST_SCHEME
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from bookings.reviews.selectors import cases as selectors
from bookings.reviews.selectors.comparison import evidence_of
from bookings.reviews.services import cases as services
from bookings.reviews.services.cases import CaseValues, Decision
from bookings.reviews.services.opinions import Opinion, expert_ask, interest_declare, opinion_give
from bookings.reviews.services.promises import PledgeAnswer, pledge_answer
from bookings.reviews.services.schemes import scheme_check, scheme_enter

SCHEME = {"text": '{"code": "cn-central", "experts": 5, ...}', "reason": "Circular 12 of 2026."}
_DECISIONS = [(s.value, s.label) for s in PurchaseCase.State if s.value in rules.DECISIONS]


class SchemeShape(serializers.Serializer[Any]):
    """The newest version of a scheme. A null or empty value is not stated by it."""

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
    read_from = serializers.CharField(source="source", help_text="The source of the scheme.")
    source_date = serializers.CharField()


class SchemeBody(Shape):
    text = Text(MOST_SCHEME, help_text="The scheme as a JSON text, as `load_review_schemes` reads it.")
    reason = Text(500, help_text="Why; the trail has it.")


class SchemeCheckBody(Shape):
    text = Text(MOST_SCHEME, help_text="The scheme as a JSON text, as `load_review_schemes` reads it.")


class SchemeChangeShape(serializers.Serializer[Any]):
    """A part of the scheme that would change. Null: not stated."""

    name = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class SchemeCheckShape(serializers.Serializer[Any]):
    changes = SchemeChangeShape(many=True)


class SchemeCheck(Endpoint):
    needs_person = True

    @operation(
        "review_scheme_check", _("Check a review scheme"), tag="planning", takes=SchemeCheckBody,
        gives=SchemeCheckShape, refuses=[403, 409], sends={"text": SCHEME["text"]},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Return what a new version of a scheme would change; nothing is stored. Only administrators may do
        this."""
        data = checked(SchemeCheckBody, request.data)
        return Response(rendered(SchemeCheckShape, {"changes": scheme_check(self.by, **data)}))


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
        """Return the newest version of each scheme."""
        return selectors.newest_schemes()

    @creates(_("Make a version of a review scheme"), SchemeBody, refuses=[403, 409], sends=SCHEME)
    def enter(self, data: dict[str, Any]) -> UUID:
        """Make a new version of a scheme, for purchase cases that begin from now on; those there are keep
        theirs. Only administrators may do this."""
        return scheme_enter(self.by, **data).pk

    @reads(_("A review scheme"))
    def detail(self, pk: UUID) -> None:
        """Return a version of a review scheme, by which cases were decided."""


class CaseBody(Shape):
    """The planned purchase of a case."""

    scheme = Text(40, help_text="Code of a scheme from `GET review-schemes/`.")
    money = Choice(ReviewScheme.Money.choices)
    organisation = Text(
        40, required=False, help_text="Code of the applicant; default: your only organisation."
    )
    techniques = ListOf(child=Text(60), help_text="Codes of the techniques that are its class.")
    name = Text(200, help_text="Standard name of the instrument to buy.")
    reason = Text(4000)
    price = Number(15, 2, min_value=0)
    currency = Text(3)
    years = Whole(min_value=1, max_value=services.MOST_YEARS, help_text="Years of use.")
    hours = Whole(min_value=1, max_value=services.MOST_HOURS, help_text="Hours needed per year.")
    place = Text(200)
    requirements = ListOf(child=RequirementBody(), default=list)
    upkeep_percent = Number(5, 2, min_value=0, max_value=100, default=rules.UPKEEP_PERCENT)
    staff = Number(15, 2, min_value=0, default=Decimal(0), help_text="Cost of staff per year.")
    space = Number(15, 2, min_value=0, default=Decimal(0), help_text="Cost of space per year.")
    marginal = Number(15, 2, min_value=0, default=Decimal(0), help_text="Running cost per hour of use.")
    travel = Number(
        15, 2, min_value=0, default=Decimal(0), help_text="Cost of travel per hour on a shared instrument."
    )


class CaseDecisionBody(Shape):
    decision = Choice(_DECISIONS)
    grounds = ListOf(child=Text(40), help_text="Codes of grounds, from the figures or from the scheme.")
    reason = Text(4000)
    conditions = Text(4000, default="", allow_blank=True)
    pooled_with = serializers.UUIDField(required=False, allow_null=True)


class ServiceBody(Shape):
    instrument = serializers.UUIDField(help_text="Id of the instrument that was bought.")
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
    """Figures computed from a comparison and the hosts' answers. Hours are decimal texts, null if there is no
    figure."""

    mean_hours = serializers.CharField(allow_null=True)
    spare_hours = serializers.CharField()
    unmet_hours = serializers.CharField()
    promised_hours = serializers.CharField()
    coverage = serializers.CharField()
    wait_hours = serializers.CharField(allow_null=True)
    own_cost = Amount(help_text="Cost per year of buying, in the currency of the case.")
    shared_cost = Amount(allow_null=True, help_text="Cost per hour on a shared instrument.")
    break_even_hours = serializers.IntegerField(allow_null=True)
    grounds_for = serializers.ListField(child=serializers.CharField())
    grounds_against = serializers.ListField(child=serializers.CharField())
    excluding = serializers.DictField(child=serializers.IntegerField())
    contradicted = serializers.ListField(child=serializers.UUIDField())


class ComparisonShape(serializers.Serializer[Any]):
    """The frozen evidence, its SHA-256 over canonical JSON (RFC 8785), and the figures; all null before the
    case is submitted."""

    content = serializers.DictField(allow_null=True)
    digest = serializers.CharField(allow_null=True)
    figures = CaseFiguresShape(allow_null=True)


def _button(act: str, label: Any, done: Any) -> OnPage:
    """Return how the page of a case sends an act that needs only a button."""
    return OnPage(
        "bookings:review", label, done, offered=lambda by, case: selectors.offers(by.actor, case, act)
    )


class PurchaseCases(Resource):
    for_persons = True
    at, key, name, many = "purchase-cases/", "case_id", "purchase_case", "purchase_cases"
    tag, shape, needs_person = "planning", CaseShape, True
    write_scope, page_at, page_name = "manage", "reviews/", "review"

    def visible(self, pk: UUID) -> PurchaseCase:
        return selectors.case_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        full = selectors.cases().prefetch_related("steps", "follow_ups")
        by_id = {row.pk: row for row in full.filter(pk__in=[row.pk for row in rows])}
        every: list[Any] = [by_id[row.pk] for row in rows]
        for row in every:
            row.technique_codes = sorted(one.code for one in row.techniques.all())
        return every

    @listed(_("Purchase cases"), selectors.CASES)
    def rows(self, query: dict[str, Any]) -> QuerySet[PurchaseCase]:
        """Return your own cases and those of organisations you manage; once submitted, those of regions you
        coordinate or audit; the newest first."""
        return selectors.cases_for(self.actor)

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
        """Create a case for a planned purchase, as a draft."""
        return services.case_make(self.by, values=CaseValues(**data)).pk

    @reads(_("A purchase case"))
    def detail(self, pk: UUID) -> None:
        """Return a case as it is now; experts who are asked about it may read it too."""

    @changes(_("Change a purchase case"), CaseBody, method="put", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Replace the values of a draft; the applicant stays."""
        return services.case_change(self.by, case_id=pk, values=CaseValues(**data)).pk

    @tells(_("The comparison of a purchase case"), ComparisonShape)
    def comparison(self, pk: UUID, query: Any = None) -> dict[str, Any]:
        """Return the existing instruments of the class in the area that the scheme covers."""
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
                "unmet_hours": _decimal((unmet["refused"] + unmet["searched"] + unmet["waited"]) / 60),
                "promised_hours": _decimal(figures.promised),
                "coverage": _decimal(figures.coverage, 4),
                "wait_hours": _decimal(evidence.wait),
                "own_cost": in_decimals(figures.own_cost, case.currency),
                "shared_cost": None if figures.shared is None else in_decimals(figures.shared, case.currency),
                "break_even_hours": figures.break_even,
                "grounds_for": figures.grounds_for,
                "grounds_against": figures.grounds_against,
                "excluding": evidence.excluding,
                "contradicted": sorted(evidence.contradicted),
            },
        }

    @_button("check", _("Mark as checked"), _("The case is checked. Submit it when it is final."))
    @acts(_("Check a purchase case"))
    def check(self, pk: UUID, data: Any = None) -> UUID:
        """Check a case, as a manager of the applicant other than the one who made it."""
        return services.case_check(self.by, case_id=pk).pk

    @_button("reopen", _("Back to draft"), _("The case is a draft again."))
    @acts(_("Return a checked case to draft"))
    def reopen(self, pk: UUID, data: Any = None) -> UUID:
        """Reopen a case as a draft, which can be changed again."""
        return services.case_reopen(self.by, case_id=pk).pk

    @_button("submit", _("Submit"), _("The case is submitted, and its comparison is frozen."))
    @acts(_("Submit a purchase case"))
    def submit(self, pk: UUID, data: Any = None) -> UUID:
        """Submit a case to the coordinators of its region. Its comparison is frozen."""
        return services.case_submit(self.by, case_id=pk).pk

    @_button("withdraw", _("Withdraw"), _("The case is withdrawn."))
    @acts(_("Withdraw a purchase case"), ReasonBody)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Withdraw a case before it is decided."""
        return services.case_withdraw(self.by, case_id=pk, **data).pk

    @_button("ask_hosts", _("Ask the hosts"), _("The hosts are asked."))
    @acts(_("Ask hosts for hours"))
    def hosts(self, pk: UUID, data: Any = None) -> UUID:
        """Ask all hosts of compared instruments that may fit to pledge hours. Only coordinators may do
        this."""
        return services.hosts_ask(self.by, case_id=pk).pk

    @OnPage("bookings:review", done=_("The expert is asked."), form=reviews.ExpertForm, name="expert_form")
    @acts(_("Ask an expert"), reviews.ExpertBody, versioned=False)
    def experts(self, pk: UUID, data: dict[str, Any]) -> PurchaseCase:
        """Ask experts for their opinions. Only coordinators may do this. People who belong to the applicant
        or a compared host are barred."""
        expert_ask(self.by, case_id=pk, **data)
        return self.visible(pk)

    @_button("review", _("Begin the review"), _("The review has begun."))
    @acts(_("Begin the review"))
    def review(self, pk: UUID, data: Any = None) -> UUID:
        """Begin the review, during which experts give their opinions. Only coordinators may do this."""
        return services.case_review(self.by, case_id=pk).pk

    @acts(_("Decide on a purchase case"), CaseDecisionBody)
    def decide(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Decide a case. Only coordinators who have no part in it may do this. If hours are shared instead,
        every promise becomes guaranteed hours."""
        return services.case_decide(self.by, case_id=pk, decision=Decision(**data)).pk

    @OnPage(
        "bookings:review",
        done=_("The case is under review again."),
        form=reviews.AppealForm,
        name="appeal_form",
    )
    @acts(_("Appeal against a decision"), reviews.AppealBody)
    def appeal(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Appeal against the decision, as the applicant: once, and within fifteen working days unless the
        scheme says otherwise."""
        return services.case_appeal(self.by, case_id=pk, **data).pk

    @_button("order", _("It is ordered"), _("The case is marked as ordered."))
    @acts(_("Mark a purchase as ordered"))
    def ordered(self, pk: UUID, data: Any = None) -> UUID:
        """Record that the instrument was ordered, once the case is approved."""
        return services.case_order(self.by, case_id=pk).pk

    @acts(_("Mark a purchase as in service"), ServiceBody)
    def in_service(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Record that the instrument is in service; it is followed up twelve and twenty-four months later."""
        return services.case_in_service(
            self.by, case_id=pk, instrument_id=data["instrument"], in_service_on=data["in_service_on"]
        ).pk


class PledgeShape(serializers.Serializer[Any]):
    """A request to a host, and its answer; `answer` is empty until the host answers."""

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
        allow_null=True, source="kept_hours_id", help_text="Id of the guaranteed hours of the first year."
    )
    version = serializers.IntegerField()


class HostPledges(Resource):
    for_persons = True
    at, key, name, many = "host-pledges/", "pledge_id", "host_pledge", "host_pledges"
    tag, shape, needs_person = "planning", PledgeShape, True
    write_scope, order = "manage", ("-asked_at", "-id")
    page_at, page_name = "reviews/pledges/", "review-pledge"

    def visible(self, pk: UUID) -> HostPledge:
        return visible(selectors.pledges_asked(self.actor), pk=pk)

    @lists(_("Host pledges"))
    def rows(self, query: dict[str, Any]) -> QuerySet[HostPledge]:
        """Return the requests to hosts that you manage."""
        return selectors.pledges_asked(self.actor)

    @reads(_("A host pledge"))
    def detail(self, pk: UUID) -> None:
        """Return a pledge as it is now."""

    @OnPage(
        "bookings:review-pledge",
        done=_("Your answer is saved. You can change it until the case is decided."),
        form=reviews.PledgeForm,
    )
    @acts(_("Answer about hours"), reviews.PledgeAnswerBody)
    def answer(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Pledge hours, or decline. The answer can be replaced until the case is decided."""
        return pledge_answer(self.by, pledge_id=pk, answer=PledgeAnswer(**data)).pk


class OpinionShape(serializers.Serializer[Any]):
    """A request for somebody's opinion as an expert."""

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
    interest = Text(1000, default="", allow_blank=True, help_text="Your conflict of interest. Empty: none.")


class OpinionBody(Shape):
    advice = Choice(CaseExpert.Advice.choices)
    grounds = ListOf(child=Text(40), default=list)
    text = Text(4000)


class CaseOpinions(Resource):
    for_persons = True
    at, key, name, many = "case-opinions/", "expert_id", "case_opinion", "case_opinions"
    tag, shape, needs_person = "planning", OpinionShape, True
    write_scope, order = "book", ("-asked_at", "-id")

    def visible(self, pk: UUID) -> CaseExpert:
        return visible(selectors.opinions_asked(self.actor), pk=pk)

    @lists(_("Opinions you are asked for"))
    def rows(self, query: dict[str, Any]) -> QuerySet[CaseExpert]:
        """Return the opinions that you are asked for, the newest first."""
        return selectors.opinions_asked(self.actor)

    @reads(_("An opinion you are asked for"))
    def detail(self, pk: UUID) -> None:
        """Return an opinion as it is now."""

    @acts(_("Declare an interest"), InterestBody, versioned=False)
    def declare(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Declare an interest in the case, or with an empty text that you have none. An opinion can only be
        given after that."""
        return interest_declare(self.by, expert_id=pk, **data).pk

    @acts(_("Give an opinion"), OpinionBody, versioned=False)
    def give(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Give your opinion while the case is under review."""
        return opinion_give(self.by, expert_id=pk, opinion=Opinion(**data)).pk


def _decimal(hours: Any, digits: int = 2) -> str | None:
    """Return a fraction as a decimal text, rounded to `digits` digits."""
    return None if hours is None else f"{round(float(hours), digits):.{digits}f}"
