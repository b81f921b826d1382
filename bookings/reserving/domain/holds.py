"""How long a slot is kept while a form is completed, and how many one person may keep."""

from datetime import timedelta

HOLD_LASTS = timedelta(minutes=10)
MOST_HOLDS = 3
