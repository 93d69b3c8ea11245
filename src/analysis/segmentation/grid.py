"""A matrix as people read it: rows down, columns across, in words."""

from __future__ import annotations

import pandas as pd

from analysis import wording
from analysis.wording import Language


def grid(
    cells: pd.DataFrame, matrix: str, lang: Language, measure: str = "customers"
) -> pd.DataFrame:
    """One matrix, wide.

    Parameters
    ----------
    cells
        RECORD ``matrix_cells``.
    matrix
        Which of its matrices.
    lang
        Language of the words; keys without words (industries, written sizes) stay as they are.
    measure
        Column to show.

    Returns
    -------
    pandas.DataFrame
        One row a row, one column a column, totals last.
    """
    part = cells[cells["matrix"] == matrix]
    wide = part.pivot_table(
        index="row", columns="column", values=measure, aggfunc="sum", sort=False
    )
    wide.index = pd.Index([matrix_word(matrix, "row", key, lang) for key in wide.index])
    wide.columns = pd.Index([matrix_word(matrix, "column", key, lang) for key in wide.columns])
    return wide


def matrix_word(matrix: str, axis: str, key: str, lang: Language) -> str:
    """A row's or column's key in words; ``axis`` is ``row`` or ``column``."""
    found = f"matrix.{matrix}.{axis}.{key}"
    return wording.text(found, lang) if wording.has(found) else key
