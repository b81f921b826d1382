"""Purchase cases of the demonstration: one under review, the others decided."""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.domain.roles import PLATFORM, By
from bookings.reviews.adapters.schemes import shipped
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.services import cases
from bookings.reviews.services.opinions import Opinion, expert_ask, interest_declare, opinion_give
from bookings.reviews.services.promises import PledgeAnswer, pledge_answer
from bookings.reviews.services.schemes import schemes_load
from bookings.world import Places, World, lines_of


def end(world: World) -> str:
    """Load the schemes that come with the platform, and make the cases that the file describes."""
    places, now = world.places, world.now
    schemes_load(By(PLATFORM, now - timedelta(days=60)), schemes=shipped())
    rows = lines_of(__file__)["cases"]
    for row in rows:
        # Everything that needs the agreement happens on its first day.
        began = now - timedelta(days=row["days_ago"])
        day = timedelta(days=1) if row["days_ago"] else timedelta(0)
        people = {role: places.people[email].actor for role, email in row["people"].items()}
        values = {name: row[name] for name in cases.CaseValues.__annotations__ if name in row}
        for name in ("price", "travel", "marginal"):
            values[name] = Decimal(values[name])
        case = cases.case_make(By(people["author"], began), values=cases.CaseValues(**values))
        checker = By(people["manager"], began + day)
        cases.case_check(checker, case_id=case.pk)
        cases.case_submit(checker, case_id=case.pk)
        coordinator = By(people["coordinator"], began + 2 * day)
        if row["answers"]:
            cases.hosts_ask(coordinator, case_id=case.pk)
        cases.case_review(coordinator, case_id=case.pk)
        _answer(places, case, row, began + 3 * day)
        _advise(places, case, row, coordinator)
        if decision := row.get("decision"):
            decider = By(people["coordinator"], began + 5 * day)
            cases.case_decide(decider, case_id=case.pk, decision=cases.Decision(**decision))
    return f"{len(rows)} purchase cases"


def _answer(places: Places, case: PurchaseCase, row: dict[str, object], now: datetime) -> None:
    answers = row["answers"]
    assert isinstance(answers, dict)
    for pledge in HostPledge.objects.filter(case=case).select_related("host", "instrument"):
        if given := answers.get(pledge.host.code):
            by = By(places.manager_of(pledge.host).actor, now)
            first = now.date() + timedelta(days=1) if given["answer"] == "promise" else None
            pledge_answer(by, pledge_id=pledge.pk, answer=PledgeAnswer(**given, from_date=first))


def _advise(places: Places, case: PurchaseCase, row: dict[str, object], by: By) -> None:
    advice = row["opinion"]
    assert isinstance(advice, dict)
    expert = expert_ask(by, case_id=case.pk, person=advice["person"])
    own = By(places.people[advice["person"]].actor, by.now)
    interest_declare(own, expert_id=expert.pk, interest="")
    opinion = Opinion(advice["advice"], advice["grounds"], advice["text"])
    opinion_give(own, expert_id=expert.pk, opinion=opinion)
