"""Customers in blocks: a large company is made up a block at a time, so that memory stays bounded.

A block has streams of its own, customers of its own and numbers of its own. A company of one block
is simply that block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.demo.kinds import HORIZON, chapters

BLOCK = 20_000  # customers at most
COPIES = 0.015  # share of the companies that stand in the list a second time
ARRIVALS = 0.06  # new customers a quarter, as a share of those at the hand-over
WIDE = 900_000  # from here on numbers have a digit more, away from those that nobody knows


@dataclass(frozen=True)
class Block:
    """A block of customers.

    Parameters
    ----------
    index
        From 0.
    seed
        Of every draw in this block.
    size
        Real customers at the hand-over.
    copies
        Companies among them that stand in the list twice.
    arrivals
        Customers who come in each quarter after the hand-over.
    first
        How many customers, copies and arrivals of a quarter the blocks before hold.
    company
        How many of each the whole company holds.
    """

    index: int
    seed: int
    size: int
    copies: int
    arrivals: int
    first: tuple[int, int, int]
    company: tuple[int, int, int]

    def numbers(self) -> np.ndarray:
        """Running numbers of all that the block will ever hold, in the order of its rows.

        The company counts through its customers, then through the copies, then quarter by quarter
        through those who come: whoever is known has a smaller number than whoever is not yet.
        """
        before, of_company = self.first, self.company
        parts = [
            before[0] + np.arange(self.size),
            of_company[0] + before[1] + np.arange(self.copies),
        ]
        for quarter in range(quarters()):
            start = of_company[0] + of_company[1] + quarter * of_company[2]
            parts.append(start + before[2] + np.arange(self.arrivals))
        return np.concatenate(parts) + 1

    def known(self, gone: int) -> int:
        """Rows known after so many quarters since the hand-over."""
        return self.size + self.copies + gone * self.arrivals

    @property
    def before(self) -> int:
        """Customers whom the blocks before will ever hold."""
        return self.first[0] + self.first[1] + quarters() * self.first[2]

    @property
    def mark(self) -> str:
        """What sets running numbers of this block apart from those of others: at first nothing."""
        return f"{self.index:02d}" if self.index else ""

    @property
    def last(self) -> bool:
        """Whether no further block follows."""
        return self.first[0] + self.size == self.company[0]


def blocks(customers: int, seed: int) -> list[Block]:
    """Blocks of about the same size.

    Parameters
    ----------
    customers
        Real customers of the company at the hand-over.
    seed
        Of the company; the first block's as it is.
    """
    number = -(-customers // BLOCK)
    sizes = [customers // number + (b < customers % number) for b in range(number)]
    each = [(size, max(2, round(COPIES * size)), max(2, round(ARRIVALS * size))) for size in sizes]
    company = _sum(each)
    found = []
    for index, (size, copies, arrivals) in enumerate(each):
        own = seed if index == 0 else _seed(seed, index)
        first = _sum(each[:index])
        found.append(Block(index, own, size, copies, arrivals, first, company))
    return found


def quarters() -> int:
    """Quarters between the hand-over and the horizon."""
    return len(chapters(HORIZON)) - 1


def codes(numbers: np.ndarray, customers: int) -> list[str]:
    """Customer numbers as the customer list writes them."""
    wide = 7 if ever(customers) >= WIDE else 6
    return [f"KH{n:0{wide}d}" for n in numbers.tolist()]


def ever(customers: int) -> int:
    """Customers, copies and arrivals up to the horizon."""
    return known(customers, quarters())


def known(customers: int, gone: int) -> int:
    """Customer numbers given out after so many quarters since the hand-over."""
    return sum(block.known(gone) for block in blocks(customers, 0))


def _sum(each: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    return sum(e[0] for e in each), sum(e[1] for e in each), sum(e[2] for e in each)


def _seed(seed: int, index: int) -> int:
    """A seed far from that of every other block and company."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0])
