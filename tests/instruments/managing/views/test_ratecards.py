"""Versions of the rate card and its editor."""

import pytest
from django.urls import reverse

from instruments.rates.models import RateCard
from tests.factories.cast import CARD, reserve
from tests.instruments.conftest import typed


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


def test_nobody_has_to_think_of_a_code(cast, zhao):
    """It is made from the English name; of two that are alike each has its own."""
    rows = {"option_2_name": "TEM grid", "option_3_name": "TEM grid", "option_4_name_zh": "液氮"}
    rows |= {f"option_{n}_price": "35" for n in (2, 3, 4)} | {"option_rows": "5"}
    sent = typed(shown(zhao, cast), publish="1", valid_from="2026-04-01", **rows)
    assert zhao.post(address(cast), sent).status_code == 302
    made = [(option["code"], option.get("name", "")) for option in newest().card["options"][1:]]
    assert made == [("tem-grid", "TEM grid"), ("tem-grid-option-4", "TEM grid"), ("option-5", "")]


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"option_1_price": "5"}, "option_1_name", "This field is required."),
        ({"rate_internal": "-1"}, "rate_internal", "greater than or equal to 0"),
        ({"valid_from": ""}, "valid_from", "This field is required."),
        ({"setup_fee": "1.005"}, "setup_fee", "too many decimals: at most 2"),
        ({"valid_until": "2026-01-01"}, "valid_until", "This must be after the first day."),
        ({"tax_percent": "101"}, "tax_percent", "less than or equal to 100"),
        ({"band_1_code": "night"}, "band_1_weekdays", "This field is required."),
        (
            {
                "band_1_code": "standard",
                "band_1_weekdays": ["1"],
                "band_1_opens": "20:00",
                "band_1_closes": "08:00",
                "band_1_multiplier": "1",
            },
            "band_1_code",
            "This code is reserved.",
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
        ({"option_1_code": "operator", "option_1_price": "5"}, "option_1_code", "listed twice"),
        (
            {
                "tier_0_after": "8", "tier_0_multiplier": "1",
                "tier_1_after": "4", "tier_1_multiplier": "1",
            },
            "tier_1_after",
            "Each tier must begin after the one before it.",
        ),
        ({"tier_0_after": "0.001", "tier_0_multiplier": "1"}, "tier_0_after", "whole number of minutes"),
        ({"step_3_notice": "24", "step_3_percent": "10"}, "step_3_notice", "This is listed twice."),
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
    assert response.context["form"].errors["rate_internal"] == ["At least one price group needs a rate."]


def test_overlap_is_said_at_the_first_day(cast, zhao):
    zhao.post(
        address(cast),
        typed(shown(zhao, cast), valid_from="2026-05-01", valid_until="2026-06-01", publish="1"),
    )
    response = zhao.post(address(cast), typed(shown(zhao, cast), valid_from="2026-04-01", publish="1"))
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


# The week


def test_the_week_of_a_stored_card_and_of_what_is_typed(cast, zhao):
    page = zhao.get(address(cast)).content.decode()
    assert page.count('class="price-even"') == 24 * 7
    sent = typed(
        shown(zhao, cast),
        preview="1",
        valid_from="",  # whatever else is wrong
        band_0_code="night",
        band_0_weekdays=["5"],
        band_0_opens="22:30",
        band_0_closes="02:00",
        band_0_multiplier="0.5",
    )
    response = zhao.post(address(cast), sent)
    html = response.content.decode()
    assert response.status_code == 200
    assert RateCard.objects.count() == 1
    assert html.count('<td class="price-low-1" title="night">') == 3
    assert html.count('<span class="price-low-1 share-2" title="night, 30 min">') == 1
    assert "Friday 22:30–02:00" in html
    assert "CNY 130.00" in html  # half of 260, for other regions
    part = zhao.post(address(cast), sent, headers={"HX-Request": "true"}).content.decode()
    assert part.count('title="night"') == 3
    assert "<form" not in part
    wrong = zhao.post(address(cast), sent | {"band_0_opens": "33:00"}, headers={"HX-Request": "1"})
    assert "The week is shown once" in wrong.content.decode()


# Drafts


def test_draft_is_changed_tried_published_and_deleted(cast, zhao):
    zhao.post(address(cast), typed(shown(zhao, cast), valid_from="2026-06-01", draft="1"))
    form = shown(zhao, cast, draft="2")
    assert form["valid_from"].value().isoformat() == "2026-06-01"
    draft = f"{address(cast)}?draft=2"
    sent = typed(form, rate_regional="321", revision="1")
    response = zhao.post(draft, sent | {"try": "1"})
    assert response["Location"] == f"/manage/instruments/{cast.microscope.pk}/what-if/?version=2"
    assert newest().card["rates"]["regional"] == "321"
    assert RateCard.objects.count() == 2
    late = zhao.post(draft, sent | {"draft": "1", "rate_regional": "9"})
    assert late.status_code == 412
    assert 'value="9"' in late.content.decode()
    assert newest().card["rates"]["regional"] == "321"
    assert zhao.post(draft, sent | {"revision": "2", "publish": "1"}).status_code == 302
    assert newest().published_at is not None
    # It is no longer a draft: the address begins a new version.
    assert zhao.get(draft).context["draft"] is None
    where = reverse("instruments:rate-card-delete", args=[cast.microscope.pk, 2])
    assert "is no longer a draft" in zhao.post(where, follow=True).content.decode()
    zhao.post(address(cast), typed(shown(zhao, cast), valid_from="2026-07-01", draft="1"))
    where = reverse("instruments:rate-card-delete", args=[cast.microscope.pk, 3])
    assert "The draft is deleted." in zhao.post(where, follow=True).content.decode()
    assert RateCard.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"valid_from": "2026-08-01"}, "valid_from", "There would be days without a price"),
        ({"valid_from": "2026-01-01"}, "valid_from", "Bookings use version 1"),
        ({"valid_from": "2026-01-01", "valid_until": "2026-02-01"}, "valid_until", "This is in the past."),
    ],
)
def test_refusals_among_versions_are_said_at_their_day(cast, zhao, changes, field, text):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    if changes["valid_from"] == "2026-08-01":
        season = {"valid_from": "2026-05-01", "valid_until": "2026-06-01", "publish": "1"}
        zhao.post(address(cast), typed(shown(zhao, cast), **season))
    count = RateCard.objects.count()
    sent = typed(shown(zhao, cast), publish="1") | changes
    response = zhao.post(address(cast), sent)
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert text in response.content.decode()
    assert RateCard.objects.count() == count


# Copies


def test_copy_from_another_instrument(cast, zhao):
    own = cast.instrument(name="Diffractometer", card={"rates": {"external": "77.70"}})
    page = zhao.get(address(cast), {"look": "diffracto"})
    assert [row.instrument for row in page.context["found"].rows] == [own]
    card = RateCard.objects.get(instrument=own)
    copy = zhao.get(address(cast), {"copy": card.pk})
    form = copy.context["form"]
    assert str(form["rate_external"].value()) == "77.70"
    assert form["rate_internal"].value() is None
    assert form["valid_from"].value().isoformat() == "2026-03-05"
    assert "Filled in from Diffractometer of USTC, version 1." in copy.content.decode()
    assert RateCard.objects.filter(instrument=cast.microscope).count() == 1
    zhao.post(f"{address(cast)}?copy={card.pk}", typed(form, draft="1"))
    made = RateCard.objects.get(instrument=cast.microscope, version=2)
    assert made.card["rates"] == {"external": "77.70"}


def test_what_is_not_to_be_copied_is_not_found(cast, zhao):
    other = cast.instrument(name="Secret")
    type(other).objects.filter(pk=other.pk).update(publication="draft", organisation=cast.fudan)
    card = RateCard.objects.get(instrument=other)
    assert zhao.get(address(cast), {"copy": card.pk}).status_code == 404
    assert zhao.get(address(cast), {"copy": "x"}).status_code == 404
    assert zhao.get(address(cast), {"look": "secret"}).context["found"].rows == []
    type(other).objects.filter(pk=other.pk).update(publication="published")
    assert zhao.get(address(cast), {"copy": card.pk}).status_code == 200
    RateCard.objects.filter(pk=card.pk).update(published_at=None)
    assert zhao.get(address(cast), {"copy": card.pk}).status_code == 404


def test_copy_in_another_currency_says_so(cast, zhao):
    other = cast.instrument(name="Abroad", card={"currency": "EUR"})
    card = RateCard.objects.get(instrument=other)
    html = zhao.get(address(cast), {"copy": card.pk}).content.decode()
    assert "Its prices are in EUR, but your region uses CNY: nothing is converted." in html


def test_what_is_doubtful_is_said_once_before_it_is_published(cast, zhao):
    doubtful = {
        "option_0_code": "operator", "option_0_unit": "each", "option_0_price": "5",
        "option_0_when": "required", "option_0_modes": ["assisted"],
    }  # fmt: skip
    sent = typed(shown(zhao, cast), publish="1") | doubtful
    asked = zhao.post(address(cast), sent)
    assert "charged each, without a quantity" in asked.content.decode()
    assert RateCard.objects.count() == 1
    assert zhao.post(address(cast), sent | {"doubts": "1"}).status_code == 302
    assert RateCard.objects.count() == 2
