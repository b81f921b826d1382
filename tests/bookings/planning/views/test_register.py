"""The public register of decisions, and a case on one page."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from accounts.domain.roles import By
from accounts.models import Organisation
from bookings.planning.selectors.register import load_figures
from bookings.planning.services.plans import plan_name_case
from bookings.reviews.models import PurchaseCase
from bookings.reviews.services.cases import case_appeal
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.cast import NOW, Cast, at
from tests.factories.planning import plan_of
from tests.factories.reviews import decided, submitted


@pytest.fixture
def case(cast: Cast, clock: Clock) -> PurchaseCase:  # noqa: F811
    return decided(cast)


def told(case: PurchaseCase, content: str) -> list[str]:
    """What of the applicant, of people and of what they wrote is in a text."""
    secret = (
        "Fudan", "复旦", "USTC", "中国科学技术大学", "Xu Fang", "Wang Li", "Alice", str(case.pk),
        case.reason, case.place, case.name, "2,000,000.00 –",
    )  # fmt: skip
    return [text for text in secret[:-1] if text in content]


def test_everybody_reads_it_and_nobody_is_named(case: PurchaseCase, client: Client) -> None:
    key = case.comparison.digest[:16]
    html = page_of(client.get("/planning/decisions/"))
    assert f"/planning/decisions/{key}/" in html and "CNY 2,000,000.00" in html
    one = page_of(client.get(f"/planning/decisions/{key}/"))
    file = b"".join(client.get("/planning/decisions/?format=csv").streaming_content).decode()
    assert f"{key},2026-03-01,PaNET01198,,regional,2000000,5000000,CNY,share_instead" in file
    api = client.get("/api/v1/review-register/").json()
    (row,) = api["results"]
    assert (row["key"], row["region"], row["hours"]) == (key, None, 400)
    figures = client.get(f"/api/v1/review-register/{key}/figures/").json()
    assert figures["compared"] == 1 and figures["promised_hours"] == 400
    for content in (html, one, file, json.dumps(api), json.dumps(figures)):
        assert told(case, content) == []


def test_hours_of_few_organisations_are_hidden_from_the_public(
    case: PurchaseCase, client: Client, settings: Any
) -> None:
    """Of one host alone nobody reads how much its instrument is used; who reads the case does."""
    content = case.comparison.content
    content["instruments"][0] |= {"effective_minutes": 300 * 60, "open_minutes": 2000 * 60}
    case.comparison.content = content  # as though its hours were rolled up
    case.comparison.save()
    key = case.comparison.digest[:16]
    api, page = f"/api/v1/review-register/{key}/figures/", f"/planning/decisions/{key}/"
    figures = client.get(api).json()
    assert figures["hidden"] == ["mean_hours", "spare_hours"]
    assert figures["mean_hours"] is figures["spare_hours"] is None
    html = page_of(client.get(page))
    assert "hidden" in html and "300" not in html
    settings.PUBLIC_LEAST_ORGANISATIONS = 1
    assert client.get(api).json()["mean_hours"] == 300 and "300" in page_of(client.get(page))
    assert load_figures(case)["hidden"] == []


def test_a_decision_is_of_the_month_it_is_where_the_applicant_is(
    case: PurchaseCase, client: Client, cast: Cast
) -> None:
    case.decided_at = at("2026-04-01 00:30")  # in UTC it is still March
    case.save()
    (row,) = client.get("/api/v1/review-register/").json()["results"]
    assert row["month"] == "2026-04-01"
    client.force_login(cast.wang)
    reader = PdfReader(BytesIO(client.get(f"/reviews/{case.pk}/pdf/").content))
    assert "1April2026" in "".join(reader.pages[0].extract_text().split())


def test_reasons_and_conditions_are_published_without_names(case: PurchaseCase, client: Client) -> None:
    case.decision_reason = "Wang Li of Fudan University (wang@fudan.example) can use it, says Xu Fang."
    case.conditions = "Two days a week for others; 复旦大学 reports each year."
    case.save()
    key = case.comparison.digest[:16]
    one = page_of(client.get(f"/planning/decisions/{key}/"))
    file = b"".join(client.get("/planning/decisions/?format=csv").streaming_content).decode()
    api = client.get(f"/api/v1/review-register/{key}/").json()
    assert (api["reason"], api["conditions"]) == (
        "… of … (…) can use it, says ….",
        "Two days a week for others; … reports each year.",
    )
    for content in (one, file, json.dumps(api, ensure_ascii=False)):
        assert api["reason"] in content and api["conditions"] in content
        assert told(case, content) == []


def test_the_region_is_told_where_enough_organisations_are(
    cast: Cast, case: PurchaseCase, client: Client
) -> None:
    for code in ("one", "two"):
        Organisation.objects.create(code=code, name=code, region=cast.shanghai)
    assert client.get("/api/v1/review-register/").json()["results"][0]["region"] == "CN-SH"
    assert "Shanghai" in page_of(client.get("/planning/decisions/"))


def test_nothing_is_told_before_the_decision_or_under_appeal(
    cast: Cast, case: PurchaseCase, client: Client
) -> None:
    submitted(cast)
    assert len(client.get("/api/v1/review-register/").json()["results"]) == 1
    case_appeal(By(cast.actor("chen"), NOW), case_id=case.pk, reason="We cannot travel.")
    assert client.get("/api/v1/review-register/").json()["results"] == []
    key = case.comparison.digest[:16]
    assert client.get(f"/planning/decisions/{key}/").status_code == 404
    assert client.get(f"/api/v1/review-register/{key}/").status_code == 404
    assert client.get("/planning/decisions/x/").status_code == 404


def test_a_case_is_one_page_in_both_languages(cast: Cast, case: PurchaseCase, client: Client) -> None:
    PurchaseCase.objects.filter(pk=case.pk).update(reason="很长的理由。" * 600)
    client.force_login(cast.chen)
    for path, language, word in (
        (f"/reviews/{case.pk}/pdf/", "en", "Break-even"),
        (f"/reviews/{case.pk}/pdf/", "zh-hans", "盈亏平衡"),
        (f"/api/v1/purchase-cases/{case.pk}/pdf/?lang=zh-hans", "zh-hans", "盈亏平衡"),
    ):
        answer = client.get(path, headers={"Accept-Language": language})
        reader = PdfReader(BytesIO(answer.content))
        assert len(reader.pages) == 1
        text = "".join(reader.pages[0].extract_text().split())
        assert word in text and case.comparison.digest in text
    client.force_login(cast.sun)
    assert client.get(f"/reviews/{case.pk}/pdf/").status_code == 404


def test_a_plan_becomes_a_case(cast: Cast, case: PurchaseCase) -> None:
    plan = plan_of(cast)
    named = plan_name_case(By(cast.actor("chen"), NOW), plan_id=plan.pk, case=case.pk)
    assert (named.state, named.case) == ("became_case", case)
