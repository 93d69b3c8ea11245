"""All rows of the catalogue and the files they become."""

from __future__ import annotations

from tests.corpus.books import BOOK_ROWS, KINDS
from tests.corpus.rows import Case, Row, cases
from tests.corpus.tables import TABLES
from tests.corpus.texts import TEXTS
from tests.corpus.values import DATES, NUMBERS

ROWS: list[Row] = [*TEXTS, *TABLES, *KINDS, *BOOK_ROWS, *NUMBERS, *DATES]


def corpus() -> list[Case]:
    """Every row of the catalogue in each of its formats."""
    return cases(ROWS)
