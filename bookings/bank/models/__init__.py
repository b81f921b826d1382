from bookings.bank.models.bank import BankCredit, BankFile, BankMapping, BankMatch, BankTransaction

__all__ = ["BankCredit", "BankFile", "BankMapping", "BankMatch", "BankTransaction"]
