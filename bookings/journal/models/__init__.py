from bookings.journal.models.charts import AccountRule, ChartAccount, JournalLine, JournalMonth

__all__ = ["AccountRule", "ChartAccount", "JournalLine", "JournalMonth"]
