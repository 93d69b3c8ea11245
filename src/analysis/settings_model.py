"""Every setting, with its type, unit, bounds and meaning.

`params/base.yml` states the defaults; a test holds the two together. Nothing here reads a
file: see `analysis.settings`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import holidays
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from analysis.calendars import Period

Language = Literal["zh", "en"]
Segment = str
ReportFormat = Literal["html", "pdf"]


def _both() -> list[Language]:
    return ["zh", "en"]


def _switch(value: Any) -> Any:
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


def _day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _period_name(value: str) -> str:
    try:
        Period.parse(value)
    except ValueError:
        raise ValueError("bad_period") from None
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("bad_timezone")
    return value


def _country(value: str) -> str:
    if value not in holidays.list_supported_countries():
        raise ValueError("bad_country")
    return value


def _year(value: Any) -> Any:
    """Take ``period: 2025`` as it is written: YAML reads a year as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _increasing(value: list[float]) -> list[float]:
    if value != sorted(set(value)):
        raise ValueError("increasing")
    return value


PeriodName = Annotated[str, BeforeValidator(_year), AfterValidator(_period_name)]
Zone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Day = Annotated[date, BeforeValidator(_day)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Base of all sections: unknown keys and loose types are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ColumnSource(Section):
    """Where one canonical column comes from."""

    from_: str | None = Field(None, alias="from", description="header in the file")
    unit: str | None = Field(None, description="unit of the numbers: 元, 千元, 万元, 百万元, 亿元")
    value: str | None = Field(None, description="the same text for every row")
    row_number: bool = Field(False, description="number the rows 1, 2, 3, …")
    file_name: Literal["date"] | None = Field(
        None, description="the day that the file's name holds, for every row"
    )
    date_format: str | None = Field(None, description="strptime format of a date column")
    map: dict[str, str] = Field(default_factory=dict, description="words in the file → keys")

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnSource:
        given = (self.from_, self.value, self.row_number or None, self.file_name)
        if sum(one is not None for one in given) != 1:
            raise ValueError("one_of:from,value,row_number,file_name")
        return self


def _column(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


class Source(Section):
    """One canonical table's files and how to read them."""

    path: str | list[str] | None = Field(None, description="file, folder or glob below the root")
    url: str | None = Field(None, description="database, with ${ENV} for secrets")
    mapping: str | None = Field(None, description="a file of params/mappings, without .yml")
    columns: dict[str, Annotated[ColumnSource, BeforeValidator(_column)]] = Field(
        default_factory=dict, description="canonical column → header, or how to get it"
    )
    sheet: str | None = Field(None, description="sheet of a workbook; default the first visible")
    header_row: int | None = Field(None, ge=1, description="row of the header; default found")
    encoding: str | None = Field(None, description="default: found without guessing")
    separator: str | None = Field(None, description="default: found")
    event: Literal["signed", "ordered", "shipped", "invoiced", "paid"] | None = Field(
        None, description="which event a money table counts"
    )
    tax: Literal["included", "excluded"] | None = Field(None, description="含税 or 不含税")
    timezone: Zone | None = Field(None, description="zone of its times; default the settings'")
    wide: list[str] | Literal["buckets", "months"] = Field(
        default_factory=list,
        description="headers to turn into rows (outcomes: outcome, value); buckets: the age"
        " buckets of receivables; months: the months of targets",
    )
    year: int | None = Field(None, ge=2000, le=2100, description="wide months: their year")
    keys: str | None = Field(
        None, description="system whose customer numbers it holds, as in customer_keys"
    )
    held_out: str | None = Field(None, description="treatments: the arm left out for comparison")

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.path is None) == (self.url is None):
            raise ValueError("one_of:path,url")
        return self


class Scope(Section):
    """Which customers count."""

    orders_since: Day | None = Field(None, description="customers with an order on or after")
    regions: list[str] = Field(default_factory=list, description="only these regions; empty: all")


class CleaningRules(Section):
    """Rules that remove or change rows, each with a switch."""

    missing_customer: Switch = Field(True, description="no customer number")
    unknown_customer: Switch = Field(True, description="customer not in the customer table")
    voided: Switch = Field(True, description="voided, cancelled or unaudited documents")
    repeated_keys: Switch = Field(True, description="same key again (customer, ticket, …)")
    repeated_lines: Switch = Field(True, description="an order line that repeats another one")
    test_accounts: Switch = Field(True, description="test and demo accounts")
    wrong_contacts: Switch = Field(True, description="contacts without a valid phone or mail")
    implausible_dates: Switch = Field(True, description="before the earliest day, or far ahead")
    returns_netted: Switch = Field(
        True, description="negative lines reduce revenue; off: they are removed"
    )
    zero_amount: Switch = Field(True, description="lines without money (gifts, samples)")


class Cleaning(Section):
    """Cleaning and the quality gate."""

    rules: CleaningRules = Field(default_factory=CleaningRules, description="the rules")
    test_words: list[str] = Field(
        default_factory=lambda: ["测试", "test", "demo", "试用账号", "演示", "asdf"],
        description="words that mark a test account",
    )
    void_words: list[str] = Field(
        default_factory=lambda: [
            "作废",
            "已作废",
            "取消",
            "已取消",
            "未审核",
            "voided",
            "cancelled",
        ],
        description="status words of documents that do not count",
    )
    earliest: Day = Field(date(2000, 1, 1), description="earliest plausible day")
    gate: Share = Field(0.95, description="share of checks that must pass [share]")
    stop_below_gate: Switch = Field(False, description="stop the run below the gate")


class Recency(Section):
    """Near or far."""

    mode: Literal["own_cycle", "window"] = Field(
        "own_cycle",
        description="time since the last order against the own cycle, or days",
    )
    far_cycles: float = Field(1.5, gt=0, description="far above this many own cycles [cycles]")
    window_days: int = Field(90, gt=0, description="mode window: far above [days]")
    cycle_weight: float = Field(
        2.0,
        ge=0,
        description="weight of the industry's cycle in the own one [intervals]",
    )
    default_cycle_days: int = Field(
        90, gt=0, description="cycle where no customer has a second order [days]"
    )


Cuts = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_increasing)]


class Steady(Section):
    """What keeps customers near a cut from moving to and fro."""

    margin: float = Field(
        0.0, ge=0, lt=1, description="stays while within this share of the cut's value [share]"
    )
    confirm: int = Field(
        1, ge=1, description="a worse segment only after so many period ends in a row [ends]"
    )


class HealthWarning(Section):
    """Health warning by rule, and how the firm's own record of it is counted."""

    drop: Share = Field(0.30, description="activity down by at least this [share]")
    cycles: float = Field(
        1.2, gt=0, description="own cycle exceeded: no order for more than [cycles]"
    )
    lost_cycles: float = Field(
        2.5, gt=0, description="counts as lost: no order for more than [cycles]"
    )
    horizon_days: int = Field(
        90, gt=0, description="lost within so many days of the warning [days]"
    )
    min_customers: int = Field(20, ge=1, description="fewer judged: no share is given [customers]")
    level: Share = Field(0.95, description="level of intervals [share]")


class Segmentation(Section):
    """Scores, scheme and guards."""

    scheme: str = Field("rfm5", description="primary scheme, a file of params/schemes")
    crosswalk: list[str] = Field(default_factory=list, description="further schemes to show")
    recency: Recency = Field(default_factory=Recency, description="near or far")
    frequency_days: int = Field(730, gt=0, description="window of frequency [days]")
    monetary_days: int = Field(365, gt=0, description="window of monetary [days]")
    frequency_cuts: Cuts | None = Field(
        None,
        description="first value of mid and of high [orders]; empty: from the data",
    )
    monetary_cuts: Cuts | None = Field(
        None,
        description="first value of mid and of high [currency]; empty: from the data",
    )
    monetary_reads: Literal["total", "mean_order"] = Field(
        "total",
        description="what the M score reads, but for the rules that name their own",
    )
    mean_order_cuts: Cuts | None = Field(
        None, description="the same for the mean order [currency]; empty: from the data"
    )
    high_value_total: float | None = Field(
        None,
        ge=0,
        description="money that decides near·high·mid [currency]; empty: the high cut",
    )
    new_customer_days: int = Field(180, gt=0, description="first order within [days]")
    lapsed_cycles: float = Field(
        2.5, gt=0, description="far·low·high beyond this is at risk [cycles]"
    )
    trial_is: Literal["new", "potential"] = Field("new", description="trial without an order")
    arrears_days: int = Field(
        30, ge=0, description="in arrears: money overdue for more than [days]"
    )
    steady: Steady = Field(default_factory=Steady, description="against moving to and fro")
    warning: HealthWarning = Field(
        default_factory=HealthWarning, description="health warning by rule"
    )


class Personas(Section):
    """Portraits."""

    min_group: int = Field(10, ge=1, description="smaller groups are not shown [customers]")
    level: Share = Field(0.95, description="level of intervals [share]")
    false_discovery: Share = Field(0.05, description="false discoveries among findings [share]")
    top_levels: int = Field(6, ge=1, description="levels of a trait that are shown [levels]")


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


class Strategy(Section):
    """Next period's measures."""

    playbook: str = Field("rfm5", description="a file of params/playbooks")
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
    holidays: Annotated[str, AfterValidator(_country)] = Field(
        "CN", description="country of the working calendar, ISO code"
    )


def _formats() -> list[ReportFormat]:
    return ["html", "pdf"]


class Report(Section):
    """The report."""

    formats: list[ReportFormat] = Field(
        default_factory=_formats, description="files written; html always is"
    )
    company: str = Field("", description="name on the report; empty: none")
    title: dict[Language, str] = Field(default_factory=dict, description="title in each language")
    list_length: int = Field(8, ge=1, description="accounts in each list [customers]")
    watch: Share = Field(0.02, description="within this of the target: watch [share]")


class Runner(Section):
    """How stages are run."""

    cell_timeout: int = Field(1800, gt=0, description="longest cell [s]")
    min_free_mb: int = Field(200, ge=0, description="free disk below which no stage starts [MB]")


class ExtraStage(Section):
    """A company's own stage."""

    path: str = Field(description="its notebook, below the root")
    after: str = Field(description="the stage it follows")


class Settings(Section):
    """One validated object for the whole run."""

    run: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="folder below reports/",
    )
    period: PeriodName = Field(description="YYYYQn, YYYYHn, YYYY-MM, YYYY-Www or YYYY")
    as_of: Day | None = Field(None, description="last day that counts; empty: the period's end")
    previous: PeriodName | None = Field(None, description="empty: the period before")
    business_model: Literal["trade", "project", "subscription"] = Field(
        "trade", description="chooses scheme, tiles and chapters"
    )
    timezone: Zone = Field("Asia/Shanghai", description="zone in which days are cut")
    currency: str = Field("CNY", pattern=r"^[A-Z]{3}$", description="ISO code")
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="set-wise work")
    languages: list[Language] = Field(
        default_factory=_both, min_length=1, description="of the report"
    )
    seed: int = Field(20250101, ge=0, description="of every draw")
    sources: dict[str, Source] = Field(default_factory=dict, description="table → files")
    scope: Scope = Field(default_factory=Scope, description="which customers count")
    cleaning: Cleaning = Field(default_factory=Cleaning, description="cleaning")
    segmentation: Segmentation = Field(default_factory=Segmentation, description="segments")
    personas: Personas = Field(default_factory=Personas, description="portraits")
    effectiveness: Effectiveness = Field(default_factory=Effectiveness, description="effects")
    strategy: Strategy = Field(default_factory=Strategy, description="plan")
    report: Report = Field(default_factory=Report, description="report")
    runner: Runner = Field(default_factory=Runner, description="running")
    notebooks: dict[str, str] = Field(
        default_factory=dict,
        description="stage → the company's own copy of its notebook",
    )
    extra_stages: dict[str, ExtraStage] = Field(default_factory=dict, description="own stages")
    labels: dict[str, dict[Language, str]] = Field(
        default_factory=dict, description="catalogue key → the company's own words"
    )
