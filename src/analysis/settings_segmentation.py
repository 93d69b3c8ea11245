"""Settings of segmentation: scores, schemes, guards and their challengers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from analysis.settings_types import Section, Share, Switch, increasing


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


Cuts = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(increasing)]


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
        list[float], Field(min_length=3, max_length=3), AfterValidator(increasing)
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
