"""The filing cabinet: which exports the firm hands over, in which format and encoding."""

from __future__ import annotations

import numpy as np
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
    truth,
    voice,
)
from analysis.demo.files import UNICODE_TEXT, Export, Filed
from analysis.demo.kinds import AS_OF, DAYS, rng
from analysis.demo.world import World

GB, UTF8 = "gb18030", "utf-8-sig"
PERIODS = {"2025Q2": "动作_2025Q2.csv", "2025Q3": "上季动作.csv"}


def cabinet(world: World) -> Filed:
    """Every export of the made-up company, in the order in which they are written."""
    seed, products = world.seed, world.products
    folk, assigned = _stand_in(world)
    folk = folk.assign(name=accounts.listed_names(folk))
    known = accounts.accounts(folk)
    cells = documents.documents(world.sold, world.returned, known, products, rng(seed, "dirt"))
    books = ledger.keep(cells, known, seed, DAYS)
    deals = funnel.follow(cells, folk, rng(seed, "deals"))
    months = finance.differences(cells)
    found = [
        *_customers(world, folk, known),
        *_erp(cells, books, known, world),
        *_finance(months, books, folk, world),
        *_deals(deals, books, folk, known, world),
        *_service(folk, assigned, world),
        *_market(folk, assigned, known, world),
    ]
    return Filed(found, planted.truths(deals, months, books, known))


def _stand_in(world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TEMPORARY until the simulation gives these columns itself: delete on merge."""
    folk, assigned = world.population, world.assigned
    if "same_as" not in folk:
        size, stream = len(folk), rng(world.seed, "stand-in")
        order = stream.permutation(size)
        same, parent = np.full(size, -1), np.full(size, -1)
        few = max(4, size // 120)
        same[order[:few]] = order[few : 2 * few]
        parent[order[2 * few : 4 * few]] = np.repeat(order[4 * few : 5 * few], 2)
        late = folk["kind"].map({"lapsed": 45, "turned": 60, "declining": 30, "key": 8}).fillna(4)
        worse = np.where(stream.random(size) < 0.06, 75, 0)
        folk = folk.assign(
            same_as=same,
            parent=parent,
            terms=np.array([30, 60, 90])[stream.choice(3, size=size, p=[0.5, 0.35, 0.15])],
            pays_after=np.round(late + worse + stream.normal(-4, 9, size)).astype(np.int64),
        )
    if "period" not in assigned:
        wave = np.where(assigned["arm"] == "treated", "first", "later")
        now = assigned.assign(period="2025Q3", wave=wave)
        before = now[::3].assign(period="2025Q2", start=now["start"][::3] - 91)
        assigned = pd.concat([now, before], ignore_index=True)
    return folk, assigned


def _customers(world: World, folk: pd.DataFrame, known: pd.DataFrame) -> list[Export]:
    seed, clean = world.seed, world.clean
    people = voice.contacts(folk, rng(seed, "contacts"))
    return [
        Export(
            "客户.xlsx",
            "customers",
            exports.customers(folk, clean, rng(seed, "customer dirt")),
            title=exports.title(),
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
        Export("人员.csv", "people", exports.people(world.staff), UTF8),
    ]


def _erp(
    cells: pd.DataFrame, books: ledger.Ledger, known: pd.DataFrame, world: World
) -> list[Export]:
    seed, staff = world.seed, world.staff
    older, newer = documents.files(cells)
    invoices = ledger.invoice_list(books, known, staff, rng(seed, "invoice dirt"))
    payments = ledger.payment_list(books, known, staff, seed, rng(seed, "payment dirt"))
    return [
        Export("发货单_2022-2023.csv", "orders", older, GB),
        Export("发货单_2024-2025.csv", "orders", newer, UTF8),
        Export("销售发票列表.csv", "invoices", invoices, UTF8),
        Export("收款单列表.csv", "payments", payments, GB),
        *(
            Export(
                f"应收账龄_{when}.xlsx",
                "receivables",
                ledger.aged(books, known, staff, when),
                title=ledger.aged_title(when),
            )
            for when in ledger.SNAPSHOTS
        ),
    ]


def _finance(
    months: pd.DataFrame, books: ledger.Ledger, folk: pd.DataFrame, world: World
) -> list[Export]:
    clean = world.clean
    by_quarter = clean.groupby(truth.quarters(clean["day"]))["amount"].sum()
    year = {str(q): int(v) for q, v in by_quarter.items() if str(q).startswith(f"{AS_OF.year}")}
    received = finance.received(books.settled)
    goal = finance.goals(year)[f"{AS_OF.year}"]
    return [
        Export(
            "财务月报.xlsx", "controls", finance.controls(months), title=finance.controls_title()
        ),
        Export("目标.xlsx", "targets", finance.targets(year, received, folk)),
        Export(
            "目标分解.xlsx",
            "targets",
            finance.breakdown(goal, clean, folk, world.staff),
            title=finance.breakdown_title(),
        ),
    ]


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
            funnel.opportunities(deals, folk, known, rng(seed, "opportunities")),
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


def _service(folk: pd.DataFrame, assigned: pd.DataFrame, world: World) -> list[Export]:
    seed, products = world.seed, world.products
    notes = voice.activities(folk, assigned, products, rng(seed, "activities"))
    desk = voice.tickets(folk, products, rng(seed, "tickets"))
    return [
        Export(
            "销售记录.csv",
            "activities",
            exports.activities(notes, folk, rng(seed, "activity dirt")),
            UTF8,
        ),
        Export("售后工单.xlsx", "tickets", exports.tickets(desk, folk, rng(seed, "ticket dirt"))),
        Export(
            "满意度调查.csv",
            "surveys",
            aftercare.surveys(folk, products, rng(seed, "surveys")),
            GB,
        ),
        *(
            Export(name, "treatments", aftercare.treatments(assigned, folk, period), GB)
            for period, name in PERIODS.items()
        ),
        *(
            Export(
                f"任务_{period}.csv",
                "tasks",
                aftercare.tasks(assigned, folk, period, rng(seed, f"tasks {period}")),
                UTF8,
            )
            for period in PERIODS
        ),
        Export(
            "试用结果.csv",
            "outcomes",
            aftercare.outcomes(assigned, folk, rng(seed, "outcomes")),
            UTF8,
        ),
    ]


def _market(
    folk: pd.DataFrame, assigned: pd.DataFrame, known: pd.DataFrame, world: World
) -> list[Export]:
    seed = world.seed
    leads = market.leads(folk, known, rng(seed, "leads"))
    return [
        Export("销售线索.xlsx", "leads", leads),
        Export(
            "市场活动.csv",
            "campaigns",
            market.campaigns(world.staff, leads, rng(seed, "campaigns")),
            UTF8,
        ),
        Export(
            "外部信号.csv",
            "signals",
            market.signals(folk, world.products, rng(seed, "signals")),
            GB,
        ),
        Export(
            "股权与伙伴关系.csv",
            "relations",
            market.relations(folk, known, rng(seed, "relations")),
            UTF8,
        ),
    ]
