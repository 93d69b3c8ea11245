"""Customer segmentation and sales strategy, one record a period.

>>> from analysis import record
>>> record("acme", "2025Q3").table("segments")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.store import Record

__version__ = "0.1.0"
__all__ = ["__version__", "record"]


def record(run: str, period: str, root: Any = None) -> Record:
    """The record of one period.

    Parameters
    ----------
    run, period
        Names as in the period file; ``2025Q3~NAME`` is a what-if record.
    root
        Project folder; default: the nearest parent that holds ``notebooks/``.

    Returns
    -------
    Record
        Its `table`, `facts` and `manifest`.

    Raises
    ------
    SourceError
        If there is no such record, or it is damaged.
    """
    from analysis import store, wording  # pandas is loaded only when a record is wanted
    from analysis.errors import AnalysisError

    try:
        return store.record(run, period, root)
    except AnalysisError as error:  # outside a notebook nobody else puts it into words
        error.args = ("; ".join(wording.explain(error, wording.reader_language())),)
        raise
