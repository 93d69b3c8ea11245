"""What is chosen, a strategy for a customer, and what it takes of which limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from analysis.calendars import Period
from analysis.settings_measures import Strategy
from analysis.strategy.playbook import Playbook

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

BUDGET, CAPACITY, CALLS = "budget", "capacity", "calls"
# what takes a person's time: limit → column of the options, and of the people
TIMES = {CAPACITY: ("visits", "capacity"), CALLS: ("calls", "calls")}
ALL = "all"
_ROLE = "role."
_QUARTERS = {"year": 4.0, "half": 2.0, "quarter": 1.0, "month": 1 / 3, "week": 1 / 13}


class Units(NamedTuple):
    """Customers × strategies, sorted by customer and the playbook's order.

    Attributes
    ----------
    rows
        The options, sorted; the rows of a unit stand together.
    of
        Unit of each row. A duty is a unit of its own, measure by measure; the extra measures of a
        strategy are one.
    table
        A row a unit: customer_id, segment, strategy, turn (place of the strategy in the
        playbook), duty (always in), contractual, open (not ruled out), later_share, proven,
        treated (who had it before), money.
    customer
        Number of each unit's customer.
    worth, cost, touches
        If carried out now; `worth` is NaN without evidence.
    share
        Expected share of it that is carried out now; the rest waits for the next wave.
    limits
        Kind and who of each limit: the budget first, then persons, then roles.
    allowed
        Of each limit; infinite: none.
    use
        Limits × units, if carried out now.
    """

    rows: pd.DataFrame
    of: Ints
    table: pd.DataFrame
    customer: Ints
    worth: Floats
    cost: Floats
    touches: Floats
    share: Floats
    limits: list[tuple[str, str]]
    allowed: Floats
    use: sparse.csc_matrix

    @property
    def net(self) -> Floats:
        """Expected extra margin net of cost, if carried out now."""
        return self.worth - self.cost

    @property
    def known(self) -> Flags:
        """Whether there is evidence."""
        return ~np.isnan(self.worth)

    @property
    def extra(self) -> Flags:
        """Whether it may be chosen: neither a duty nor ruled out."""
        flags: Flags = ~self.flag("duty") & self.flag("open")
        return flags

    @property
    def learns(self) -> Flags:
        """Whether it is taken only to be learnt of.

        Without evidence, or measured, not settled and not expected to pay. What is expected to pay
        is taken for its value: the draw among those who take part tells as much of it.
        """
        flags: Flags = self.extra & (~self.known | (~self.flag("proven") & (self.net < 0)))
        return flags

    @property
    def pays(self) -> Flags:
        """Whether it is expected to bring at least what it costs."""
        with np.errstate(invalid="ignore"):
            flags: Flags = self.extra & (self.net >= 0)
        return flags

    def flag(self, column: str) -> Flags:
        """A column of the table that says yes or no."""
        flags: Flags = self.table[column].to_numpy(bool)
        return flags

    def at_once(self, strategies: Collection[str]) -> Units:
        """The same, with nobody waiting for these strategies."""
        mine = self.table["strategy"].isin(strategies)
        rows = self.rows["strategy"].isin(strategies)
        return self._replace(
            rows=self.rows.assign(later_share=self.rows["later_share"].mask(rows, 0.0)),
            table=self.table.assign(later_share=self.table["later_share"].mask(mine, 0.0)),
            share=np.where(mine, 1.0, self.share),
        )

    def taking(self, full: Flags) -> sparse.csr_matrix:
        """What a unit is expected to take: all of it for limits in `full` and for duties."""
        entries = self.use.tocoo()
        part = np.where(full[entries.row], 1.0, self.share[entries.col])
        return sparse.csr_matrix((entries.data * part, (entries.row, entries.col)), self.use.shape)


def quarters(period: Period | None) -> float:
    """Length of a period in quarters; a quarter where none is given."""
    return 1.0 if period is None else _QUARTERS[period.kind]


def units_of(
    options: pd.DataFrame,
    people: pd.DataFrame | None,
    playbook: Playbook,
    settings: Strategy,
    length: float,
) -> Units:
    """The units of the options.

    Parameters
    ----------
    options
        From `analysis.strategy.options`. An extra strategy of several measures is one unit, for
        it was measured as a whole; if one of its measures is ruled out for a customer, all are.
        Of duties each measure stands for itself: what costs nothing of a scarce limit is never
        dropped for want of it.
    people
        RECORD ``people``: ``capacity`` [visits a quarter], ``calls`` [calls a quarter].
    playbook
        Its order of strategies.
    settings
        Section ``strategy``: ``budget``, ``limits.role_visits``, ``limits.role_calls``.
    length
        Of the period [quarters].
    """
    turns = {strategy: turn for turn, strategy in enumerate(playbook.strategies())}
    rows = options.assign(turn=options["strategy"].map(turns).fillna(len(turns)).astype(int))
    rows = rows.sort_values(
        ["customer_id", "turn", "strategy", "measure"], kind="stable", ignore_index=True
    )
    key = rows["customer_id"].astype(str) + "\x00" + rows["strategy"].astype(str)
    rows["duty"] = ~rows["extra"].to_numpy(bool) | rows["contractual"].to_numpy(bool)
    rows["duty"] = rows["duty"].groupby(key).transform("any")
    alone = ("\x00" + rows["measure"].astype(str)).where(rows["duty"], "")
    of = pd.factorize(key + alone)[0].astype(np.int64)
    free = rows["why_not"].isna().to_numpy() | (rows["why_not"] == "").to_numpy()
    by_unit = rows.assign(open=free, unit=of).groupby("unit", sort=True)
    first = [
        "customer_id",
        "segment",
        "strategy",
        "turn",
        "later_share",
        "proven",
        "treated",
        "money",
    ]
    table = by_unit[first].first().reset_index(drop=True)
    table["open"] = by_unit["open"].all().to_numpy(bool)
    table["duty"] = by_unit["duty"].any().to_numpy(bool)
    table["contractual"] = by_unit["contractual"].any().to_numpy(bool)
    table["proven"] = table["proven"].astype(bool)
    table["money"] = table["money"].astype(float).fillna(0.0)
    later = table["later_share"].astype(float).fillna(0.0).to_numpy()
    sums = by_unit[["cost", "touches"]].sum().astype(float)
    limits, allowed = _limits(people, settings, length)
    return Units(
        rows=rows,
        of=of,
        table=table,
        customer=pd.factorize(table["customer_id"])[0].astype(np.int64),
        worth=by_unit["worth"].sum(min_count=1).to_numpy(dtype=np.float64),
        cost=sums["cost"].to_numpy(),
        touches=sums["touches"].to_numpy(),
        share=np.where(table["duty"], 1.0, 1.0 - later),
        limits=limits,
        allowed=allowed,
        use=_use(rows, of, limits, len(table)),
    )


def _limits(
    people: pd.DataFrame | None, settings: Strategy, length: float
) -> tuple[list[tuple[str, str]], Floats]:
    """The limits, and what each allows."""
    found: dict[tuple[str, str], float] = {
        (BUDGET, ALL): np.inf if settings.budget is None else float(settings.budget)
    }
    of_roles = {CAPACITY: settings.limits.role_visits, CALLS: settings.limits.role_calls}
    for kind, (_, column) in TIMES.items():
        for person, times in sorted(_known(people, column).items()):
            found[kind, person] = times * length
        for role, times in sorted(of_roles[kind].items()):
            found[kind, f"{_ROLE}{role}"] = float(times) * length
    return list(found), np.array(list(found.values()), dtype=float)


def is_role(who: str) -> bool:
    """Whether a limit's name is a role's."""
    return who.startswith(_ROLE)


def _known(people: pd.DataFrame | None, column: str) -> Mapping[str, float]:
    """Visits or calls a quarter of each person who has a number."""
    if people is None or column not in people:
        return {}
    known = people.dropna(subset=[column])
    pairs = zip(known["person_id"].astype(str), known[column].astype(float), strict=True)
    return dict(pairs)


def _use(
    rows: pd.DataFrame, of: Ints, limits: list[tuple[str, str]], count: int
) -> sparse.csc_matrix:
    """Limits × units: cost, and visits and calls of persons and of roles."""
    cost = np.asarray(rows["cost"], dtype=np.float64)
    parts: list[tuple[Ints, Ints, Floats]] = [(np.zeros(len(rows), dtype=np.int64), of, cost)]
    for limit, (taken, _) in TIMES.items():
        place = {who: i for i, (kind, who) in enumerate(limits) if kind == limit}
        times = np.asarray(rows[taken].astype(float).fillna(0.0), dtype=np.float64)
        for names in (rows["owner_id"], _ROLE + rows["owner_role"].astype(str)):
            found = names.map(place)
            mine = found.notna().to_numpy()
            parts.append((np.asarray(found[mine], dtype=np.int64), of[mine], times[mine]))
    row, column, data = (np.concatenate(part) for part in zip(*parts, strict=True))
    shape = (len(limits), count)
    matrix = sparse.csc_matrix((data, (row, column)), shape=shape)  # sums what stands twice
    matrix.eliminate_zeros()
    return matrix
