"""Settings of the sheet of a week."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.settings_types import Section

ReasonsBy = Literal["region", "team", "owner", "customers", "price"]


class Weekly(Section):
    """The sheet of a week."""

    reasons_by: ReasonsBy = Field("region", description="what the week's gap is split by")
    reorder_length: int = Field(20, ge=1, description="accounts overdue to reorder [customers]")
    list_length: int = Field(
        8, ge=1, description="accounts in each of the other lists, at most [customers]"
    )
    people_length: int = Field(
        20, ge=1, description="persons in the list of tasks, at most [persons]"
    )
    ahead_days: int = Field(
        30, ge=1, description="contracts that end and invoices that fall due within [days]"
    )
    ageing_days: int = Field(
        7,
        ge=0,
        description="an ageing not older than this says who owes; else invoices less payments do,"
        " where there are any [days]",
    )
