"""How a moment is written."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.templatetags.display import ending

START = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(("hours", "written"), [(0.25, "23:45"), (2, "Sat 7 Mar 2026, 01:30"), (None, "…")])
def test_an_end_names_its_day_when_it_is_another(hours: float | None, written: str) -> None:
    end = START + timedelta(hours=hours) if hours is not None else None
    with timezone.override("Asia/Shanghai"):
        assert ending(end, START) == written
