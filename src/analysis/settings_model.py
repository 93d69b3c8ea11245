"""Every setting, with its type, unit, bounds and meaning.

`params/base.yml` states the defaults; a test holds the two together. Nothing here reads a
file: see `analysis.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import holidays
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from analysis.calendars import Period

Language = Literal["zh", "en"]
BusinessModel = Literal["trade", "project", "subscription"]
# the primary scheme of who names none
SCHEME_OF: dict[str, str] = {
    "trade": "rfm5",
    "project": "rfm5",
    "subscription": "subscription5",
}
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
    size_people: Annotated[list[int], Field(max_length=3), AfterValidator(_increasing)] = Field(
        default_factory=list,
        description="headcount at which small, medium and large begin, for customers without a size"
        " band [people]; empty: no band",
    )
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
        90, gt=0, description="cycle where too few customers have a second order [days]"
    )
    cycle_customers: int = Field(
        5,
        ge=1,
        description="with fewer reorderers no cycle of the industry's or firm's own [customers]",
    )


Cuts = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_increasing)]


CutMode = Literal["quantile", "threshold", "industry"]


class CutModes(Section):
    """Where the cuts of a score come from when no number is given."""

    mode: CutMode = Field(
        "quantile",
        description="thirds of all customers; threshold: only numbers given; industry: thirds"
        " within each large industry",
    )
    frequency: CutMode | None = Field(None, description="for frequency alone; empty: mode")
    monetary: CutMode | None = Field(None, description="for money alone; empty: mode")
    mean_order: CutMode | None = Field(None, description="for the mean order alone; empty: mode")
    min_industry: int = Field(
        60, ge=3, description="mode industry: smaller ones share the overall cuts [customers]"
    )
    reestimate: Switch = Field(
        False, description="estimate again on purpose, instead of reusing last period's"
    )


class ActivityWindow(Section):
    """What counts as a change of activity."""

    days: int = Field(90, ge=7, le=364, description="window that is compared [days]")
    least: int = Field(3, ge=1, description="fewer in the earlier window: no comparison [times]")


class Clusters(Section):
    """Clusters as a challenger of the rules."""

    fewest: int = Field(3, ge=3, le=5, description="fewest clusters tried [clusters]")
    most: int = Field(5, ge=3, le=5, description="most clusters tried [clusters]")
    min_strength: Share = Field(0.8, description="least prediction strength [share]")
    min_share: Share = Field(0.05, description="least share of customers in a cluster [share]")
    min_customers: int = Field(30, ge=2, description="least customers in a cluster [customers]")
    min_stability: Share = Field(
        0.75, description="least overlap with which every cluster comes back [share]"
    )
    most_spread: float = Field(
        0.8,
        gt=0,
        description="most spread within clusters, against that of one cloud without any [ratio]",
    )
    most_distance: float = Field(
        1.5,
        gt=0,
        description="farther from every segment's profile: a cluster gets no segment's name"
        " [standard deviations]",
    )
    splits: int = Field(20, ge=2, description="halvings for the prediction strength [draws]")
    resamples: int = Field(40, ge=2, description="draws for the overlap [draws]")
    winsor: float = Field(0.01, ge=0, lt=0.5, description="extremes drawn in at either end [share]")
    sample: int = Field(
        20_000,
        ge=1_000,
        description="with more customers, clusters are found on a draw of this many [customers]",
    )

    @property
    def ks(self) -> range:
        """The numbers of clusters to try."""
        return range(self.fewest, self.most + 1)

    @model_validator(mode="after")
    def _rising(self) -> Clusters:
        if self.fewest > self.most:
            raise ValueError("increasing")
        return self


class Matrices(Section):
    """Customers by two dimensions."""

    min_customers: int = Field(
        30, ge=1, description="smaller cells are merged when judged [customers]"
    )
    min_share: Share = Field(0.03, description="or smaller than this share of all [share]")
    value: Literal["monetary", "rank"] = Field(
        "monetary", description="value: by the cuts of money, or by the segments' ranks"
    )
    industries: int = Field(
        6, ge=1, description="largest industries shown, the others together [industries]"
    )
    sizes: Literal["as_written", "employees"] = Field(
        "as_written", description="size: as the company writes it, or classes by employees"
    )
    employees: Annotated[
        list[float], Field(min_length=3, max_length=3), AfterValidator(_increasing)
    ] = Field(
        default_factory=lambda: [20.0, 300.0, 1000.0],
        description="first of small, of medium, of large [employees]",
    )
    most_segments: int = Field(
        5, ge=1, description="more segments: a warning that nobody can act on them [segments]"
    )


# Files of a run's folder of decisions that say where single customers belong: lists of
# overrides, and workbooks that came back from the review meeting.
DECISION_FILES = ("overrides*", "review*", "复核*", "分级复核*")


def _below_root(path: str) -> str:
    parts = path.replace("{run}", "run").split("/")
    if any(part in ("", ".", "..") or set("{}*?[:\\") & set(part) for part in parts):
        raise ValueError("below_root")
    return path


class Overrides(Section):
    """Places that people decided, and the list for the meeting that reviews them."""

    path: Annotated[str, AfterValidator(_below_root)] = Field(
        "decisions/{run}", description="folder below the root; {run} is the run's name"
    )
    review_length: int = Field(40, ge=0, description="list for the review [customers]")
    near_cut: Share = Field(0.05, description="boundary case: this close to a cut [share]")
    expiring_days: int = Field(92, ge=0, description="ends soon: last day within [days]")

    def folder(self, run: str) -> str:
        """The folder of a run's decisions, below the root."""
        return self.path.replace("{run}", run)


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

    scheme: str = Field(
        "", description="primary scheme, a file of params/schemes; empty: by business_model"
    )
    crosswalk: list[str] = Field(default_factory=list, description="further schemes to show")
    thresholds: dict[str, float] = Field(
        default_factory=dict, description="threshold of the scheme → another value, in its unit"
    )
    own_tiers: list[str] = Field(
        default_factory=list,
        description="the company's own tiers, best first; empty: by their mean money",
    )
    industry_template: str = Field(
        "", description="starting values of an industry, a file of params/industries; empty: none"
    )
    cuts: CutModes = Field(default_factory=CutModes, description="cuts between low, mid and high")
    industry_needs: list[str] = Field(
        default_factory=list,
        description="what customers of the industry usually ask for, most pressing first",
    )
    activity: ActivityWindow = Field(
        default_factory=ActivityWindow, description="change of activity"
    )
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
    clusters: Clusters = Field(default_factory=Clusters, description="challenger of the rules")
    matrices: Matrices = Field(default_factory=Matrices, description="two dimensions crossed")
    overrides: Overrides = Field(
        default_factory=Overrides, description="places that people decided"
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
    business_model: BusinessModel = Field("trade", description="chooses scheme, tiles and chapters")
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

    @model_validator(mode="before")
    @classmethod
    def _scheme_of_the_business(cls, values: Any) -> Any:
        """Where no scheme is named, the business model chooses it; what is wrong stays as it is."""
        if not isinstance(values, Mapping):
            return values
        section = values.get("segmentation", {})
        model = values.get("business_model", cls.model_fields["business_model"].default)
        if isinstance(section, Segmentation):
            section = section.model_dump(exclude_unset=True)
        if not isinstance(section, Mapping) or section.get("scheme", "") != "":
            return values
        scheme = SCHEME_OF.get(str(model), "")
        return {**values, "segmentation": {**section, "scheme": scheme}}
