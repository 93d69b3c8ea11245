"""How one fact is written: sign, unit of money, decimals.

The form travels with the number (``data-form``), so that a checker can write the fact again
and compare.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.exhibits.facts import Fact
from analysis.wording.catalogue import Language
from analysis.wording.numbers import Scale, format_value


@dataclass(frozen=True)
class Form:
    """Options of `write`.

    Attributes
    ----------
    signed
        Write ``+`` before a positive change.
    absolute
        Write the amount of a change whose direction the words tell.
    divisor
        Currency units in the printed one; 0 for other units than money.
    decimals
        Places; -1 for the unit's own.
    bare
        Leave ``%`` out, where the head of a column or the words after it say it.
    """

    signed: bool = False
    absolute: bool = False
    divisor: float = 0.0
    decimals: int = -1
    bare: bool = False

    def scaled(self, scale: Scale) -> Form:
        """The form in a unit of money."""
        decimals = scale.decimals if self.decimals < 0 else self.decimals
        return replace(self, divisor=scale.divisor, decimals=decimals)

    def encode(self) -> str:
        """As an attribute: ``money/10000,dp=0,signed``; empty for the plain form."""
        parts = [f"money/{self.divisor:.0f}"] if self.divisor else []
        parts += [f"dp={self.decimals}"] if self.decimals >= 0 else []
        parts += [flag for flag in ("signed", "absolute", "bare") if getattr(self, flag)]
        return ",".join(parts)

    @classmethod
    def decode(cls, text: str) -> Form:
        """The form that `encode` wrote.

        Raises
        ------
        ValueError
            If the text is no form.
        """
        form = cls()
        for part in filter(None, text.split(",")):
            if part.startswith("money/"):
                form = replace(form, divisor=float(part[6:]))
            elif part.startswith("dp="):
                form = replace(form, decimals=int(part[3:]))
            elif part == "signed":
                form = replace(form, signed=True)
            elif part == "absolute":
                form = replace(form, absolute=True)
            elif part == "bare":
                form = replace(form, bare=True)
            else:
                raise ValueError(part)
        return form


PLAIN = Form()


def write(fact: Fact, lang: Language, form: Form = PLAIN) -> str:
    """The fact's value as the language writes it, without its unit word."""
    value = fact.value
    if form.absolute and not isinstance(value, str):
        value = abs(value)
    text = format_value(
        value,
        fact.unit,
        lang,
        signed=form.signed,
        scale=Scale("", form.divisor, form.decimals) if form.divisor else None,
        decimals=form.decimals if form.decimals >= 0 else None,
    )
    return text.removesuffix("%") if form.bare else text
