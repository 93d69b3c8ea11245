"""Settings of the sources, of the scope and of cleaning."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from analysis.settings_types import Day, Section, Share, Switch, Zone, increasing


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
    timezone: Zone | None = Field(
        None, description="zone of this column's times; default the file's"
    )
    map: dict[str, str] = Field(default_factory=dict, description="words in the file → keys")
    missing: list[str | int | float] = Field(
        default_factory=list, description='codes that say "not known": -99, NA'
    )

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnSource:
        given = (self.from_, self.value, self.row_number or None, self.file_name)
        if sum(one is not None for one in given) != 1:
            raise ValueError("one_of:from,value,row_number,file_name")
        return self


def _column(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Words = Annotated[list[str | int], Field(min_length=1), BeforeValidator(_several)]


class Source(Section):
    """One canonical table's files and how to read them."""

    path: str | list[str] | None = Field(None, description="file, folder or glob below the root")
    url: str | None = Field(None, description="database, with ${ENV} for secrets")
    snapshots: Switch = Field(
        False,
        description="stage_history: from the run's archives, see analysis snapshot",
    )
    mapping: str | None = Field(None, description="a file of params/mappings, without .yml")
    columns: dict[str, Annotated[ColumnSource, BeforeValidator(_column)]] = Field(
        default_factory=dict, description="canonical column → header, or how to get it"
    )
    sheet: str | list[str] | None = Field(
        None,
        description="sheet of a workbook, a pattern such as * or a list, read as one table;"
        " default the first visible one with the headers",
    )
    hidden_rows: Literal["read", "leave_out"] = Field(
        "read", description="rows that a filter or a collapsed group hides in a workbook"
    )
    header_row: int | None = Field(None, ge=1, description="row of the header; default found")
    encoding: str | None = Field(None, description="default: found without guessing")
    separator: str | None = Field(None, description="default: found")
    decimal: Literal[".", ","] = Field(
        ".", description="decimal mark; the other one parts thousands"
    )
    event: Literal["signed", "ordered", "shipped", "invoiced", "paid"] | None = Field(
        None, description="which event a money table counts"
    )
    tax: Literal["included", "excluded"] | None = Field(None, description="含税 or 不含税")
    returns: Literal["gross", "net"] | None = Field(
        None, description="money before (gross) or after (net) returns, where a file has both"
    )
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
    only: dict[str, Words] = Field(
        default_factory=dict,
        description="header → words: only the rows that hold one of them there",
    )
    held_out: str | None = Field(None, description="treatments: the arm left out for comparison")
    missing: list[str | int | float] = Field(
        default_factory=list, description='codes that say "not known" in any of its columns'
    )

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.path is not None) + (self.url is not None) + self.snapshots != 1:
            raise ValueError("one_of:path,url,snapshots")
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
    latest_after: int = Field(
        3653, ge=0, description="latest plausible day, after the last day that counts [days]"
    )
    no_days: list[Day] = Field(
        default_factory=lambda: [
            date(1, 1, 1),
            date(1899, 12, 30),
            date(1899, 12, 31),
            date(1900, 1, 1),
            date(1970, 1, 1),
            date(2099, 12, 31),
            date(2999, 12, 31),
            date(9999, 12, 31),
        ],
        description="days that systems write for none; in columns that need no day they count as"
        " empty",
    )
    size_people: Annotated[list[int], Field(max_length=3), AfterValidator(increasing)] = Field(
        default_factory=list,
        description="headcount at which small, medium and large begin, for customers without a size"
        " band [people]; empty: no band",
    )
    gate: Share = Field(0.95, description="share of checks that must pass [share]")
    stop_below_gate: Switch = Field(False, description="stop the run below the gate")
