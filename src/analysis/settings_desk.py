"""Settings of what lands on whose desk: visits, reminders, files for the CRM."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from analysis.settings_types import Section

Months = Annotated[int, Field(ge=1, le=12)]


class Desk(Section):
    """Tasks, visits and reminders as people get them."""

    crm: str = Field(
        "generic_zh", description="a file of params/crm: names and formats of the import files"
    )
    visits_a_day: int = Field(3, ge=1, description="visits of one person in a day [visits]")
    renewal_days: int = Field(
        30, ge=0, description="a contract's end is recalled so long before it [days]"
    )
    overdue_days: int = Field(
        30, ge=0, description="overdue money is recalled from so long on [days]"
    )
    overdue_money: float = Field(
        10_000, ge=0, description="and from this much overdue of a customer [currency]"
    )
    full_review_months: Months = Field(
        12, description="scheme and playbook are reviewed at the end of every such month [months]"
    )
    fine_tune_months: Months = Field(
        3, description="segments are tuned at the end of every such month [months]"
    )
    strategic_months: Months = Field(
        1, description="the best segment is looked through likewise [months]"
    )
