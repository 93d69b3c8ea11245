"""How things are told, whatever the firm sells: which pain, which sentence, at what hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.demo.kinds import START


def pains(
    main: np.ndarray, others: Sequence[str], own: float, share: float, stream: np.random.Generator
) -> np.ndarray:
    """The planted pain of each text; empty for none.

    Parameters
    ----------
    main
        What the customer of each text complains about most.
    others
        Every pain there is.
    own, share
        Share of the pains that are the customer's own, and of the texts that carry one.
    """
    other = np.array(others)[stream.integers(len(others), size=len(main))]
    found = np.where(stream.random(len(main)) < own, main, other)
    return np.asarray(np.where(stream.random(len(main)) < share, found, ""))


def written(
    sentences: Mapping[str, Sequence[str]],
    neutral: Sequence[str],
    pain: np.ndarray,
    stream: np.random.Generator,
) -> np.ndarray:
    """A sentence for each pain, with its gaps still open."""
    drawn = stream.random(len(pain))
    text = np.empty(len(pain), dtype=object)
    for name, offered in {"": neutral, **sentences}.items():
        here = np.nonzero(pain == name)[0]
        pick = np.floor(drawn[here] * len(offered)).astype(np.int64)
        text[here] = np.array(offered, dtype=object)[pick]
    return text


def moments(days: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Working hours of these days, to the minute."""
    minute = np.floor(8.5 * 60 + 9 * 60 * stream.random(len(days)))
    minutes = np.asarray(days, dtype=np.float64) * 1440 + minute
    return np.asarray(np.datetime64(START, "m") + minutes.astype("timedelta64[m]"))
