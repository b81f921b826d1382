"""Opening hours on a grid."""

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from instruments.managing.services.registry import instrument_create
from instruments.register.models import Instrument
from tests.factories.cast import NOW, WEEKDAYS, reserve
from tests.instruments.conftest import typed


def address(instrument):
    return reverse("instruments:opening", args=[instrument.pk])


def hours(cast):
    return Instrument.objects.get(pk=cast.microscope.pk).schedule.hours


def shown(client, cast):
    return client.get(address(cast.microscope)).context["form"]


def test_grid_shows_what_is_set_and_saving_it_changes_nothing(cast, zhao):
    form = shown(zhao, cast)
    assert form["day_1_0_opens"].value() == "08:00"
    assert form["day_6_0_opens"].value() is None
    before = Instrument.objects.get().version
    response = zhao.post(address(cast.microscope), typed(form))
    assert response.status_code == 302
    assert hours(cast) == WEEKDAYS
    assert Instrument.objects.get().version == before


def test_two_windows_midnight_and_short_ways_of_writing(cast, zhao):
    sent = typed(
        shown(zhao, cast),
        day_1_0_opens="8",
        day_1_0_closes="12：00",
        day_1_1_opens="13.30",
        day_1_1_closes="24:00",
        day_2_0_opens="",
        day_2_0_closes="",
    )
    assert zhao.post(address(cast.microscope), sent).status_code == 302
    assert hours(cast)["weekly"][:3] == [
        {"weekday": 1, "opens": "08:00", "closes": "12:00"},
        {"weekday": 1, "opens": "13:30", "closes": "24:00"},
        {"weekday": 3, "opens": "08:00", "closes": "20:00"},
    ]


def test_two_weeks_of_holidays_are_one_row(cast, zhao):
    sent = typed(
        shown(zhao, cast),
        row_0_date="2026-12-21",
        row_0_until="2027-01-03",
        row_0_closed="on",
        row_0_reason="Winter break",
        row_1_date="2026-05-04",
        row_1_until="2026-05-03",
        row_1_closed="on",
    )
    wrong = zhao.post(address(cast.microscope), sent)
    assert wrong.status_code == 400
    assert wrong.context["form"].errors.as_data()["row_1_until"][0].code == "before-valid-from"
    sent |= {"row_1_date": "", "row_1_until": "", "row_1_closed": ""}
    assert zhao.post(address(cast.microscope), sent).status_code == 302
    assert hours(cast)["overrides"] == [
        {"date": "2026-12-21", "until": "2027-01-03", "windows": [], "reason": "Winter break"}
    ]
    page = zhao.get(f"/manage/instruments/{cast.microscope.pk}/").content.decode()
    assert "(Winter break)" in page
    form = shown(zhao, cast)
    assert (form["row_0_until"].value().isoformat(), form["row_0_reason"].value()) == (
        "2027-01-03",
        "Winter break",
    )


def test_exceptions_of_one_date_become_its_windows(cast, zhao):
    sent = typed(
        shown(zhao, cast),
        row_0_date="2026-05-01",
        row_0_opens="13:00",
        row_0_closes="15:00",
        row_1_date="2026-05-01",
        row_1_opens="09:00",
        row_1_closes="11:00",
        row_2_date="2026-04-06",
        row_2_closed="on",
    )
    assert zhao.post(address(cast.microscope), sent).status_code == 302
    assert hours(cast)["overrides"] == [
        {"date": "2026-04-06", "windows": []},
        {
            "date": "2026-05-01",
            "windows": [{"opens": "09:00", "closes": "11:00"}, {"opens": "13:00", "closes": "15:00"}],
        },
    ]
    form = shown(zhao, cast)
    assert form["rows"].value() == 6
    assert form["row_0_closed"].value() is True


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"day_1_0_opens": "25:00"}, "day_1_0_opens", "This must be a time such as 08:30."),
        ({"day_1_0_opens": "24:00"}, "day_1_0_opens", "This must be a time such as 08:30."),
        ({"day_1_0_opens": ""}, "day_1_0_opens", "Enter from when and until when."),
        (
            {"day_1_1_opens": "19:00", "day_1_1_closes": "21:00"},
            "day_1_1_opens",
            "Two opening times overlap.",
        ),
        ({"row_1_date": "2026-05-01"}, "row_1_opens", "Enter from when and until when."),
        ({"row_1_closed": "on"}, "row_1_date", "Enter the day."),
        ({"row_1_date": "tomorrow"}, "row_1_date", "Enter a valid date."),
        (
            {
                "row_0_date": "2026-05-01",
                "row_0_closed": "on",
                "row_1_date": "2026-05-01",
                "row_1_opens": "09:00",
                "row_1_closes": "10:00",
            },
            "row_1_date",
            "This row conflicts with another row",
        ),
        (
            {
                "row_0_date": "2026-05-01",
                "row_0_opens": "09:00",
                "row_0_closes": "12:00",
                "row_1_date": "2026-05-01",
                "row_1_opens": "11:00",
                "row_1_closes": "13:00",
            },
            "row_0_opens",
            "Two opening times overlap.",
        ),
        (
            {
                "row_2_date": "2026-05-01",
                "row_2_opens": "09:00",
                "row_2_closes": "12:00",
                "row_2_closed": "on",
            },
            "row_2_opens",
            "Either hours or closed all day, not both.",
        ),
    ],
)
def test_refused_at_the_cell_and_nothing_written(cast, zhao, changes, field, text):
    sent = typed(shown(zhao, cast), day_3_0_closes="21:15") | changes
    response = zhao.post(address(cast.microscope), sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert f'aria-describedby="id_{field}_error"' in html
    assert 'value="21:15"' in html
    assert hours(cast) == WEEKDAYS


def test_filling_the_week_copies_monday_and_saves_nothing(cast, zhao):
    sent = typed(shown(zhao, cast), day_1_0_opens="07:00", fill="1")
    response = zhao.post(address(cast.microscope), sent)
    assert response.status_code == 200
    assert response.context["form"]["day_5_0_opens"].value() == "07:00"
    assert response.context["form"]["day_6_0_opens"].value() is None
    assert hours(cast) == WEEKDAYS


def test_dated_rules_and_past_exceptions_stay_unless_dropped(cast, zhao):
    dated = {
        "weekday": 6,
        "opens": "10:00",
        "closes": "12:00",
        "valid_from": "2026-06-01",
        "valid_until": "2026-06-30",
    }
    past = {"date": "2026-02-02", "windows": []}
    busy = cast.instrument(
        name="Busy", hours=WEEKDAYS | {"weekly": [*WEEKDAYS["weekly"], dated], "overrides": [past]}
    )
    form = zhao.get(address(busy)).context["form"]
    sent = typed(form)
    zhao.post(address(busy), sent | {"day_1_0_opens": "07:00"})
    kept = Instrument.objects.get(pk=busy.pk).schedule.hours
    assert dated in kept["weekly"]
    assert kept["overrides"] == [past]
    zhao.post(address(busy), sent | {"drop": [form["drop"].field.choices[0][0]]})
    assert dated not in Instrument.objects.get(pk=busy.pk).schedule.hours["weekly"]


def test_first_hours_begin_with_a_suggestion(cast, zhao):
    made = instrument_create(By(cast.actor("zhao"), NOW), facility=cast.facility, techniques=[], name="Raman")
    response = zhao.get(address(made))
    assert "These hours are a suggestion" in response.content.decode()
    zhao.post(address(made), typed(response.context["form"]))
    assert len(Instrument.objects.get(pk=made.pk).schedule.hours["weekly"]) == 5


def test_absurd_counts_are_bounded(cast, zhao):
    response = zhao.post(address(cast.microscope), {"windows": "99999", "rows": "9999"})
    assert response.status_code == 302
    assert hours(cast)["weekly"] == []


def test_bookings_that_would_no_longer_fit_are_shown_before(cast, zhao):
    """Saved only by whoever has seen the list as it is."""
    made = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    sent = typed(shown(zhao, cast), day_5_0_closes="12:00")
    first = zhao.post(address(cast.microscope), sent)
    assert first.status_code == 409
    assert f'data-misfit="{made.pk}"' in first.content.decode()
    assert first.context["form"]["day_5_0_closes"].value() == "12:00"
    assert hours(cast) == WEEKDAYS
    later = reserve(cast, "2026-03-13 14:00", "2026-03-13 15:00")
    again = zhao.post(address(cast.microscope), sent | {"seen": first.context["seen"]})
    assert again.status_code == 409
    assert f'data-misfit="{later.pk}"' in again.content.decode()
    done = zhao.post(address(cast.microscope), sent | {"seen": again.context["seen"]})
    assert done.status_code == 302
    assert hours(cast)["weekly"][4]["closes"] == "12:00"
    made.refresh_from_db()
    assert (made.state, made.version) == ("confirmed", 1)


def test_what_is_typed_is_held_against_the_bookings_and_saves_nothing(cast, zhao):
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    sent = typed(shown(zhao, cast), day_5_0_closes="12:00")
    looked = zhao.post(address(cast.microscope), sent | {"check": "1"})
    assert looked.status_code == 200
    assert "Wang Li" in looked.content.decode()
    assert hours(cast) == WEEKDAYS
    seen = looked.context["seen"]
    assert f'name="seen" value="{seen}"' in looked.content.decode()
    assert zhao.post(address(cast.microscope), sent | {"seen": seen}).status_code == 302
