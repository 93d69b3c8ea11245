"""The filing cabinet: which exports the firm hands over, in which format and encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.calendars import Period
from analysis.demo import (
    accounts,
    aftercare,
    answers,
    blocks,
    crm,
    documents,
    exports,
    finance,
    funnel,
    ledger,
    market,
    planted,
    quotes,
    voice,
)
from analysis.demo.cells import total
from analysis.demo.files import UNICODE_TEXT, Export, Filed
from analysis.demo.kinds import Chapter, rng
from analysis.demo.world import World, periods

GB, UTF8 = "gb18030", "utf-8-sig"
LAST_MEASURES = "上季动作.csv"


@dataclass(frozen=True)
class Sums:
    """What lists about the company as a whole need of each block of customers.

    Attributes
    ----------
    booked
        As `finance.booked`.
    received
        Money that came in during the last quarter [fen].
    brought
        Leads by name of the campaign.
    """

    booked: pd.DataFrame
    received: int
    brought: pd.Series


def cabinet(
    world: World,
    sums: list[Sums] | None = None,
    tasks: Mapping[str, pd.DataFrame] | None = None,
) -> Filed:
    """Every export of a block of the made-up company, in the order in which they are written.

    Parameters
    ----------
    sums
        Of the blocks before; this block's are appended.
    tasks
        Tasks of the plans by quarter, as `answers.read` gives them, where they are known.
    """
    seed = world.seed
    folk = world.population.assign(name=accounts.listed_names(world.population))
    world = replace(world, population=folk)
    known = accounts.accounts(folk, world.block)
    listed = [_written(world, known, chapter) for chapter in world.chapters]
    cells, notes, desk = (
        pd.concat(parts, ignore_index=True) for parts in zip(*listed, strict=True)
    )
    books = ledger.keep(cells, known, seed, world.chapters, world.block.index)
    notes_of = crm.notes(cells)
    placed = funnel.placed(world.sold, world.coming, world.prompted, world.everyone, seed)
    deals = funnel.follow(placed, world.everyone, seed, world.block.mark)
    leads = market.leads(world.everyone, world.days, world.block.mark, rng(seed, "leads"))
    own = Sums(
        finance.booked(cells, world.as_of),
        finance.received(books.settled, world.as_of),
        leads["市场活动名称"].value_counts(),
    )
    so_far = [] if sums is None else sums
    so_far.append(own)
    months = finance.differences([block.booked for block in so_far], world.as_of)
    snapshots = ledger.snapshots(world.period)
    truth_of_tasks = {
        name: answers.answers(asked, world.assigned, folk, Period.parse(name), seed)
        for name, asked in (tasks or {}).items()
    }
    found = [
        *_customers(world, folk, known),
        *_erp(cells, books, known, world),
        *_finance(months, so_far, world),
        *_deals(placed, deals, books, notes_of, known, world),
        Export("销售记录.csv", "activities", notes, UTF8),
        Export("售后工单.xlsx", "tickets", desk),
        *_service(folk, world, truth_of_tasks),
        *_market(folk, known, leads, so_far, world),
    ]
    truths = planted.truths(deals.until(world.days), notes_of, books, known, snapshots)
    if truth_of_tasks:
        truths |= {"tasks": pd.concat(truth_of_tasks.values(), ignore_index=True)}
    return Filed(found, truths | {"controls": months} if world.block.last else truths)


def _written(
    world: World, known: pd.DataFrame, chapter: Chapter
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Delivery lines, sales notes and service tickets of a chapter."""
    seed, products, mark = world.seed, world.products, world.block.mark
    then = world.within(chapter)
    cells = documents.documents(
        then.sold, then.returned, known, products, mark, chapter.stream(seed, "dirt")
    )
    folk = then.population
    notes = voice.activities(
        folk, world.assigned, products, chapter, chapter.stream(seed, "activities")
    )
    desk = voice.tickets(folk, products, chapter, world.days, chapter.stream(seed, "tickets"))
    tag = mark + chapter.name[2:]
    return (
        cells,
        exports.activities(notes, folk, tag, chapter.stream(seed, "activity dirt")),
        exports.tickets(desk, folk, tag, chapter.stream(seed, "ticket dirt")),
    )


def _customers(world: World, folk: pd.DataFrame, known: pd.DataFrame) -> list[Export]:
    people = pd.concat([_people(world, chapter) for chapter in world.chapters], ignore_index=True)
    return [
        Export(
            "客户.xlsx",
            "customers",
            exports.customers(folk, world.clean, world.block.known(0), world.seed),
            title=exports.title(world.as_of),
        ),
        Export(
            "客户档案_U8.csv",
            "customer_keys",
            accounts.archive(folk, known, world.staff, world.block),
            GB,
        ),
        Export("联系人.csv", "contacts", people, GB),
        Export("人员.csv", "people", exports.people(world.staff), UTF8, whole=True),
    ]


def _people(world: World, chapter: Chapter) -> pd.DataFrame:
    """Contact persons of the customers who came in a chapter."""
    seed, gone = world.seed, world.chapters.index(chapter)
    folk = world.within(chapter).population
    first = world.block.known(gone - 1) if gone else 0
    tag = world.block.mark + chapter.name[2:]
    found = voice.contacts(folk, first, tag, chapter.stream(seed, "contacts"))
    return exports.contacts(found, folk, chapter.stream(seed, "contact dirt"))


def _erp(
    cells: pd.DataFrame, books: ledger.Ledger, known: pd.DataFrame, world: World
) -> list[Export]:
    seed, staff = world.seed, world.staff
    orders = documents.files(cells)
    first = orders[0][1]
    invoices = ledger.invoice_list(books, known, staff, seed, world.chapters)
    payments = ledger.payment_list(books, known, staff, world.block.mark, seed, world.chapters)
    aged = {when: ledger.aged(books, known, staff, when) for when in ledger.snapshots(world.period)}
    return [
        *(
            Export(
                f"发货单_{years}.csv",
                "orders",
                frame,
                GB if frame is first else UTF8,
                total=None if frame is first else documents.total(frame),
            )
            for years, frame in orders
        ),
        Export(
            "销售发票列表.csv",
            "invoices",
            invoices,
            UTF8,
            total=total(invoices, "发票号", ["本币无税金额", "本币价税合计"]),
        ),
        Export(
            "收款单列表.csv",
            "payments",
            payments,
            GB,
            total=total(payments, "单据编号", ["本币金额"]),
        ),
        *(
            Export(
                f"应收账龄_{when}.xlsx",
                "receivables",
                frame,
                title=ledger.aged_title(when),
                total=total(frame, "客户编码", ["余额", *ledger.BUCKETS]),
            )
            for when, frame in aged.items()
        ),
    ]


def _finance(months: pd.DataFrame, sums: Sequence[Sums], world: World) -> list[Export]:
    as_of = world.as_of
    year = _year(world, as_of.year)
    received = sum(block.received for block in sums)
    known = blocks.known(world.block.company[0], len(world.chapters) - 1)
    controls = finance.controls(months)
    goal = finance.goal(sum(_year(world, as_of.year - 1).values()))
    breakdown = finance.breakdown(goal, world.books, world.staff, as_of)
    return [
        Export(
            "财务月报.xlsx",
            "controls",
            controls,
            title=finance.controls_title(as_of),
            total=total(controls, "月份", ["金额(元)"]),
            whole=True,
        ),
        Export("目标.xlsx", "targets", finance.targets(year, goal, received, known), whole=True),
        Export(
            "目标分解.xlsx",
            "targets",
            breakdown,
            title=finance.breakdown_title(as_of),
            total=total(breakdown, "大区", finance.MONTHS),
            whole=True,
        ),
    ]


def _year(world: World, year: int) -> dict[str, int]:
    """Revenue of each quarter of a year so far, of the company [fen]."""
    books = world.books[world.books["month"].str.startswith(f"{year}-")]
    quarter = f"{year}Q" + ((books["month"].str[5:].astype(int) + 2) // 3).astype(str)
    return {str(q): int(v) for q, v in books.groupby(quarter)["amount"].sum().items()}


def _deals(
    placed: pd.DataFrame,
    deals: funnel.Funnel,
    books: ledger.Ledger,
    notes: pd.Series,
    known: pd.DataFrame,
    world: World,
) -> list[Export]:
    mark, today = world.block.mark, world.days
    so_far = deals.until(today)
    lines = pd.concat([world.sold, world.coming], ignore_index=True)
    return [
        Export(
            "CRM销售订单.xlsx",
            "orders",
            crm.orders(placed, so_far, books, notes, known, today, mark),
        ),
        Export(
            "商机.xlsx",
            "opportunities",
            crm.opportunities(so_far, world.population, known, today),
        ),
        Export("商机阶段记录.csv", "stage_history", crm.stage_history(so_far, known), UNICODE_TEXT),
        Export(
            "报价单.csv",
            "quotes",
            quotes.quotes(
                deals,
                lines,
                world.everyone,
                world.products,
                known,
                today,
                mark,
                rng(world.seed, "quotes"),
            ),
            UTF8,
        ),
    ]


def _service(
    folk: pd.DataFrame, world: World, truth_of_tasks: Mapping[str, pd.DataFrame]
) -> list[Export]:
    seed, products, assigned = world.seed, world.products, world.assigned
    mark = world.block.mark
    done = [p for p in periods(world.as_of) if p.end <= world.as_of]
    return [
        Export(
            "满意度调查.csv",
            "surveys",
            aftercare.surveys(folk, products, world.days, mark, seed),
            GB,
        ),
        *(
            Export(
                LAST_MEASURES if period == world.period else f"动作_{period.name}.csv",
                "treatments",
                aftercare.treatments(assigned, folk, period.name),
                GB,
            )
            for period in done
        ),
        *(
            Export(
                f"任务_{period.name}.csv",
                "tasks",
                (
                    answers.export(truth_of_tasks[period.name], folk, seed)
                    if period.name in truth_of_tasks
                    else aftercare.tasks(
                        assigned, folk, period, mark, rng(seed, f"tasks {period.name}")
                    )
                ),
                UTF8,
            )
            for period in done
        ),
        Export(
            "试用结果.csv",
            "outcomes",
            aftercare.outcomes(assigned, folk, seed),
            UTF8,
        ),
    ]


def _market(
    folk: pd.DataFrame,
    known: pd.DataFrame,
    leads: pd.DataFrame,
    sums: Sequence[Sums],
    world: World,
) -> list[Export]:
    seed = world.seed
    brought = pd.concat([block.brought for block in sums])
    brought = brought.groupby(brought.index).sum()
    return [
        Export("销售线索.xlsx", "leads", leads),
        Export(
            "市场活动.csv",
            "campaigns",
            market.campaigns(world.staff, brought, world.days, rng(seed, "campaigns")),
            UTF8,
            whole=True,
        ),
        Export(
            "外部信号.csv",
            "signals",
            market.signals(
                world.everyone, world.products, world.days, world.block.mark, rng(seed, "signals")
            ),
            GB,
        ),
        Export(
            "股权与伙伴关系.csv",
            "relations",
            market.relations(folk, known, world.block.known(0), rng(seed, "relations")),
            UTF8,
        ),
    ]
