"""A report without orders: what is known all the same, and what it would need to say more."""

from __future__ import annotations

from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import Rich, join, name, words
from analysis.exhibits.tables import Column, Row, figure, table
from analysis.wording.numbers import Scale

CUSTOMER = "customer"
PAGE = "target"
# The KPIs whose largest customers are listed, and those that stand beside each.
LISTS = (("overdue", ("receivables",)), ("receivables", ()), ("tickets", ("tickets_open",)))
SHOWN = 10
_SENTENCES = (
    ("tickets", ("tickets",)),
    ("tickets_resolved", ("resolution_days", "tickets_open")),
    ("receivables", ("receivables", "overdue", "overdue_share")),
    ("deals", ("win_rate",)),
)


def answer(book: Book) -> Rich:
    """What the given tables say in one sentence each, and that there are no orders."""
    told = [
        book.say(
            f"exhibits.light.{key}",
            day=book.day(book.as_of),
            **{kpi: _shown(book, f"kpi.{kpi}") for kpi in kpis},
            **{f"{kpi}_n": book.num(f"kpi.{kpi}", "n") for kpi in kpis if _counted(book, kpi)},
        )
        for key, kpis in _SENTENCES
        if all(book.has(f"kpi.{kpi}") for kpi in kpis)
    ]
    if not told:
        return book.words("exhibits.answer.nothing")
    return join([*told, book.words("exhibits.light.no_orders")], book.text("exhibits.light.space"))


def _counted(book: Book, kpi: str) -> bool:
    return book.has(f"kpi.{kpi}", "n")


def _shown(book: Book, id_: str) -> Rich:
    return book.money(id_) if book.fact(id_).unit == "money" else book.num(id_)


def by_customer(book: Book) -> list[Exhibit]:
    """The largest customers by what is open: money overdue, else owed; tickets."""
    made: list[Exhibit] = []
    money = False
    for kpi, beside in LISTS:
        rows = book.frame("kpi_cuts")
        rows = rows[(rows["cut"] == CUSTOMER) & (rows["kpi"] == kpi)] if len(rows) else rows
        if rows.empty or (kpi == "receivables" and money):
            continue
        money = money or kpi == "overdue"
        rows = rows.sort_values(["value", "member"], ascending=[False, True]).head(SHOWN)
        made.append(_list(book, kpi, beside, [str(r["member"]) for r in records(rows)]))
    return made


def _list(book: Book, kpi: str, beside: tuple[str, ...], members: list[str]) -> Exhibit:
    shown = (kpi, *(k for k in beside if any(book.has("of_customer", k, m)
                                             for m in members)))  # fmt: skip
    is_money = book.fact("of_customer", kpi, members[0]).unit == "money"
    scale = book.scale_of(f"kpi.{kpi}") if is_money else None
    called = _names(book, members)
    columns = [
        Column(book.words("exhibits.accounts.head.name"), "nm", row_head=True),
        *(Column(_head(book, one, scale), "n") for one in shown),
    ]
    rows: list[Row] = [
        [name(called[member]), *(_cell(book, one, member, scale) for one in shown)]
        for member in members
    ]
    title = book.say(
        f"exhibits.light.title.{kpi}",
        name=name(called[members[0]]),
        value=_shown(book, fact_id("of_customer", kpi, members[0])),
    )
    return figure(
        f"tbl-customers-{kpi}",
        title,
        table(columns, rows, class_="slim"),
        subtitle=book.say("exhibits.light.subtitle", kpi=book.label("kpi", kpi)),
        page=PAGE,
        height=18 + 5.2 * len(rows),
    )


def _head(book: Book, kpi: str, scale: Scale | None) -> Rich:
    head = book.label("kpi", kpi)
    if scale is None:
        return head
    return book.say("exhibits.light.head", kpi=head, unit=words(scale.label))


def _cell(book: Book, kpi: str, member: str, scale: Scale | None) -> Rich:
    id_ = ("of_customer", kpi, member)
    if not book.has(*id_):
        return words("–")
    return book.num(*id_, scale=scale) if scale is not None else book.num(*id_)


def _names(book: Book, members: list[str]) -> dict[str, str]:
    """Customers by name, where they have one."""
    known = book.frame("customers")
    named: dict[str, str] = {}
    if len(known):
        own = known[known["customer_id"].isin(members)]
        named = {
            str(row["customer_id"]): row["name"]
            for row in records(own)
            if isinstance(row["name"], str) and row["name"].strip()
        }
    return {member: named.get(member, member) for member in members}
