"""The filing cabinet: which exports the firm hands over, in which format and encoding."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from analysis.demo import (
    accounts,
    aftercare,
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
from analysis.demo.files import UNICODE_TEXT, Export, Filed
from analysis.demo.kinds import Chapter, rng
from analysis.demo.world import World, periods

GB, UTF8 = "gb18030", "utf-8-sig"
LAST_MEASURES = "上季动作.csv"


def cabinet(world: World) -> Filed:
    """Every export of a block of the made-up company, in the order in which they are written."""
    seed = world.seed
    folk = world.population.assign(name=accounts.listed_names(world.population))
    world = replace(world, population=folk)
    known = accounts.accounts(folk)
    listed = [_written(world, known, chapter) for chapter in world.chapters]
    cells, notes, desk = (
        pd.concat(parts, ignore_index=True) for parts in zip(*listed, strict=True)
    )
    books = ledger.keep(cells, known, seed, world.days)
    deals = funnel.follow(cells, folk, world.days, rng(seed, "deals"))
    months = finance.differences(cells, world.as_of)
    snapshots = ledger.snapshots(world.period)
    found = [
        *_customers(world, folk, known),
        *_erp(cells, books, known, world),
        *_finance(months, books, folk, world),
        *_deals(deals, books, folk, known, world),
        Export("销售记录.csv", "activities", notes, UTF8),
        Export("售后工单.xlsx", "tickets", desk),
        *_service(folk, world),
        *_market(folk, known, world),
    ]
    return Filed(found, planted.truths(deals, months, books, known, snapshots))


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
    seed, clean = world.seed, world.clean
    people = voice.contacts(folk, rng(seed, "contacts"))
    return [
        Export(
            "客户.xlsx",
            "customers",
            exports.customers(folk, clean, rng(seed, "customer dirt")),
            title=exports.title(world.as_of),
        ),
        Export(
            "客户档案_U8.csv",
            "customer_keys",
            accounts.archive(folk, known, world.staff, rng(seed, "archive")),
            GB,
        ),
        Export(
            "联系人.csv",
            "contacts",
            exports.contacts(people, folk, rng(seed, "contact dirt")),
            GB,
        ),
        Export("人员.csv", "people", exports.people(world.staff), UTF8, whole=True),
    ]


def _erp(
    cells: pd.DataFrame, books: ledger.Ledger, known: pd.DataFrame, world: World
) -> list[Export]:
    seed, staff = world.seed, world.staff
    orders = documents.files(cells)
    first = orders[0][1]
    invoices = ledger.invoice_list(books, known, staff, rng(seed, "invoice dirt"))
    payments = ledger.payment_list(books, known, staff, seed, rng(seed, "payment dirt"))
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
        Export("销售发票列表.csv", "invoices", invoices, UTF8),
        Export("收款单列表.csv", "payments", payments, GB),
        *(
            Export(
                f"应收账龄_{when}.xlsx",
                "receivables",
                ledger.aged(books, known, staff, when),
                title=ledger.aged_title(when),
            )
            for when in ledger.snapshots(world.period)
        ),
    ]


def _finance(
    months: pd.DataFrame, books: ledger.Ledger, folk: pd.DataFrame, world: World
) -> list[Export]:
    as_of = world.as_of
    year = _year(world)
    received = finance.received(books.settled, as_of)
    goal = finance.goals(year)[f"{as_of.year}"]
    return [
        Export(
            "财务月报.xlsx",
            "controls",
            finance.controls(months),
            title=finance.controls_title(as_of),
            whole=True,
        ),
        Export("目标.xlsx", "targets", finance.targets(year, received, folk), whole=True),
        Export(
            "目标分解.xlsx",
            "targets",
            finance.breakdown(goal, world.clean, folk, world.staff, as_of),
            title=finance.breakdown_title(as_of),
            whole=True,
        ),
    ]


def _year(world: World) -> dict[str, int]:
    """Revenue of each quarter of the last year so far, of the company [fen]."""
    year = str(world.as_of.year)
    books = world.books[world.books["month"].str.startswith(year)]
    quarter = year + "Q" + ((books["month"].str[5:].astype(int) + 2) // 3).astype(str)
    return {str(q): int(v) for q, v in books.groupby(quarter)["amount"].sum().items()}


def _deals(
    deals: funnel.Funnel,
    books: ledger.Ledger,
    folk: pd.DataFrame,
    known: pd.DataFrame,
    world: World,
) -> list[Export]:
    seed = world.seed
    return [
        Export("CRM销售订单.xlsx", "orders", funnel.crm_orders(deals, books, known)),
        Export(
            "商机.xlsx",
            "opportunities",
            funnel.opportunities(deals, folk, known, world.days, rng(seed, "opportunities")),
        ),
        Export(
            "商机阶段记录.csv", "stage_history", funnel.stage_history(deals, known), UNICODE_TEXT
        ),
        Export(
            "报价单.csv",
            "quotes",
            quotes.quotes(deals, world.sold, folk, world.products, known, rng(seed, "quotes")),
            UTF8,
        ),
    ]


def _service(folk: pd.DataFrame, world: World) -> list[Export]:
    seed, products, assigned = world.seed, world.products, world.assigned
    done = [p for p in periods(world.as_of) if p.end <= world.as_of]
    return [
        Export(
            "满意度调查.csv",
            "surveys",
            aftercare.surveys(folk, products, world.days, rng(seed, "surveys")),
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
                aftercare.tasks(assigned, folk, period, rng(seed, f"tasks {period.name}")),
                UTF8,
            )
            for period in done
        ),
        Export(
            "试用结果.csv",
            "outcomes",
            aftercare.outcomes(assigned, folk, rng(seed, "outcomes")),
            UTF8,
        ),
    ]


def _market(folk: pd.DataFrame, known: pd.DataFrame, world: World) -> list[Export]:
    seed = world.seed
    leads = market.leads(folk, known, world.days, rng(seed, "leads"))
    return [
        Export("销售线索.xlsx", "leads", leads),
        Export(
            "市场活动.csv",
            "campaigns",
            market.campaigns(world.staff, leads, world.days, rng(seed, "campaigns")),
            UTF8,
            whole=True,
        ),
        Export(
            "外部信号.csv",
            "signals",
            market.signals(folk, world.products, world.days, rng(seed, "signals")),
            GB,
        ),
        Export(
            "股权与伙伴关系.csv",
            "relations",
            market.relations(folk, known, rng(seed, "relations")),
            UTF8,
        ),
    ]
