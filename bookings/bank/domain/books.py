"""The values that matching works on, and a host's open statements and payers by what it looks them up by."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from bookings.bank.domain.files import account_of
from bookings.bank.domain.names import has_form, is_cut, key_of, letters_of, whole_of

LEAST_ORDER = 4  # signs of an order number or a reference that is looked for


@dataclass(frozen=True)
class Notice:
    """A payment of a statement that its payer has reported."""

    amount: Decimal
    paid_on: date
    reference: str = ""


@dataclass(frozen=True)
class OpenStatement:
    """A statement on which `due` is left to pay; below zero if the host owes it. `former` are the numbers of
    statements that it replaces."""

    id: UUID
    year: int
    number: int
    payer: UUID
    due: Decimal
    currency: str
    order_number: str = ""
    notices: tuple[Notice, ...] = ()
    former: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Payer:
    """How a payer is recognised: its names in both languages and its accounts; and its credit by currency.
    One that is not `is_known` has never had to pay: a name that fits it too is nobody's for certain."""

    id: UUID
    names: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    credit: Mapping[str, Decimal] | None = None
    is_known: bool = True


@dataclass(frozen=True)
class Incoming:
    """A transaction of which `amount` is not given away yet; below zero if money went out. `is_doubled`: a
    file of another format may have brought it before."""

    id: UUID
    booked_on: date
    amount: Decimal
    currency: str
    name: str = ""
    counter_account: str = ""
    reference: str = ""
    purpose: str = ""
    is_return: bool = False
    is_whole: bool = True  # nothing of it has been given away
    is_doubled: bool = False

    @property
    def text(self) -> str:
        return f"{self.reference} \n {self.purpose}"


@dataclass(frozen=True)
class Entered:
    """A payment on a statement that a person has entered, and that no transaction has brought so far. Below
    zero if it pays a credit out. `numbers` are those of the statement, and of those that it replaces."""

    id: UUID
    statement: UUID
    numbers: tuple[tuple[int, int], ...]
    payer: UUID
    amount: Decimal
    currency: str
    paid_on: date
    reference: str = ""


@dataclass(frozen=True)
class Part:
    """How much of a transfer goes to a statement."""

    statement: UUID
    amount: Decimal


@dataclass(frozen=True)
class Proposal:
    """A reading of a transfer: the parts that statements get, the rest that is kept as the payer's credit,
    the earlier transfer that it takes back, or the payments that were entered when it came; the reason, and
    what else there is to know."""

    reason: str
    parts: tuple[Part, ...] = ()
    payer: UUID | None = None
    credit: Decimal = Decimal(0)
    returns: UUID | None = None
    entered: tuple[UUID, ...] = ()
    notes: tuple[str, ...] = ()
    is_certain: bool = False


class Books:
    """The open statements and payers of a host, found by what a transfer says."""

    def __init__(
        self,
        code: str,
        statements: Sequence[OpenStatement],
        payers: Sequence[Payer],
        entered: Sequence[Entered],
    ) -> None:
        self.code = code
        self.statements = {one.id: one for one in statements}
        self.payers = {one.id: one for one in payers}
        self.by_number: dict[tuple[int, int], OpenStatement] = {}
        self.by_payer: dict[tuple[UUID, str], list[OpenStatement]] = defaultdict(list)
        self.by_due: dict[tuple[Decimal, str], list[OpenStatement]] = defaultdict(list)
        self.orders: dict[str, list[OpenStatement]] = defaultdict(list)
        self.noticed: dict[tuple[Decimal, str], list[tuple[OpenStatement, Notice]]] = defaultdict(list)
        for one in statements:
            for number in ((one.year, one.number), *one.former):
                self.by_number[number] = one
            self.by_payer[one.payer, one.currency].append(one)
            self.by_due[one.due, one.currency].append(one)
            if len(order := account_of(one.order_number)) >= LEAST_ORDER:
                self.orders[order].append(one)
            for notice in one.notices:
                self.noticed[notice.amount, one.currency].append((one, notice))
        self.entered: dict[str, list[Entered]] = defaultdict(list)
        for payment in sorted(entered, key=lambda payment: payment.paid_on):
            self.entered[payment.currency].append(payment)
        self.accounts: dict[str, set[UUID]] = defaultdict(set)
        self.names: dict[str, set[UUID]] = defaultdict(set)
        self.whole: dict[str, set[UUID]] = defaultdict(set)
        self.written: dict[str, set[tuple[str, UUID]]] = defaultdict(set)
        for payer in payers:
            for account in payer.accounts:
                if len(key := account_of(account)) >= 6:
                    self.accounts[key].add(payer.id)
            for name in payer.names:
                if key := key_of(name):
                    self.names[key].add(payer.id)
                    self.whole[whole_of(name)].add(payer.id)
                    self.written[letters_of(name)].add((name, payer.id))
        self.sorted = sorted(self.written)

    def numbers_of(self, statement: UUID) -> tuple[tuple[int, int], ...]:
        """Return the number of a statement, and of those that it replaces; none if it is not open."""
        one = self.statements.get(statement)
        return ((one.year, one.number), *one.former) if one else ()

    def payers_of(self, one: Incoming) -> "Recognised":
        """Return the payers that a transfer may be of: by account; else by name."""
        account = account_of(one.counter_account)
        by_account = self.accounts.get(account, set())
        if not by_account and len(account) >= 8:
            # An IBAN ends with the account's number in many countries; a bank may add a branch before it.
            ends = [
                key
                for key in self.accounts
                if len(key) >= 8 and (account.endswith(key) or key.endswith(account))
            ]
            by_account = {payer for key in ends for payer in self.accounts[key]}
        by_name = self._named(one.name)
        if by_account and by_name:
            both = by_account & by_name
            return Recognised(frozenset(both or by_account | by_name), is_by_account=bool(both))
        return Recognised(frozenset(by_account or by_name), is_by_account=bool(by_account))

    def _named(self, name: str) -> set[UUID]:
        """Return the payers, and the others, that a name may be of: without regard to its legal form, unless
        it has one and is only one's to the letter; or cut off by the bank. None if it is no payer's."""
        found = self.names.get(key_of(name), set()) if name else set()
        if len(found) > 1 and has_form(name):
            found = self.whole.get(whole_of(name), found)
        if not found and (begun := letters_of(name)):
            at = bisect_left(self.sorted, begun)
            while at < len(self.sorted) and self.sorted[at].startswith(begun):
                found = found | {pk for each, pk in self.written[self.sorted[at]] if is_cut(name, each)}
                at += 1
        return found if any(self.payers[each].is_known for each in found) else set()


@dataclass(frozen=True)
class Recognised:
    """The payers that a transfer may be of; one, if it is recognised."""

    payers: frozenset[UUID]
    is_by_account: bool = False

    @property
    def one(self) -> UUID | None:
        return next(iter(self.payers)) if len(self.payers) == 1 else None
