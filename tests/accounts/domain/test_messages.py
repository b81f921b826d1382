"""What people may choose about messages, and when mail leaves."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from accounts.domain.messages import Choice, Choices, Quiet, Topic, check_choice, digest_at, mail_at

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NIGHT = Quiet(time(22), time(7))
LANGUAGES = frozenset({"en", "zh-hans"})
REMINDER = Topic("reminder", "Reminders", "", 1)
DECISION = Topic("decision", "Answers", "", 2, stays_in_inbox=True)
CHARGE = Topic("charge", "Charges", "", 3, is_required=True)


def local(text, zone=SHANGHAI):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-03-05 21:59", "2026-03-05 21:59"),
        ("2026-03-05 22:00", "2026-03-06 07:00"),
        ("2026-03-06 00:30", "2026-03-06 07:00"),
        ("2026-03-06 06:59", "2026-03-06 07:00"),
        ("2026-03-06 07:00", "2026-03-06 07:00"),
    ],
)
def test_mail_waits_for_the_end_of_the_night(now, leaves):
    found = mail_at(local(now), NIGHT, SHANGHAI, None)
    assert timedelta() <= found - local(leaves) < timedelta(minutes=1)


def test_what_was_written_earlier_leaves_earlier():
    one, other = (mail_at(local(f"2026-03-06 0{h}:00"), NIGHT, SHANGHAI, None) for h in (1, 2))
    assert one < other


def test_what_would_come_too_late_does_not_wait():
    now = local("2026-03-05 23:00")
    assert mail_at(now, NIGHT, SHANGHAI, local("2026-03-06 06:00")) == now
    assert mail_at(now, NIGHT, SHANGHAI, local("2026-03-06 09:00")) > now
    # What is over already is in no hurry.
    assert mail_at(now, NIGHT, SHANGHAI, local("2026-03-05 20:00")) > now


def test_quiet_hours_keep_the_clock_of_the_wall_when_it_changes():
    found = mail_at(local("2026-03-28 23:00", BERLIN), NIGHT, BERLIN, None)
    assert found.astimezone(UTC).hour == 5  # seven in summer time
    assert mail_at(local("2026-03-27 23:00", BERLIN), NIGHT, BERLIN, None).astimezone(UTC).hour == 6


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.times(),
    st.times(),
    st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]),
)
def test_mail_never_leaves_before_it_is_written_nor_in_quiet_hours(now, start, end, name):
    zone, quiet = ZoneInfo(name), Quiet(start.replace(fold=0), end.replace(fold=0))
    found = mail_at(now, quiet, zone, None)
    assert now <= found <= now + timedelta(hours=26)
    # Nothing waits for a time that is quiet again: a second look changes nothing, but for the
    # thousandth that keeps the order where the pause between two quiet times is shorter.
    pause = (datetime.combine(now, start) - datetime.combine(now, end)) % timedelta(days=1)
    if pause > timedelta(hours=2):
        assert mail_at(found, quiet, zone, None) == found


def test_digests_come_at_eight_in_the_readers_zone_weekly_ones_on_monday():
    now = local("2026-03-05 08:00")  # a Thursday
    assert digest_at(now, "daily", SHANGHAI) == local("2026-03-06 08:00")
    assert digest_at(now - timedelta(seconds=1), "daily", SHANGHAI) == now
    assert digest_at(now, "weekly", SHANGHAI) == local("2026-03-09 08:00")


@pytest.mark.parametrize("rule", [REMINDER, DECISION, CHARGE], ids=lambda rule: rule.name)
def test_what_is_required_cannot_be_switched_off(rule):
    topic = rule.name
    for choice, refused in (
        (Choice(), False),
        (Choice(language="zh-hans"), False),
        (Choice(mail="off"), rule.is_required),
        (Choice(mail="daily"), rule.is_required),
        (Choice(inbox=False), rule.is_required or rule.stays_in_inbox),
    ):
        if refused:
            with pytest.raises(Invalid) as caught:
                check_choice(topic, rule, choice, LANGUAGES)
            assert caught.value.problems[0].code == "required-message"
            # What was stored before it became required does not hold either.
            assert Choices({topic: choice}).of(rule) != choice
        else:
            check_choice(topic, rule, choice, LANGUAGES)
            assert Choices({topic: choice}).of(rule) == choice


@pytest.mark.parametrize(
    ("topic", "choice"),
    [("gossip", Choice()), ("reminder", Choice(mail="hourly")), ("reminder", Choice(language="fr"))],
)
def test_unknown_words_are_refused(topic, choice):
    with pytest.raises(Invalid) as caught:
        check_choice(topic, {REMINDER.name: REMINDER}.get(topic), choice, LANGUAGES)
    assert caught.value.problems[0].code == "unknown-value"
