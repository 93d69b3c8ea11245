"""The types that settings are made of, and the base of every section."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import holidays
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from analysis.calendars import Period

Language = Literal["zh", "en"]


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


def increasing(value: list[float]) -> list[float]:
    """Check that no value is below, or the same as, the one before it."""
    if value != sorted(set(value)):
        raise ValueError("increasing")
    return value


def different(value: list[Any]) -> list[Any]:
    """Check that no value of a list is named twice."""
    if len(set(value)) < len(value):
        raise ValueError("named_twice")
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
