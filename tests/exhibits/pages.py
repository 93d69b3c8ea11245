"""All exhibits of a report in the order of its notebook."""

from __future__ import annotations

from analysis.exhibits import (
    accounts,
    allocation,
    appendix,
    cautions,
    crosswalk,
    decisions,
    movement,
    page_one,
    plan,
    portraits,
    provenance,
    review,
    segments,
    structure,
    target,
    tiles,
    worth,
)
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit


def everything(book: Book) -> list[Exhibit]:
    """What the notebook shows."""
    shown = [
        page_one.header(book),
        page_one.answer(book),
        page_one.why(book),
        tiles.tiles(book),
        page_one.bridge(book),
        decisions.decisions(book),
        page_one.last_measures(book),
        cautions.cautions(book),
        *target.target(book),
        segments.segment_table(book),
        movement.movement_matrix(book),
        movement.risk_and_next(book),
        segments.notes(book),
        *accounts.account_lists(book),
        portraits.portraits(book),
        portraits.heat_map(book),
        portraits.absent(book),
        *structure.matrices(book),
        review.review(book),
        worth.worth(book),
        review.further_outcomes(book),
        review.none(book),
        plan.plan_table(book),
        plan.duty_table(book),
        allocation.budget(book),
        allocation.next_proof(book),
        allocation.touches(book),
        allocation.people(book),
        allocation.left_out(book),
        worth.suggestions(book),
        *crosswalk.own_tiers(book),
        structure.rules(book),
        *appendix.definitions(book),
        appendix.further_tables(book),
        *appendix.quality(book),
        provenance.settings(book),
        provenance.provenance(book),
    ]
    return [exhibit for exhibit in shown if exhibit is not None]
