"""The chain: which notebook runs after which, what it needs and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.errors import Problem, SettingsError
from analysis.settings import Config
from analysis.settings_checks import nearest
from analysis.settings_segmentation import DECISION_FILES

# Settings that every stage reads.
COMMON: tuple[str, ...] = (
    "run",
    "period",
    "as_of",
    "previous",
    "business_model",
    "timezone",
    "currency",
)
COMMON += ("engine", "seed")


@dataclass(frozen=True)
class Stage:
    """One notebook of the chain.

    Attributes
    ----------
    needs
        Stages whose tables it reads.
    sections
        Settings it depends on, besides the common ones; ``*`` means all.
    gives
        Tables it must save.
    files
        Globs below the root whose content it depends on; ``{name}`` is a setting.
    reads_sealed
        Whether it reads approved records of earlier periods.
    edition
        The edition of the report that it makes; empty: none.
    """

    name: str
    notebook: str
    needs: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reads_sealed: bool = False
    edition: str = ""

    def depends_on(self, setting: str) -> bool:
        """Whether a dotted setting can change this stage's result."""
        if setting.startswith("runner."):
            return False  # how long a cell may take does not change what it gives
        if "*" in self.sections:
            return True
        return any(setting == s or setting.startswith(f"{s}.") for s in (*COMMON, *self.sections))


STAGES: tuple[Stage, ...] = (
    Stage(
        "cleaning",
        "notebooks/01_cleaning.ipynb",
        sections=("sources", "scope", "cleaning", "rates"),
        gives=(
            "customers", "orders", "contacts", "activities", "tickets", "people", "treatments",
            "outcomes", "targets", "customer_keys", "receivables", "payments", "invoices",
            "controls", "removed_rows", "reconciliation", "sources", "quality", "key_bridge",
            "unmatched_keys", "tie_out", "tie_out_left_out", "subscriptions", "usage",
            "surveys", "leads", "opportunities", "task_results", "load_failures",
        ),
        files=("params/mappings/*.yml",),
        reads_sealed=True,
    ),
    Stage(
        "segmentation",
        "notebooks/02_segmentation.ipynb",
        needs=("cleaning",),
        sections=("segmentation", "report.list_length"),
        gives=(
            "features", "cuts", "segments", "segments_before", "crosswalk", "movements",
            "movement_matrix", "segment_summary", "arrears", "accounts", "segment_history",
            "scheme_segments", "scheme_thresholds", "scheme_rules", "segment_scores",
            "crosswalk_summary", "tier_differences", "overrides", "warnings",
            "warning_record", "worklists", "matrix_cells", "cluster_choice", "clusters",
            "cluster_profiles", "review",
        ),
        reads_sealed=True,
        files=(
            "params/schemes/*.yml",
            *(f"{{segmentation.overrides.path}}/{name}" for name in DECISION_FILES),
        ),
    ),
    Stage(
        "personas",
        "notebooks/03_personas.ipynb",
        needs=("cleaning", "segmentation"),
        sections=("personas",),
        gives=("personas",),
    ),
    Stage(
        "effectiveness",
        "notebooks/04_effectiveness.ipynb",
        needs=("cleaning", "segmentation"),
        sections=("effectiveness", "goals", "report.watch", "strategy.holidays"),
        gives=(
            "effects", "effect_checks", "event_study", "balance", "evidence", "adjustments",
            "kpis", "kpi_cuts", "kpi_dictionary", "goals", "gaps", "bridge", "arr_bridge",
            "task_progress", "progress", "effect_scaling",
        ),
        files=("params/adjustments/*.yml",),
        reads_sealed=True,
    ),
    Stage(
        "strategy",
        "notebooks/05_strategy.ipynb",
        needs=("cleaning", "segmentation", "effectiveness"),
        sections=("strategy", "effectiveness", "segmentation.monetary_days"),
        gives=(
            "plan", "plan_summary", "decisions", "tasks", "waves", "designs", "strategy_table",
            "account_plans", "task_targets", "visits", "reminders", "not_planned", "capacity",
            "limits", "touches", "budget_curve", "segment_angles", "entitlements",
        ),
        files=("params/playbooks/*.yml",),
        reads_sealed=True,
    ),
    Stage(
        "report",
        "notebooks/06_report.ipynb",
        needs=("cleaning", "segmentation", "personas", "effectiveness", "strategy"),
        sections=("*",),
        files=("reports/templates/**/*", "params/crm/*.yml"),
        edition="report",
    ),
)  # fmt: skip

# A week places nobody anew and plans nothing: its sheet stands on the cleaned exports, on the
# segments of the last quarter and on the plan in force.
WEEKLY = Stage(
    "weekly",
    "notebooks/07_weekly.ipynb",
    needs=("cleaning",),
    sections=("*",),
    gives=(
        "weekly_target", "weekly_gaps", "weekly_lists", "weekly_returns", "weekly_tasks",
        "weekly_next", "weekly_basis", "tasks",
    ),
    files=("params/schemes/*.yml", "reports/templates/**/*"),
    reads_sealed=True,
    edition="weekly",
)  # fmt: skip


def chain(config: Config) -> tuple[Stage, ...]:
    """The stages of a run: the shipped ones, the company's copies and its own.

    A week has stages of its own: cleaning and `WEEKLY`.

    Raises
    ------
    SettingsError
        If a setting names a stage that does not exist.
    """
    settings = config.settings
    week = config.period.kind == "week"
    shipped = (STAGES[0], WEEKLY) if week else STAGES
    stages = [replace(s, notebook=settings.notebooks.get(s.name, s.notebook)) for s in shipped]
    every = [s.name for s in (*STAGES, WEEKLY)]
    problems = _unknown(settings.notebooks, every, "notebooks", config)
    for name, extra in settings.extra_stages.items():
        names = [stage.name for stage in stages]
        if week and extra.after in every and extra.after not in names:
            continue  # it belongs to the quarter
        if extra.after not in names:
            problems += _unknown([extra.after], names, f"extra_stages.{name}.after", config)
            continue
        place = names.index(extra.after) + 1
        needs = tuple(names[:place])
        stages.insert(place, Stage(name, extra.path, needs=needs, sections=("*",)))
    if problems:
        raise SettingsError(problems)
    missing = [
        Problem("settings.missing_notebook", {"stage": s.name, "found": s.notebook})
        for s in stages
        if not (config.root / s.notebook).is_file()
    ]
    if missing:
        raise SettingsError(missing)
    return tuple(stages)


def find(stages: tuple[Stage, ...], name: str) -> Stage:
    """The stage called `name`.

    Raises
    ------
    SettingsError
        If there is none; the message lists the stages.
    """
    for stage in stages:
        if stage.name == name:
            return stage
    names = [stage.name for stage in stages]
    args = {"found": name, "allowed": names, "nearest": nearest(name, names)}
    raise SettingsError(Problem("settings.unknown_stage", args))


def giver(table: str) -> str:
    """The stage that saves a table; empty for a table of no shipped stage."""
    return next((stage.name for stage in (*STAGES, WEEKLY) if table in stage.gives), "")


def _unknown(names: object, known: list[str], setting: str, config: Config) -> list[Problem]:
    return [
        Problem(
            "settings.unknown_stage",
            {"found": name, "allowed": known},
            config.origin(setting),
        )
        for name in names  # type: ignore[attr-defined]
        if name not in known
    ]
