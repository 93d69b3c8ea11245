"""The filing cabinet: which exports the vendor hands over, in which format and encoding."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.files import Export
from analysis.demo.subscription import books, crm, funnel, money, plans, usage, voice
from analysis.demo.subscription.kinds import AS_OF, DAYS, QUARTERS, START, dates, day
from analysis.demo.subscription.ledger import recurring
from analysis.demo.subscription.world import World

GB, PLAIN = "gb18030", "utf-8"
SNAPSHOTS = (
    day(START.replace(year=2025, month=3, day=31)),
    day(START.replace(year=2025, month=6, day=30)),
    DAYS,
)


def cabinet(world: World, health: np.ndarray) -> list[Export]:
    """Every export of the vendor, in the order in which they are written.

    Parameters
    ----------
    health
        How each customer fares, as `truth.health` gives it.
    """
    return [
        *_customers(world, health),
        *_contracts(world),
        *_money(world),
        *_funnel(world),
        *_plans(world),
    ]


def _customers(world: World, health: np.ndarray) -> list[Export]:
    """Who they are, what they say, what is heard of them."""
    folk, book, stream = world.folk, world.book, world.stream
    persons = voice.contacts(folk, stream("contacts"))
    notes = voice.activities(folk, book, world.assigned, stream("notes"))
    desk = voice.tickets(folk, book, stream("tickets"))
    asked = voice.surveys(folk, book, stream("surveys"))
    listed = crm.customers(folk, book, notes, stream("customer dirt"))
    return [
        Export("客户.xlsx", "customers", listed, title=crm.title()),
        Export("联系人.csv", "contacts", crm.contacts(persons, folk, stream("contact dirt")), GB),
        Export("人员.csv", "people", crm.people()),
        Export("跟进记录.csv", "activities", crm.activities(notes, folk, stream("note dirt"))),
        Export("客服工单.xlsx", "tickets", crm.tickets(desk, folk, stream("ticket dirt"))),
        Export("满意度调查.csv", "surveys", crm.surveys(asked, folk, stream("survey dirt"))),
        Export("外部信号.csv", "signals", crm.signals(folk, health, stream("signals"))),
        Export("股权与伙伴关系.csv", "relations", crm.relations(folk, stream("relations")), GB),
    ]


def _contracts(world: World) -> list[Export]:
    """What they subscribed to and how they use it."""
    folk, book, stream = world.folk, world.book, world.stream
    ledger = books.contracts(book, folk, stream("contract dirt"))
    keys = books.keys(folk, book, world.live_days, stream("key dirt"))
    log = books.usage(usage.log(folk, world.users, stream("log")), folk, stream("log dirt"))
    above = f"合同（订阅）台账（截至{AS_OF:%Y年%m月%d日}，金额含税，单位元）"
    return [
        Export("合同台账.xlsx", "subscriptions", ledger, title=above),
        Export("开通表.csv", "customer_keys", keys, GB),
        Export("使用日志.csv", "usage", log, PLAIN),
    ]


def _money(world: World) -> list[Export]:
    """What was signed, billed, received, and is still open."""
    folk, book, stream = world.folk, world.book, world.stream
    bills = money.invoices(book, stream("invoices"))
    paid = money.payments(bills, folk, stream("payments"))
    monthly, _ = books.controls(book)
    aged = [
        Export(
            f"应收账龄_{when}.xlsx",
            "receivables",
            books.receivables(money.ageing(bills, paid, on), folk),
            title=f"应收账龄分析表（截至{when}）",
        )
        for on, when in zip(SNAPSHOTS, dates(np.array(SNAPSHOTS)), strict=True)
    ]
    signed = books.signings(book, folk, stream("signing dirt"))
    return [
        Export("签约订单.csv", "orders", signed, GB),
        Export("开票记录.csv", "invoices", books.invoices(bills, folk, stream("invoice dirt"))),
        Export("回款单列表.csv", "payments", books.payments(paid, folk, stream("paid dirt")), GB),
        *aged,
        Export("财务月报.xlsx", "controls", monthly, title="签约金额月报（财务口径，含税）"),
    ]


def _funnel(world: World) -> list[Export]:
    """From the lead to the contract."""
    folk, stream = world.folk, world.stream
    chances = funnel_of(world)
    history = funnel.stages(chances, stream("stages"))
    quoted = funnel.quotes(chances, folk, history)
    came = leads_of(world, chances)
    deals = crm.opportunities(chances, folk, stream("deal dirt"))
    return [
        Export("销售线索.xlsx", "leads", crm.leads(came, folk, stream("lead dirt"))),
        Export("商机.xlsx", "opportunities", deals),
        Export("商机阶段记录.csv", "stage_history", crm.stages(history), PLAIN),
        Export("报价单.csv", "quotes", crm.quotes(quoted, folk), GB),
        Export("市场活动.csv", "campaigns", crm.campaigns()),
    ]


def funnel_of(world: World) -> pd.DataFrame:
    """The opportunities, as `funnel.opportunities` gives them."""
    return funnel.opportunities(world.book, world.terms, world.folk, world.stream("deals"))


def leads_of(world: World, chances: pd.DataFrame) -> pd.DataFrame:
    """The leads, as `funnel.leads` gives them."""
    return funnel.leads(chances, world.folk, world.stream("leads"))


def _plans(world: World) -> list[Export]:
    """What was planned and done."""
    book = world.book
    year = book[book["signed"] >= day(START.replace(year=2025, month=1, day=1))]
    period = pd.PeriodIndex(pd.to_datetime(dates(year["signed"].to_numpy())), freq="Q")
    by_quarter = year.groupby(period.astype(str))["amount"].sum()
    signed = {str(name): int(fen) for name, fen in by_quarter.items()}
    closing = int(recurring(book, DAYS, len(world.folk)).sum())
    earlier, last = QUARTERS
    found = [
        Export("上季动作.csv", "treatments", plans.treatments(world, last), GB),
        Export(f"动作_{earlier.name}.csv", "treatments", plans.treatments(world, earlier), GB),
        Export("目标.xlsx", "targets", plans.targets(signed, closing)),
    ]
    for quarter in QUARTERS:
        name = quarter.name
        found += [
            Export(f"动作结果_{name}.csv", "outcomes", plans.outcomes(world, quarter)),
            Export(f"任务_{name}.csv", "tasks", plans.tasks(world, quarter)),
        ]
    return found
