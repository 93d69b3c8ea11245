"""Whether customers are cut into too many or too small groups (标签碎片化)."""

from __future__ import annotations

import pandas as pd

from analysis.segmentation.matrices import ALL, thin_below
from analysis.segmentation.reasons import number, sentence, word
from analysis.settings_segmentation import Matrices


def fragmentation(segments: pd.DataFrame, cells: pd.DataFrame, settings: Matrices) -> list[str]:
    """Warnings that nobody can act on this many groups, or judge a measure in groups this small.

    Parameters
    ----------
    segments
        RECORD ``segments``.
    cells
        RECORD ``matrix_cells``, of any number of matrices.
    settings
        Most segments, and the smallest group that is not thin.

    Returns
    -------
    list of str
        Sentences (catalogue key and arguments, JSON): the number of segments, each thin
        segment, the thin cells of each matrix. Empty: nothing to warn of.
    """
    sizes = segments["segment"].value_counts().sort_index()
    found = []
    if len(sizes) > settings.most_segments:
        found.append(
            sentence(
                "fragmentation.segments",
                {
                    "segments": number(len(sizes), "count"),
                    "most": number(settings.most_segments, "count"),
                },
            )
        )
    least = thin_below(len(segments), settings)
    found += [
        sentence(
            "fragmentation.segment",
            {
                "segment": word(f"segment.{name}"),
                "customers": number(size, "count"),
                "least": number(least, "count"),
            },
        )
        for name, size in sizes.items()
        if size < least
    ]
    inner = cells[(cells["row"] != ALL) & (cells["column"] != ALL) & (cells["customers"] > 0)]
    for name, part in inner.groupby("matrix", sort=False):
        smallest = thin_below(int(part["customers"].sum()), settings)
        thin = part[part["customers"] < smallest]
        if len(thin):
            found.append(
                sentence(
                    "fragmentation.cells",
                    {
                        "matrix": word(f"matrix.{name}.name"),
                        "thin": number(len(thin), "count"),
                        "cells": number(len(part), "count"),
                        "customers": number(thin["customers"].sum(), "count"),
                        "least": number(smallest, "count"),
                    },
                )
            )
    return found
