"""Bank files, their transactions and matches, and payers' credit."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from accounts.api.resource import OnPage, Resource, acts, creates, lists, named, parts, reads, removes, tells
from accounts.api.shapes import Amount, Flag, Instant, ListOf, Money, Number, Shape, Text, replaced_by
from accounts.domain.currencies import in_decimals
from accounts.selectors.organisations import organisation_named
from bookings.bank.domain.books import Part, Proposal
from bookings.bank.forms.bank import (
    AsideForm,
    BankAsideBody,
    BankAsideManyBody,
    BankBookBody,
    BankFormatBody,
    BookForm,
    terms_of,
)
from bookings.bank.messages import NOTES, REASONS
from bookings.bank.models import BankCredit, BankFile, BankMapping, BankMatch, BankTransaction
from bookings.bank.selectors import bank as selectors
from bookings.bank.services import matches as match_services
from bookings.bank.services.credits import credit_return, credit_use
from bookings.bank.services.files import GivenFile, file_read, file_take_back, mapping_delete, mapping_save
from bookings.pricing.selectors.exchange_rates import accounted_named
from bookings.record.api.lists import listed
from bookings.settlement.api.statements import StatementNumber
from instruments.attachments.api.attachments import Upload

ABOVE = "bookings:money-bank-one"


class BankFileShape(serializers.Serializer[Any]):
    """A bank's file; `transactions` are those that it brought, `known_before` those that others had,
    `not_booked` those left out as the bank has yet to book them, `left_out` lines at the end of a CSV file
    that are no transactions. A file with `taken_back_at` was read by mistake."""

    id = serializers.UUIDField()
    host = serializers.CharField(source="host.code")
    name = serializers.CharField()
    format = serializers.ChoiceField(BankFile.Format.choices)
    sha256 = serializers.CharField()
    account = serializers.CharField()
    currency = serializers.CharField()
    opening_balance = Money(allow_null=True)
    closing_balance = Money(allow_null=True)
    transactions = serializers.IntegerField(source="transactions_read")
    known_before = serializers.IntegerField()
    not_booked = serializers.IntegerField()
    left_out = serializers.ListField(child=serializers.CharField())
    read_by = serializers.CharField()
    read_at = Instant()
    taken_back_at = Instant(allow_null=True)


class BankTransactionShape(serializers.Serializer[Any]):
    """A transaction on a host's account; an amount below 0 went out. `matched` is what statements got of it,
    `credited` what is kept as a payer's credit."""

    id = serializers.UUIDField()
    file = serializers.UUIDField(source="file_id")
    host = serializers.CharField(source="host.code")
    account = serializers.CharField()
    booked_on = serializers.DateField()
    amount = Money()
    currency = serializers.CharField()
    name = serializers.CharField()
    counter_account = serializers.CharField()
    reference = serializers.CharField()
    purpose = serializers.CharField()
    bank_reference = serializers.CharField()
    state = serializers.ChoiceField(BankTransaction.State.choices)
    matched = Money()
    credited = Money()
    aside_reason = serializers.CharField()
    version = serializers.IntegerField()


class BankMatchShape(serializers.Serializer[Any]):
    """A payment that a transaction brought; `undone_by` is the payment that reversed it."""

    id = serializers.UUIDField()
    transaction = serializers.UUIDField(source="transaction_id")
    payment = serializers.UUIDField(source="payment_id")
    statement = serializers.UUIDField(source="payment.statement_id")
    number = StatementNumber(source="payment.statement", help_text="Number of the statement.")
    amount = Money(source="payment.amount", currency="payment.currency")
    reason = serializers.ChoiceField(BankMatch.Reason.choices)
    matched_at = Instant()
    undone_by = serializers.UUIDField(source="undone_by_id", allow_null=True)


class BankPartShape(serializers.Serializer[Any]):
    statement = serializers.UUIDField()
    amount = Amount()


class BankProposalShape(serializers.Serializer[Any]):
    """A reading of a transaction: the parts that statements would get, and the rest that would be credit; the
    earlier transaction that it returns; or the payments that were `entered` before it came, and that are
    linked with it. `notes` say what speaks against it."""

    reason = serializers.ChoiceField([(code, str(code)) for code in REASONS])
    is_certain = serializers.BooleanField()
    parts = BankPartShape(many=True)
    payer = serializers.UUIDField(allow_null=True)
    credit = Amount()
    returns = serializers.UUIDField(allow_null=True)
    entered = serializers.ListField(child=serializers.UUIDField())
    notes = serializers.ListField(child=serializers.ChoiceField([(code, str(code)) for code in NOTES]))


def proposal_shown(proposal: Proposal, currency: str) -> dict[str, Any]:
    """Return a proposal with its amounts in the decimals of the transaction's currency."""
    parts = [
        {"statement": part.statement, "amount": in_decimals(part.amount, currency)} for part in proposal.parts
    ]
    return {**vars(proposal), "parts": parts, "credit": in_decimals(proposal.credit, currency)}


class BankProposalsShape(serializers.Serializer[Any]):
    proposals = BankProposalShape(many=True)


class BankCreditShape(serializers.Serializer[Any]):
    """A change of a payer's credit at a host; `balance` is the credit after it."""

    id = serializers.UUIDField()
    host = serializers.CharField(source="host.code")
    payer = serializers.CharField(source="payer.code", style=replaced_by("payer_id", "payer_code"))
    payer_id = serializers.UUIDField()
    payer_code = serializers.CharField(source="payer.code")
    kind = serializers.ChoiceField(BankCredit.Kind.choices)
    amount = Money()
    balance = Money()
    currency = serializers.CharField()
    transaction = serializers.UUIDField(source="transaction_id", allow_null=True)
    payment = serializers.UUIDField(source="payment_id", allow_null=True)
    entered_at = Instant()


class BankFormatShape(serializers.Serializer[Any]):
    """How the CSV files of a bank are read; `columns` has the names of the columns by field."""

    id = serializers.UUIDField()
    host = serializers.CharField(source="host.code")
    name = serializers.CharField()
    delimiter = serializers.ChoiceField(BankMapping.Delimiter.choices)
    encoding = serializers.ChoiceField(BankMapping.Encoding.choices)
    date_format = serializers.CharField()
    is_decimal_comma = serializers.BooleanField()
    skipped_lines = serializers.IntegerField()
    account = serializers.CharField()
    currency = serializers.CharField()
    columns = serializers.DictField(child=serializers.CharField())
    version = serializers.IntegerField()


class BankHostBody(Shape):
    organisation = Text(
        40, default="", allow_blank=True, help_text="Code of the host; default: your only one."
    )


class BankFileBody(BankHostBody):
    """A file as `multipart/form-data`."""

    file = Upload(help_text="CAMT.053, MT940 or CSV, up to 10 MB.")
    name = Text(200, default="", allow_blank=True, help_text="Name of the file.")
    mapping = serializers.UUIDField(required=False, help_text="Format that reads a CSV file.")
    is_other_account = Flag(
        default=False, help_text="Whether it may be of an account that the host has not used."
    )


class BankFormatNewBody(BankFormatBody, BankHostBody):
    pass


class BankPartBody(Shape):
    statement = serializers.UUIDField()
    amount = Number(max_digits=18, decimal_places=3)


class BankMatchBody(Shape):
    parts = ListOf(child=BankPartBody(), max_length=match_services.MOST_PARTS, default=list)
    credit = Number(max_digits=18, decimal_places=3, default=Decimal(0), help_text="Rest kept as credit.")
    payer = Text(
        40,
        default="",
        allow_blank=True,
        help_text="Id of the payer who has the credit; its code for one version and a year.",
    )


class BankBookCertainBody(BankHostBody):
    transactions = ListOf(child=serializers.UUIDField(), max_length=1000)


class BankBookedShape(serializers.Serializer[Any]):
    booked = serializers.IntegerField()


class BankSetAsideShape(serializers.Serializer[Any]):
    set_aside = serializers.IntegerField()


class BankCreditUseBody(Shape):
    amount = Number(max_digits=18, decimal_places=3)


class BankFiles(Resource):
    at, key, tag, name, many = "bank-files/", "file_id", "money", "bank_file", "bank_files"
    shape, order, needs_person = BankFileShape, ("-read_at", "-id"), True
    page_at, page_name = "bank/files/", "money-bank-file"
    parser_classes = [MultiPartParser]

    def visible(self, pk: UUID) -> BankFile:
        return selectors.file_by_id(self.actor, pk)

    @listed(_("Bank files"), selectors.FILES)
    def rows(self, query: dict[str, Any]) -> QuerySet[BankFile]:
        """Return the bank files of hosts whose finance you belong to, the last read first."""
        return selectors.files_for(self.actor)

    @reads(_("A bank file"))
    def detail(self, pk: UUID) -> None:
        """Return a bank file; its transactions are those of `GET bank-transactions/?file=`."""

    @creates(_("Read a bank file"), BankFileBody, named="_read", refuses=[409])
    def read(self, data: dict[str, Any]) -> BankFile:
        """Read a bank's file, as the host's finance. Transactions that an earlier file has brought are not
        read twice."""
        given = GivenFile(data["name"], data["file"], data.get("mapping"), data["is_other_account"])
        return file_read(self.by, host=accounted_named(self.actor, data["organisation"]), given=given)

    @OnPage(
        "bookings:money-bank-file",
        button=_("Take the file back"),
        done=_("The file is taken back: its transactions are gone, and it may be read again."),
        asks=_("Take this file back? Its transactions are deleted, also those that were set aside."),
    )
    @acts(_("Take back a bank file"), versioned=False)
    def take_back(self, pk: UUID) -> BankFile:
        """Take back a file that was read by mistake, as the host's finance, as long as nothing of it is
        matched or kept as credit. Its transactions are deleted; those with a history of matches stay set
        aside."""
        return file_take_back(self.by, file_id=pk)


class BankTransactions(Resource):
    at, key, tag = "bank-transactions/", "transaction_id", "money"
    name, many = "bank_transaction", "bank_transactions"
    shape, order, needs_person = BankTransactionShape, ("-booked_on", "-id"), True
    page_at, page_name = "bank/transactions/", "money-bank"

    def visible(self, pk: UUID) -> BankTransaction:
        return selectors.transaction_by_id(self.actor, pk)

    @listed(_("Bank transactions"), selectors.TRANSACTIONS)
    def rows(self, query: dict[str, Any]) -> QuerySet[BankTransaction]:
        """Return the transactions of hosts whose finance you belong to, the last booked first."""
        return selectors.TRANSACTIONS.rows(self.actor)

    @reads(_("A bank transaction"))
    def detail(self, pk: UUID) -> None:
        """Return a bank transaction."""

    @tells(_("Proposals for a bank transaction"), BankProposalsShape)
    def proposals(self, pk: UUID) -> dict[str, Any]:
        """Return which statements the transaction may pay, the best proposal first."""
        row = selectors.transaction_by_id(self.actor, pk)
        proposals = selectors.load_proposals(row.host, [row]).get(row.pk, ())
        return {"proposals": [proposal_shown(each, row.currency) for each in proposals]}

    @parts(_("Matches of a bank transaction"), BankMatchShape, order=("matched_at", "id"))
    def matches(self, pk: UUID, query: dict[str, Any]) -> QuerySet[BankMatch]:
        """Return the payments that the transaction brought, also those that were undone."""
        row = selectors.transaction_by_id(self.actor, pk)
        return BankMatch.objects.filter(transaction=row).select_related("payment__statement__host")

    @OnPage(ABOVE, done=_("The transaction is matched."), form=BookForm, name="book_form")
    @acts(_("Accept a proposal for a bank transaction"), BankBookBody, sends={"number": 0})
    def book(self, pk: UUID, data: dict[str, Any]) -> None:
        """Match a transaction as one of its proposals says, as the host's finance: the statements are paid on
        the day on which the bank booked it."""
        match_services.proposal_book(self.by, transaction_id=pk, **data)

    @acts(_("Match a bank transaction by hand"), BankMatchBody)
    def match(self, pk: UUID, data: dict[str, Any]) -> None:
        """Give a transaction, or a part of it, to statements that you choose, and keep the rest as credit of
        a payer."""
        chosen = tuple(Part(one["statement"], one["amount"]) for one in data["parts"])
        payer = named("payer", organisation_named, data["payer"]).pk if data["payer"] else None
        given = match_services.Given(chosen, data["credit"], payer)
        match_services.transaction_match(self.by, transaction_id=pk, given=given)

    @OnPage(ABOVE, done=_("The transaction is set aside."), form=AsideForm, name="aside_form")
    @acts(_("Set a bank transaction aside"), BankAsideBody, sends={"reason": "Internal transfer"})
    def set_aside(self, pk: UUID, data: dict[str, Any]) -> None:
        """Set a transaction aside that pays no statement."""
        match_services.transaction_set_aside(self.by, transaction_id=pk, **data)

    @OnPage(ABOVE, button=_("Take it up again"), done=_("The transaction waits to be matched again."))
    @acts(_("Take up a bank transaction that was set aside"))
    def take_up(self, pk: UUID) -> None:
        """Let a transaction that was set aside wait to be matched again."""
        match_services.transaction_take_up(self.by, transaction_id=pk)

    @OnPage(ABOVE, button=_("Take the credit back"), done=_("The credit went back to the transaction."))
    @acts(_("Take credit back to its bank transaction"))
    def take_back(self, pk: UUID) -> None:
        """Take what is kept of a transaction as credit back, so that it can be matched otherwise."""
        match_services.credit_take_back(self.by, transaction_id=pk)

    @acts(
        _("Match what is certain"),
        BankBookCertainBody,
        below="*book-certain",
        address="api-bank-transactions-book-certain",
        named="_book_certain",
        gives=BankBookedShape,
        versioned=False,
        refuses=[409],
    )
    def book_certain(self, data: dict[str, Any]) -> dict[str, int]:
        """Match these transactions as their certain proposals say, all or none."""
        host = accounted_named(self.actor, data["organisation"])
        booked = match_services.matches_book(self.by, host=host, transactions=data["transactions"])
        return {"booked": booked}

    @acts(
        _("Set several bank transactions aside"),
        BankAsideManyBody,
        below="*set-aside",
        address="api-bank-transactions-set-aside",
        named="_set_aside_many",
        gives=BankSetAsideShape,
        versioned=False,
        refuses=[404, 409],
    )
    def set_aside_many(self, data: dict[str, Any]) -> dict[str, int]:
        """Set transactions aside for one reason, all or none, as the hosts' finance."""
        return {"set_aside": match_services.transactions_set_aside(self.by, **data)}


class BankMatches(Resource):
    at, key, tag, name, many = "bank-matches/", "match_id", "money", "bank_match", "bank_matches"
    shape, order, needs_person = BankMatchShape, ("-matched_at", "-id"), True
    page_at, page_name = "bank/matches/", "money-bank-match"

    def visible(self, pk: UUID) -> BankMatch:
        return selectors.match_by_id(self.actor, pk)

    @reads(_("A match of a bank transaction"))
    def detail(self, pk: UUID) -> None:
        """Return a match, with the payment that reversed it if it was undone."""

    @OnPage(
        ABOVE,
        button=_("Undo"),
        done=_("The match is undone."),
        asks=_(
            "Undo this match? The transaction waits again, and a payment that the match has made is "
            "reversed. What was kept of it as credit stays kept: “Take the credit back” is a step of its own."
        ),
        of="transaction_id",
        to=lambda row: reverse(ABOVE, args=[row.transaction_id]),  # a link that is undone is gone
    )
    @acts(_("Undo a match"), versioned=False)
    def undo(self, pk: UUID) -> BankMatch:
        """Undo a match by a payment that reverses its own, as the host's finance. A payment that was entered
        before it was matched stays, and the match is forgotten."""
        row = selectors.match_by_id(self.actor, pk)
        match_services.match_undo(self.by, match_id=pk)
        if not row.is_linked:
            row.refresh_from_db(fields=["undone_by"])
        return row


class BankCredits(Resource):
    at, key, tag, name, many = "bank-credits/", "credit_id", "money", "bank_credit", "bank_credits"
    shape, order, needs_person = BankCreditShape, ("-entered_at", "-id"), True
    page_at, page_name = "bank/credits/", "money-bank-credit"

    def visible(self, pk: UUID) -> BankCredit:
        return selectors.use_by_id(self.actor, pk)

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Credit of payers"))
    def rows(self, query: dict[str, Any]) -> QuerySet[BankCredit]:
        """Return the changes of payers' credit at hosts whose finance you belong to, and of your
        organisations' credit at others; the newest first."""
        return selectors.credits_for(self.actor)

    @OnPage(
        "bookings:money-statements-one",
        button=_("Take back"),
        done=_("The payer has the credit again."),
        of="payment.statement_id",
    )
    @acts(_("Take back the use of credit"), below="return", versioned=False)
    def give_back(self, pk: UUID) -> BankCredit:
        """Reverse a payment that used credit: the payer has the credit again."""
        return credit_return(self.by, credit_id=pk)


class StatementCreditUses(BankCredits):
    at, many = "statements/<uuid:statement_id>/credit-uses/", "statement_credit_uses"

    @creates(
        _("Pay a statement out of credit"),
        BankCreditUseBody,
        named="_use",
        refuses=[404, 409],
        versioned=True,
        sends={"amount": "20.00"},
    )
    def use(self, statement_id: UUID, data: dict[str, Any]) -> BankCredit:
        """Pay a statement out of its payer's credit, as the host's finance. `If-Match` is the statement's
        version."""
        return credit_use(self.by, statement_id=statement_id, **data)


class BankFormats(Resource):
    at, key, tag, name, many = "bank-formats/", "format_id", "money", "bank_format", "bank_formats"
    shape, order, needs_person = BankFormatShape, ("host", "name"), True
    page_at, page_name = "bank/formats/", "money-bank-format"

    def visible(self, pk: UUID) -> BankMapping:
        return selectors.mapping_by_id(self.actor, pk)

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Formats of CSV files of banks"))
    def rows(self, query: dict[str, Any]) -> QuerySet[BankMapping]:
        """Return how CSV files are read for hosts whose finance you belong to."""
        return selectors.mappings_for(self.actor)

    @creates(_("Describe CSV files of a bank"), BankFormatNewBody, named="_save")
    def save(self, data: dict[str, Any]) -> BankMapping:
        """Describe how the CSV files of a bank are read; one of the same name is replaced."""
        host = accounted_named(self.actor, data.pop("organisation"))
        return mapping_save(self.by, host=host, terms=terms_of(data))

    @OnPage("bookings:money-bank-formats", button=_("Delete"), done=_("The format is deleted."), of="")
    @removes(_("Forget a format"))
    def forget(self, pk: UUID) -> None:
        """Forget how the CSV files of a bank are read."""
        mapping_delete(self.by, mapping_id=pk)
