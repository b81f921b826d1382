"""What a kiosk shows of a name, and when it takes no codes."""

from datetime import timedelta

import pytest

from bookings.usage.domain.kiosks import MOST_WRONG, WRONG_WITHIN, initials, is_blocked
from tests.factories.moments import NOW


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Wang Li", "WL"),
        ("Ana María de la Cruz", "AMD"),
        ("王力", "王*"),
        ("欧阳 修", "欧*"),
        ("Xu Nan 许楠", "XN"),
        ("wang.li@fudan.example", "WL"),
        ("", ""),
    ],
)
def test_initials(name, short):
    assert initials(name) == short


def test_blocked_for_a_while():
    second = timedelta(seconds=1)
    assert not is_blocked(0, None, NOW)
    assert not is_blocked(MOST_WRONG - 1, NOW, NOW)
    assert is_blocked(MOST_WRONG, NOW, NOW + WRONG_WITHIN - second)
    assert not is_blocked(MOST_WRONG, NOW, NOW + WRONG_WITHIN)
