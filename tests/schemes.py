"""The shipped schemes' segments: order, rank, role."""

from __future__ import annotations

import pandas as pd

SCHEMES = {
    "rfm5": {
        "high_value": (3, "best"),
        "potential": (2, "growing"),
        "churn_risk": (1, "at_risk"),
        "low_frequency_essential": (2, "steady"),
        "new": (2, "new"),
    },
    "platinum4": {
        "platinum": (4, "best"),
        "gold": (3, "growing"),
        "loyal_base": (2, "steady"),
        "at_risk": (1, "at_risk"),
    },
    "grade4": {
        "grade_high": (4, "best"),
        "grade_potential": (3, "growing"),
        "grade_maintain": (2, "at_risk"),
        "grade_low": (1, ""),
    },
    "saas3": {
        "saas_platinum": (3, "best"),
        "saas_gold": (2, "growing"),
        "saas_ordinary": (1, "at_risk"),
    },
    "subscription5": {
        "strategic": (4, "best"),
        "expanding": (3, "growing"),
        "steady": (2, "steady"),
        "onboarding": (2, "new"),
        "renewal_risk": (1, "at_risk"),
        "contract_ended": (0, ""),
    },
    "maturity4": {
        "maturity_strategic": (4, "best"),
        "maturity_key": (3, "growing"),
        "maturity_general": (2, "at_risk"),
        "maturity_new": (1, "new"),
    },
    "urgency4": {
        "follow_now": (4, "best"),
        "quarter_focus": (3, "growing"),
        "nurture": (2, "at_risk"),
        "hold_off": (1, ""),
    },
}


def scheme_segments(*schemes: str) -> pd.DataFrame:
    """RECORD ``scheme_segments``, the primary scheme first; ``rfm5`` by default."""
    rows = [
        {
            "scheme": scheme,
            "segment": segment,
            "position": position,
            "rank": rank,
            "role": role,
            "primary": place == 0,
            "name_zh": "",
            "name_en": "",
        }
        for place, scheme in enumerate(schemes or ("rfm5",))
        for position, (segment, (rank, role)) in enumerate(SCHEMES[scheme].items(), start=1)
    ]
    return pd.DataFrame(rows)
