"""Versions of the rate card and its editor."""

import pytest
from django.urls import reverse

from instruments.models import RateCard
from tests.factories.cast import CARD
from tests.instruments.views.conftest import typed


def address(cast):
    return reverse("instruments:rate-cards", args=[cast.microscope.pk])


def shown(client, cast, **query):
    return client.get(address(cast), query).context["form"]


def newest() -> RateCard:
    return RateCard.objects.order_by("version").last()


def test_form_begins_with_the_newest_card_and_gives_it_back(cast, zhao):
    form = shown(zhao, cast)
    assert form["valid_from"].value().isoformat() == "2026-03-05"
    before = newest().card
    response = zhao.post(address(cast), typed(form, draft="1"))
    assert response.status_code == 302
    made = newest()
    assert made.version == 2
    assert made.published_at is None
    assert made.card == before | {"valid_from": "2026-03-05"}


def test_card_with_everything(cast, zhao):
    sent = typed(
        shown(zhao, cast),
        publish="1",
        valid_from="2026-04-01",
        rate_industry="",
        rate_external="300",
        billing_increment_minutes="30",
        daily_cap_minutes="600",
        charge_basis="greater",
        band_0_code="late night",
        band_0_weekdays=["1", "5", "holidays"],
        band_0_opens="20",
        band_0_closes="8:00",
        band_0_multiplier="0.5",
        tier_1_after="8",
        tier_1_multiplier="0.8",
        option_2_code="grid",
        option_2_unit="each",
        option_2_price="35",
        step_2_notice="0",
        step_2_percent="0",
    )
    assert zhao.post(address(cast), sent).status_code == 302
    card = newest().card
    assert "industry" not in card["rates"]
    assert card["rates"]["external"] == "300"
    assert card["bands"] == [
        {
            "code": "late-night",
            "weekdays": [1, 5],
            "holidays": True,
            "opens": "20:00",
            "closes": "08:00",
            "multiplier": "0.5",
        }
    ]
    assert card["tiers"] == [
        {"after_minutes": 0, "multiplier": "1"},
        {"after_minutes": 480, "multiplier": "0.8"},
    ]
    assert [o["code"] for o in card["options"]] == ["operator", "grid"]
    assert card["cancellation"][-1] == {"notice_minutes": 0, "percent": "0"}
    assert card["daily_cap_minutes"] == 600
    page = zhao.get(address(cast))
    assert [v["state"] for v in page.context["versions"]] == ["coming", "in-force"]
    assert page.context["form"]["tier_0_after"].value() == "8"
    assert page.context["form"]["band_0_weekdays"].value() == ["1", "5", "holidays"]


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"rate_internal": "-1"}, "rate_internal", "greater than or equal to 0"),
        ({"valid_from": ""}, "valid_from", "This field is required."),
        ({"setup_fee": "1.005"}, "setup_fee", "too many decimals: at most 2"),
        ({"valid_until": "2026-01-01"}, "valid_until", "This must be after the first day."),
        ({"tax_percent": "101"}, "tax_percent", "less than or equal to 100"),
        ({"band_1_code": "night"}, "band_1_weekdays", "This is needed."),
        (
            {
                "band_1_code": "standard",
                "band_1_weekdays": ["1"],
                "band_1_opens": "20:00",
                "band_1_closes": "08:00",
                "band_1_multiplier": "1",
            },
            "band_1_code",
            "This code has a meaning of its own.",
        ),
        (
            {
                "band_1_code": "night",
                "band_1_weekdays": ["1"],
                "band_1_opens": "33:00",
                "band_1_closes": "08:00",
                "band_1_multiplier": "1",
            },
            "band_1_opens",
            "This must be a time such as 08:30.",
        ),
        ({"option_1_code": "operator", "option_1_price": "5"}, "option_1_code", "named twice"),
        (
            {
                "tier_0_after": "8", "tier_0_multiplier": "1",
                "tier_1_after": "4", "tier_1_multiplier": "1",
            },
            "tier_1_after",
            "Each tier must begin after the one before it.",
        ),
        ({"tier_0_after": "0.001", "tier_0_multiplier": "1"}, "tier_0_after", "whole minutes"),
        ({"step_3_notice": "24", "step_3_percent": "10"}, "step_3_notice", "This is named twice."),
    ],
)  # fmt: skip
def test_refused_at_the_field_and_nothing_written(cast, zhao, changes, field, text):
    sent = typed(shown(zhao, cast), rate_regional="211.11", publish="1") | changes
    response = zhao.post(address(cast), sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert 'value="211.11"' in html
    assert RateCard.objects.count() == 1


def test_no_rate_at_all_is_refused(cast, zhao):
    sent = typed(shown(zhao, cast)) | {f"rate_{group}": "" for group in CARD["rates"]}
    response = zhao.post(address(cast), sent)
    assert response.context["form"].errors["rate_internal"] == ["At least one group needs a rate."]


def test_overlap_is_said_at_the_first_day(cast, zhao):
    zhao.post(
        address(cast),
        typed(shown(zhao, cast), valid_from="2026-05-01", valid_until="2026-06-01", publish="1"),
    )
    response = zhao.post(
        address(cast), typed(shown(zhao, cast), valid_from="2026-04-01", publish="1")
    )
    assert response.status_code == 400
    assert "Version 1 is in force on some of these days." in response.content.decode()


def test_version_to_start_from(cast, zhao):
    zhao.post(address(cast), typed(shown(zhao, cast), rate_regional="999", draft="1"))
    assert str(shown(zhao, cast)["rate_regional"].value()) == "999"
    assert str(shown(zhao, cast, **{"from": "1"})["rate_regional"].value()) == "200.00"
    assert zhao.get(address(cast), {"from": "nonsense"}).status_code == 200


def test_statements_do_not_grow_with_versions(cast, zhao, django_assert_max_num_queries):
    zhao.get(address(cast))
    for _ in range(3):
        zhao.post(address(cast), typed(shown(zhao, cast), draft="1"))
    with django_assert_max_num_queries(9):
        zhao.get(address(cast))
