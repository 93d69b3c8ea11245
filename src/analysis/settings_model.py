"""Every setting, with its type, unit, bounds and meaning.

`params/base.yml` states the defaults; a test holds the two together. Nothing here reads a
file: see `analysis.settings`. The larger sections stand in modules of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from analysis.settings_goals import GoalItem
from analysis.settings_measures import Effectiveness, Strategy
from analysis.settings_segmentation import Segmentation
from analysis.settings_sources import Cleaning, Scope, Source
from analysis.settings_types import Day, Language, PeriodName, Section, Share, Zone, different
from analysis.settings_weekly import Weekly

BusinessModel = Literal["trade", "project", "subscription"]
# the primary scheme of who names none
SCHEME_OF: dict[str, str] = {
    "trade": "rfm5",
    "project": "rfm5",
    "subscription": "subscription5",
}
ReportFormat = Literal["html", "pdf"]


def _both() -> list[Language]:
    return ["zh", "en"]


class Personas(Section):
    """Portraits."""

    min_group: int = Field(10, ge=1, description="smaller groups are not shown [customers]")
    level: Share = Field(0.95, description="level of intervals [share]")
    false_discovery: Share = Field(0.05, description="false discoveries among findings [share]")
    top_levels: int = Field(6, ge=1, description="levels of a trait that are shown [levels]")


def _formats() -> list[ReportFormat]:
    return ["html", "pdf"]


class Report(Section):
    """The report."""

    formats: Annotated[list[ReportFormat], AfterValidator(different)] = Field(
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
    memory_mb: int | None = Field(
        None, ge=256, description="memory of set-wise work, beyond it disk; empty: 80 % [MB]"
    )
    block_rows: int = Field(
        2_000_000,
        ge=1,
        description="order lines in memory at once; more are read and cleaned from disk [rows]",
    )


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
    rates: dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[float, Field(gt=0)]] = (
        Field(
            default_factory=dict,
            description="other currency → units of `currency` for one of it [ratio]",
        )
    )
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="set-wise work")
    languages: Annotated[list[Language], AfterValidator(different)] = Field(
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
    goals: list[GoalItem] = Field(default_factory=list, description="what shall be reached")
    report: Report = Field(default_factory=Report, description="report")
    weekly: Weekly = Field(default_factory=Weekly, description="the sheet of a week")
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
