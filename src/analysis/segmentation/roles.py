"""The segments of the schemes in use: order, rank, role, own names."""

from __future__ import annotations

import pandas as pd

from analysis.segmentation.scheme import Scheme
from analysis.tables import RECORD

_RFM5 = {
    "high_value": "best",
    "potential": "growing",
    "churn_risk": "at_risk",
    "low_frequency_essential": "steady",
    "new": "new",
}


def scheme_segments(*schemes: Scheme) -> pd.DataFrame:
    """List the segments of the schemes.

    Parameters
    ----------
    schemes
        The primary scheme first.

    Returns
    -------
    pandas.DataFrame
        RECORD ``scheme_segments``.
    """
    rows = [
        {
            "scheme": scheme.scheme,
            "segment": segment,
            "position": position,
            "rank": rank,
            "role": _RFM5.get(segment, ""),
            "primary": place == 0,
            "name_zh": "",
            "name_en": "",
        }
        for place, scheme in enumerate(schemes)
        for position, (segment, rank) in enumerate(scheme.segments.items(), start=1)
    ]
    return pd.DataFrame(rows, columns=RECORD["scheme_segments"].names)
