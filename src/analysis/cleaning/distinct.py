"""Text columns by their distinct words."""

from __future__ import annotations

import pyarrow as pa


def encoded(values: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of text as words and, for each row, which of them."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):  # too large for one array of text
        array = pa.concat_arrays(array.chunks)
    return array.cast(pa.string()).dictionary_encode()
