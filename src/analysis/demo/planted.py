"""What was planted in the books and in the funnel, for the truth files."""

from __future__ import annotations

from datetime import date

import pandas as pd

from analysis.demo.funnel import Funnel
from analysis.demo.kinds import day
from analysis.demo.ledger import Ledger


def truths(
    funnel: Funnel,
    notes: pd.Series,
    books: Ledger,
    known: pd.DataFrame,
    snapshots: list[date],
) -> dict[str, pd.DataFrame]:
    """Truth tables by name.

    Parameters
    ----------
    funnel
        As it stands at the end.
    notes
        Number of the delivery note by order.

    Returns
    -------
    dict
        ``opportunities``: opportunity_id, customer_id, status, stalled, note (delivery note it
        led to, else empty);
        ``receivables``: as_of, code, customer_id (empty for strangers), fen (open), overdue_fen.
    """
    deals = funnel.deals
    return {
        "opportunities": pd.DataFrame(
            {
                "opportunity_id": deals["opportunity_id"],
                "customer_id": known["number"].to_numpy()[deals["customer"]],
                "status": deals["status"],
                "stalled": deals["stalled"].astype(bool),
                "note": deals["order"].map(notes).fillna(""),
            }
        ),
        "receivables": receivables(books, known, snapshots),
    }


def receivables(books: Ledger, known: pd.DataFrame, snapshots: list[date]) -> pd.DataFrame:
    """What every customer owed on the days of the snapshots."""
    parts = []
    for when in snapshots:
        found = books.open(day(when))
        late = (found["due"] < day(when)) & (found["fen"] > 0)
        found = found.assign(overdue=found["fen"].where(late, 0))
        sums = found.groupby("account")[["fen", "overdue"]].sum()
        who = known.iloc[sums.index.to_numpy()]
        parts.append(
            pd.DataFrame(
                {
                    "as_of": str(when),
                    "code": who["code"].to_numpy(),
                    "customer_id": who["number"].where(who["kind"] != "stranger", "").to_numpy(),
                    "fen": sums["fen"].to_numpy(),
                    "overdue_fen": sums["overdue"].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
