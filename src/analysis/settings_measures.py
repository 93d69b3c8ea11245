"""Settings of what the measures did, and of the next ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.settings_accounts import Accounts
from analysis.settings_desk import Desk
from analysis.settings_types import Country, Section, Share, Switch


class Ladder(Section):
    """What evidence below a draw must stand up to."""

    pre_periods: int = Field(
        4, ge=2, description="staged roll-out: periods before the first start [periods]"
    )
    trigger_periods: int = Field(
        1,
        ge=0,
        description="periods before the start in which customers were chosen; the comparison"
        " begins before them [periods]",
    )
    panel_periods: int = Field(
        12, ge=3, description="periods of orders that a staged roll-out is read from [periods]"
    )
    pre_trend_alarm: Share = Field(
        0.05, description="p of a difference before the start that breaks a roll-out [share]"
    )
    least_overlap: Share = Field(
        0.8, description="share of the treated that have customers like them [share]"
    )


class Kpis(Section):
    """What the KPIs count."""

    visit_months: int = Field(
        1, ge=1, le=12, description="the best segment is due a visit every so many months [months]"
    )
    call_months: int = Field(
        3, ge=1, le=12, description="all others are due a call or a visit as often [months]"
    )
    lead_days: int = Field(90, ge=1, description="age at which a lead is judged [days]")
    renewal_gap_days: int = Field(
        60, ge=0, description="a contract that begins so long after another's end renews it [days]"
    )
    live_days: int = Field(90, ge=1, description="time to go live after the first contract [days]")
    live_share: Share = Field(0.5, description="seats in use from which a customer is live [share]")


class Decision(Section):
    """When a measure stops that nobody can settle."""

    stop_chance: Share = Field(
        0.5,
        description="a measure that would take too long to settle stops if the chance that it"
        " pays is below this [share]",
    )


class Effectiveness(Section):
    """What last period's measures did."""

    level: Share = Field(0.95, description="level of intervals [share]")
    assignment: Literal["randomised", "chosen"] = Field(
        "randomised", description="how the held-out customers were drawn"
    )
    min_arm: int = Field(20, ge=2, description="fewer in an arm: no estimate [customers]")
    margin_rate: Share = Field(0.30, description="margin in extra revenue, without costs [share]")
    power: Share = Field(0.80, description="power of planned comparisons [share]")
    balance_alarm: Share = Field(
        0.001,
        description="p of a pre-period difference that breaks the randomisation [share]",
    )
    held_out_share: Share | None = Field(
        None,
        description="planned share held out, checked against the file [share]; empty: no check",
    )
    min_done: Share = Field(0.5, description="less carried out: no verdict [share]")
    not_collected: list[str] = Field(
        default_factory=list,
        description="kinds and methods of payment that do not count as collected",
    )
    scaling_proportional: Share = Field(
        0.5,
        description="how likely it is beforehand that an effect is in proportion to the customer's"
        " usual money [share]",
    )
    ladder: Ladder = Field(default_factory=Ladder, description="evidence below a draw")
    kpis: Kpis = Field(default_factory=Kpis, description="what the KPIs count")
    decision: Decision = Field(default_factory=Decision, description="expand, keep testing, stop")
    adjustments: str = Field(
        "standard", description="a file of params/adjustments; empty: no rules"
    )


class Limits(Section):
    """What the next measures must fit into, beside the budget."""

    most_measures: int = Field(
        2, ge=1, description="extra strategies that a customer gets at most [strategies]"
    )
    role_visits: dict[str, float] = Field(
        default_factory=dict,
        description="role → visits a quarter that all of the role can make together [visits]",
    )
    role_calls: dict[str, float] = Field(
        default_factory=dict,
        description="role → calls and online meetings a quarter that all of the role can make"
        " together [times]",
    )
    explore_share: Share = Field(
        0.2,
        description="share of what the duties leave that measures without evidence get: first, and"
        " no more of it; all where nothing is expected to pay [share]",
    )
    explore_least: int = Field(
        40,
        ge=1,
        description="a measure without evidence begins with so many at least, or with all"
        " whom it suits [customers]",
    )
    explore_chance: Share = Field(
        0.0,
        description="a measure that is not settled is learnt of with customers with whom the chance"
        " that it pays is at least this [share]; 0: with all, while the decision is to go on",
    )
    gap: Share = Field(0.001, description="what a better plan may still gain, of its value [share]")
    nodes: int = Field(2000, ge=1, description="steps that the search may take [nodes]")
    curve: list[float] = Field(
        default_factory=lambda: [0.5, 0.75, 1.0, 1.25],
        description="levels of the budget that are compared, of the one in use [share]",
    )


class Recheck(Section):
    """When what is known is compared again."""

    chance: Share = Field(
        0.9,
        description="from this chance that a measure pays nobody waits for it [share]",
    )
    periods: int = Field(
        4,
        ge=0,
        description="for so many periods after it was last judged, then some wait again; 0: some"
        " always wait [periods]",
    )


class Strategy(Section):
    """Next period's measures."""

    playbook: str = Field(
        "",
        description="a file of params/playbooks; empty: the one named like the scheme, else none",
    )
    budget: float | None = Field(None, ge=0, description="money for all measures [currency]")
    later_share: Share = Field(0.3, description="share drawn into the later wave [share]")
    later_share_proven: Share = Field(
        0.1, description="the same for measures that have worked [share]"
    )
    most_of_margin: float | None = Field(
        0.5,
        gt=0,
        description="an extra measure costs at most this share of the margin that the customer"
        " brings in the monetary window [share]; empty: no limit",
    )
    hold_unsettled: Switch = Field(
        True, description="measures that nobody can judge yet stay at their present size"
    )
    exempt_top: int = Field(10, ge=0, description="largest accounts outside the draw [customers]")
    trust: Share = Field(0.8, description="share of a measured effect to plan with [share]")
    collect_customers: int = Field(
        5,
        ge=1,
        description="high-value customers in arrears: from here leadership is asked [customers]",
    )
    collect_overdue_share: Share | None = Field(
        None,
        description="overdue share of receivables above which leadership is asked [share];"
        " empty: the target of overdue_share",
    )
    recheck: Recheck = Field(
        default_factory=Recheck, description="when what is known is compared again"
    )
    limits: Limits = Field(default_factory=Limits, description="what the plan must fit into")
    holidays: Country = Field("CN", description="country of the working calendar, ISO code")
    desk: Desk = Field(default_factory=Desk, description="what lands on whose desk")
    accounts: Accounts = Field(default_factory=Accounts, description="one customer, one strategy")
