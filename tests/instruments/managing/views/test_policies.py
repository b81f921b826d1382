"""The booking policy in sentences."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from bookings.models import SampleReceiving
from config.templatetags.display import group_label
from instruments.policy.models import BookingPolicy
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.templatetags.managing import changes_of
from tests.factories.cast import reserve
from tests.instruments.conftest import typed


def address(cast):
    return reverse("instruments:policy", args=[cast.microscope.pk])


def test_policy_is_set(cast, zhao):
    form = zhao.get(address(cast)).context["form"]
    assert form["max_minutes"].value() == 480
    sent = typed(form, approval="manual", horizon_external="30", check_in_minutes="20", units="2")
    assert zhao.post(address(cast), sent).status_code == 302
    row = BookingPolicy.objects.get()
    assert (row.approval, row.check_in_minutes, row.units) == ("manual", 20, 2)
    assert row.horizon_days == {"internal": 60, "regional": 60, "partner": 60, "external": 30, "industry": 60}


def test_samples_that_nobody_receives_are_warned_of(cast, zhao):
    warning = "nobody has said yet who receives them"
    assert warning not in zhao.get(address(cast)).content.decode()
    cast.microscope.service_modes = ["self", "entrusted"]
    cast.microscope.save()
    assert warning in zhao.get(address(cast)).content.decode()
    SampleReceiving.objects.create(facility=cast.microscope.facility, recipient="Zhao Min", address="Lab 1")
    assert warning not in zhao.get(address(cast)).content.decode()


def test_limits_and_what_is_needed(cast, zhao):
    form = zhao.get(address(cast)).context["form"]
    assert [str(label) for _code, label in form.fields["qualification"].choices] == [
        "nothing: everybody who books may operate it",
        "a certificate for this instrument",
        "a certificate for electron microscopy",
    ]
    assert len(list(form.quotas())) == 1  # an empty row
    sent = typed(
        form,
        qualification="PaNET01198",
        offer_minutes="45",
        share_percent="20",
        share_released_minutes="2880",
        quota_0_limit="7.5",
        quota_0_per="week",
    )
    assert zhao.post(address(cast), sent).status_code == 302
    row = BookingPolicy.objects.get()
    assert (row.qualification, row.offer_minutes) == ("PaNET01198", 45)
    assert row.cross_region_share == {"percent": 20, "released_minutes": 2880}
    first = {"scope": "user", "unit": "hours", "per": "week", "limit": 7.5}
    assert row.quotas == [first]
    # A row is added in the empty one, and gone without its number.
    form = zhao.get(address(cast)).context["form"]
    assert [r["limit"].value() for r in form.quotas()] == [7.5, None]
    more = {
        "quota_1_scope": "price_group",
        "quota_1_unit": "bookings",
        "quota_1_per": "upcoming",
        "quota_1_limit": "0",
        "quota_1_price_group": "industry",
    }
    zhao.post(address(cast), typed(form) | more)
    row.refresh_from_db()
    second = {"scope": "price_group", "unit": "bookings", "per": "upcoming", "limit": 0}
    assert row.quotas == [first, second | {"price_group": "industry"}]
    manage = zhao.get(reverse("instruments:instrument-manage", args=[cast.microscope.pk]))
    html = manage.content.decode()
    assert "Each person: at most 7.5 hours a week" in html
    assert "A whole price group: at most 0 bookings ahead at any time (enterprises)" in html
    assert "20 % of each week is kept for other regions until 2 days before." in html
    form = zhao.get(address(cast)).context["form"]
    cleared = typed(form, qualification="", share_percent="", quota_0_limit="")
    zhao.post(address(cast), cleared)
    row.refresh_from_db()
    assert (row.qualification, row.cross_region_share) == ("", None)
    assert row.quotas == [second | {"price_group": "industry"}]


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"slot_minutes": "0"}, "slot_minutes", "greater than or equal to 1"),
        ({"max_minutes": "100"}, "max_minutes", "a multiple of the slot, 30 minutes."),
        ({"min_minutes": "600"}, "max_minutes", "at least the shortest length, 600 minutes."),
        ({"horizon_partner": "999"}, "horizon_partner", "less than or equal to 730"),
        ({"approval": "never"}, "approval", "valid choice"),
        ({"qualification": "PaNET0"}, "qualification", "valid choice"),
        ({"offer_minutes": ""}, "offer_minutes", "This field is required."),
        ({"share_percent": "101"}, "share_percent", "less than or equal to 100"),
        ({"quota_0_limit": "-1"}, "quota_0_limit", "greater than or equal to 0"),
        ({"quota_0_limit": "1.234"}, "quota_0_limit", "no more than 2 decimal places"),
        (
            {"quota_rows": "2", "quota_1_limit": "1.5", "quota_1_unit": "bookings"},
            "quota_1_limit",
            "between 0 and 100000",
        ),
        ({"units": "many"}, "units", "Enter a whole number."),
    ],
)
def test_refused_at_the_field_and_nothing_written(cast, zhao, changes, field, text):
    sent = typed(zhao.get(address(cast)).context["form"], notice_minutes="77") | changes
    response = zhao.post(address(cast), sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert 'value="77"' in html
    assert BookingPolicy.objects.get().version == 1


def test_bookings_that_would_no_longer_fit_are_shown_before(cast, zhao):
    made = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00")
    sent = typed(zhao.get(address(cast)).context["form"], max_minutes="60")
    first = zhao.post(address(cast), sent)
    assert first.status_code == 409
    text = first.content.decode()
    assert f'data-misfit="{made.pk}"' in text
    assert "longest length" in text
    assert BookingPolicy.objects.get().max_minutes == 480
    assert zhao.post(address(cast), sent | {"seen": "something else"}).status_code == 409
    assert zhao.post(address(cast), sent | {"seen": first.context["seen"]}).status_code == 302
    assert BookingPolicy.objects.get().max_minutes == 60


def test_versions_say_in_sentences_what_changed(cast, zhao):
    sent = typed(
        zhao.get(address(cast)).context["form"],
        notice_minutes="120",
        horizon_external="30",
        reason="So that <b>we</b> can plan",
    )
    assert zhao.post(address(cast), sent).status_code == 302
    response = zhao.get(address(cast))
    newest, first = changes_of(response.context["versions"], cast.microscope)
    assert [newest.row.version, first.row.version] == [2, 1]
    assert newest.added == [
        "At least 2 h ahead.",
        "At most 60 days ahead: the owner&#x27;s own people, organisations of the same region, "
        "organisations of partner regions, enterprises.",
        "At most 30 days ahead: organisations of other regions.",
    ]
    assert newest.removed == ["At most 60 days ahead."]
    assert "A booking lasts from 30 min to 8 h, in steps of 30 min." in first.added
    assert first.removed == []
    html = response.content.decode()
    assert 'data-version="2"' in html
    assert "So that &lt;b&gt;we&lt;/b&gt; can plan" in html
    assert "from Thu 5 Mar 2026, 12:00" in html  # where the instrument is
    assert "Zhao Min" in html


def test_a_version_that_changes_nothing_now_says_so(cast, zhao):
    """How long a request may wait matters only where somebody answers."""
    sent = typed(zhao.get(address(cast)).context["form"], approval_minutes="60")
    zhao.post(address(cast), sent)
    assert (
        "Only settings that have no effect at present were changed."
        in zhao.get(address(cast)).content.decode()
    )


@pytest.mark.parametrize("changes", [0, 3])
def test_statements_of_the_page_whatever_the_versions(cast, zhao, changes):
    for n in range(changes):
        form = zhao.get(address(cast)).context["form"]
        zhao.post(address(cast), typed(form, notice_minutes=str(30 + n)))
    with CaptureQueriesContext(connection) as caught:
        zhao.get(address(cast))
    assert len(caught) == 7  # four of them sign in


def test_every_price_group_has_one_name_in_both_languages() -> None:
    assert tuple(PRICE_GROUP_LABELS) == PRICE_GROUPS
    english = [group_label(group) for group in PRICE_GROUPS]
    with translation.override("zh-hans"):
        chinese = [group_label(group) for group in PRICE_GROUPS]
    assert chinese == ["仪器所有单位内部", "本区域单位", "协议区域单位", "其他区域单位", "企业"]
    assert len({*english, *chinese}) == 10
