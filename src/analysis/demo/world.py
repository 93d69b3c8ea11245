"""Everything that happens in the made-up company, before any of it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo import blocks, campaigns, company, measures, ordering, population
from analysis.demo.blocks import Block
from analysis.demo.kinds import AS_OF, HORIZON, START, Chapter, chapters, day, rng

RETURN_RATE = 0.015


@dataclass(frozen=True)
class World:
    """What happened, as the simulation knows it.

    Whatever is drawn for an export should be drawn chapter by chapter, with the chapter's own
    stream: then a later `as_of` appends rows and leaves the earlier ones as they are.

    Attributes
    ----------
    seed
        Of every draw.
    products, staff
        As `company.products` and `company.people` give them.
    population
        The customers known by `as_of`, as `population.build` gives them.
    assigned, extra, extra_lines
        The measures (with ``period`` and ``wave``: first, later, exempt), the orders that every
        measure would add (``assigned`` -1: the customer is not in the plan) and the lines of these
        orders, real or not. `extra` reaches one quarter beyond `as_of`.
    sold, returned
        Order lines that took place and goods sent back, as `ordering` gives them.
    as_of
        Last day of the history.
    potential
        What every measure would bring, as `measures.answers` gives it, with ``period``.
    block
        Which customers of a large company these are.
    books
        Clean revenue and cost of the company so far, this block and those before: ``month``
        (YYYY-MM), ``owner_id, amount, cost`` (fen).
    everyone
        All customers up to the horizon; the first of them are `population`.
    coming
        Order lines that will be sold anyway between `as_of` and the horizon.
    usual
        How many orders are placed anyway up to the horizon; the numbers of those that measures
        add begin there.
    """

    seed: int
    products: pd.DataFrame
    staff: pd.DataFrame
    population: pd.DataFrame
    assigned: pd.DataFrame
    extra: pd.DataFrame
    extra_lines: pd.DataFrame
    sold: pd.DataFrame
    returned: pd.DataFrame
    as_of: date
    potential: pd.DataFrame
    block: Block
    books: pd.DataFrame
    everyone: pd.DataFrame
    coming: pd.DataFrame
    usual: int

    @property
    def prompted(self) -> pd.Series:
        """Day number on which the measure began, by number of the order that it added."""
        real = self.extra[self.extra["real"]]
        start = self.assigned["start"].to_numpy()[real["assigned"]]
        return pd.Series(start, index=real.index + self.usual)

    @property
    def clean(self) -> pd.DataFrame:
        """Every order line that is true: sold and sent back."""
        return pd.concat([self.sold, self.returned], ignore_index=True)

    @property
    def days(self) -> int:
        """Day number of `as_of`."""
        return day(self.as_of)

    @property
    def period(self) -> Period:
        """The quarter that ends on `as_of`."""
        return _quarter(self.as_of)

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The parts of the history that are drawn by themselves."""
        return chapters(self.as_of)

    def within(self, chapter: Chapter) -> World:
        """The world of a chapter: its deliveries and returns, and the customers known by then."""
        return replace(
            self,
            sold=_between(self.sold, chapter),
            returned=_between(self.returned, chapter),
            population=self.population.iloc[: self.block.known(self.chapters.index(chapter))],
        )


def simulate(
    size: int, seed: int, as_of: date = AS_OF, plans: Mapping[str, pd.DataFrame] | None = None
) -> World:
    """Let `size` customers, at most a block of them, live through the history."""
    (block,) = blocks.blocks(size, seed)
    return live(anyway(block, rng(seed, "products")), as_of, plans or {})


@dataclass(frozen=True)
class Lives:
    """What happens to a block of customers up to the horizon whatever is done.

    Attributes
    ----------
    block
        Which customers.
    products, everyone
        As in `World`.
    usual
        The orders placed anyway, as `ordering.events` gives them.
    sold, returned
        Their lines, and goods sent back.
    """

    block: Block
    products: pd.DataFrame
    everyone: pd.DataFrame
    usual: pd.DataFrame
    sold: pd.DataFrame
    returned: pd.DataFrame


def anyway(block: Block, goods: np.random.Generator) -> Lives:
    """Draw the lives of a block of customers, up to the horizon.

    Parameters
    ----------
    block
        Which customers.
    goods
        Source of chance of the price list, the same for every block.
    """
    products = company.products(goods)
    everyone = population.build(block, products)
    usual = ordering.events(everyone, rng(block.seed, "orders"))
    return Lives(
        block, products, everyone, usual, *_deliveries(usual, everyone, products, block.seed)
    )


def live(
    lives: Lives,
    as_of: date,
    plans: Mapping[str, pd.DataFrame],
    books: pd.DataFrame | None = None,
) -> World:
    """Let a block of customers live through the history under the plans of the firm.

    Parameters
    ----------
    lives
        From `anyway`; several plans may be tried on the same lives.
    as_of
        Last day of a quarter, from the hand-over to the horizon.
    plans
        The plan of each quarter since the hand-over: ``customer_id, strategy, wave, start`` (day
        number), ``cost``.
    books
        `World.books` of the blocks before.
    """
    block, products, everyone, usual = lives.block, lives.products, lives.everyone, lives.usual
    lived, returned, seed = lives.sold, lives.returned, block.seed
    assigned, potential, extra = _measured(block, everyone, usual, as_of, plans)
    today = day(as_of)
    extra_lines = _extra_lines(extra, everyone, products, seed)
    real = extra_lines[extra["real"].to_numpy()[extra_lines["order"]]]
    real = real.assign(order=real["order"] + len(usual))
    gone_out = lived["day"] <= today
    sold = pd.concat([lived[gone_out], real[real["day"] <= today]], ignore_index=True)
    returned = returned[returned["day"] <= today].reset_index(drop=True)
    gone = len(chapters(as_of)) - 1
    folk = everyone.iloc[: block.known(gone)]
    posted = _posted(pd.concat([sold, returned], ignore_index=True), folk, books)
    return World(
        seed, products, company.people(), folk, assigned, extra, extra_lines, sold, returned,
        as_of, potential, block, posted, everyone,
        lived[~gone_out].reset_index(drop=True), len(usual),
    )  # fmt: skip


def periods(as_of: date) -> list[Period]:
    """The quarters with measures, up to the one after `as_of` (not beyond the horizon)."""
    found = [Period.parse(next(iter(campaigns.CAMPAIGNS)))]
    while found[-1].start <= as_of and found[-1].next().end <= HORIZON:
        found.append(found[-1].next())
    return found


def _measured(
    block: Block,
    everyone: pd.DataFrame,
    usual: pd.DataFrame,
    as_of: date,
    plans: Mapping[str, pd.DataFrame],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measures, what each would bring, and the orders on top, quarter by quarter."""
    chosen: list[pd.DataFrame] = []
    brings: list[pd.DataFrame] = []
    orders: list[pd.DataFrame] = []
    rows = 0
    for period in periods(as_of):
        before = measures.known(usual, everyone, period)
        found = measures.answers(before, period, block.seed)
        if period.name in campaigns.CAMPAIGNS:
            # of several streams these give the default company a typical draw of lots, no lucky one
            lots = rng(block.seed, f"drawn by lot {period.name}")
            last = chosen[-1] if chosen else None
            named = campaigns.assign(before, everyone, period, last, block.size, lots)
        else:
            named = _planned(plans.get(period.name), everyone, period)
        settled = measures.settled(named, found)
        extra = measures.realised(measures.orders(found, period), settled, period)
        extra["assigned"] = extra["assigned"].where(extra["assigned"] < 0, extra["assigned"] + rows)
        rows += len(settled)
        here = found["customer"].to_numpy() < _known(block, period)
        brings.append(found[here].assign(period=period.name))
        chosen.append(settled)
        orders.append(extra)
    return (
        pd.concat(chosen, ignore_index=True),
        pd.concat(brings, ignore_index=True),
        pd.concat(orders, ignore_index=True),
    )


def _known(block: Block, period: Period) -> int:
    """Rows known on the evening before a period."""
    return block.known(max(len(chapters(period.start - timedelta(days=1))) - 1, 0))


def _planned(plan: pd.DataFrame | None, everyone: pd.DataFrame, period: Period) -> pd.DataFrame:
    """A plan's rows of this block: the later wave waits, everybody else is treated."""
    columns = ["customer", "strategy", "arm", "block", "cost", "start", "period", "wave"]
    if plan is None:
        return pd.DataFrame(columns=columns).astype({"customer": "int64"})
    row = pd.Series(np.arange(len(everyone)), index=everyone["customer_id"])
    own = plan[plan["customer_id"].isin(row.index)]
    return own.assign(
        customer=own["customer_id"].map(row),
        arm=np.where(own["wave"] == campaigns.LATER, "held_out", "treated"),
        block=-1,
        period=period.name,
    )[columns].reset_index(drop=True)


def _deliveries(
    usual: pd.DataFrame, everyone: pd.DataFrame, products: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is sold anyway and what comes back of it, chapter by chapter up to the horizon."""
    sold, returned = [], []
    documents = 0
    for chapter in chapters(HORIZON):
        some = _between(usual, chapter)
        lines = ordering.lines(some, everyone, products, chapter.stream(seed, "lines"))
        lines["order"] = some.index.to_numpy()[lines["order"]]
        back = ordering.returns(lines, RETURN_RATE, chapter.stream(seed, "returns"))
        back["order"] = documents + np.arange(len(back))
        documents += len(back)
        sold.append(lines)
        returned.append(back)
    return pd.concat(sold, ignore_index=True), pd.concat(returned, ignore_index=True)


def _extra_lines(
    extra: pd.DataFrame, everyone: pd.DataFrame, products: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Lines of the orders on top; what they cost does not depend on the day they are moved to."""
    parts = []
    for name, some in extra.groupby("period", sort=True):
        priced = some.assign(day=day(Period.parse(str(name)).start))
        lines = ordering.lines(priced, everyone, products, rng(seed, f"extra lines {name}"))
        row = lines["order"].to_numpy()
        lines["order"] = some.index.to_numpy()[row]
        lines["day"] = some["day"].to_numpy()[row]
        parts.append(lines)
    return pd.concat(parts, ignore_index=True)


def _posted(clean: pd.DataFrame, folk: pd.DataFrame, books: pd.DataFrame | None) -> pd.DataFrame:
    """Revenue and cost by month and owner, on top of what was there."""
    months = (np.datetime64(START) + clean["day"].to_numpy()).astype("datetime64[M]").astype(str)
    own = clean[["amount", "cost"]].assign(
        month=months, owner_id=folk["owner_id"].to_numpy()[clean["customer"]]
    )
    both = own if books is None else pd.concat([books, own], ignore_index=True)
    return both.groupby(["month", "owner_id"], as_index=False)[["amount", "cost"]].sum()


def _between(frame: pd.DataFrame, chapter: Chapter) -> pd.DataFrame:
    return frame[frame["day"].between(chapter.first, chapter.last)]


def _quarter(last: date) -> Period:
    return Period.parse(f"{last.year}Q{(last.month + 2) // 3}")
