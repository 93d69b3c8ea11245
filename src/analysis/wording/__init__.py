"""Words in Chinese and English, and numbers and dates as each language writes them.

Catalogues are YAML files ``<language>/<area>.yml``: nested maps whose keys join with dots.
Both languages have the same keys and placeholders; no value holds a digit.
"""

from analysis.wording.catalogue import (
    LANGUAGES,
    Language,
    explain,
    has,
    keys,
    reader_language,
    relabel,
    said,
    text,
)

__all__ = [
    "LANGUAGES",
    "Language",
    "explain",
    "has",
    "keys",
    "reader_language",
    "relabel",
    "said",
    "text",
]
