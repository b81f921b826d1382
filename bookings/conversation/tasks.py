"""Jobs, effects and letters of *conversation*."""

from accounts.work import Tasks
from bookings.conversation import notifications

TASKS = Tasks(letters=(notifications.KINDS,))
