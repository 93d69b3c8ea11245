"""A report's book: facts, tables, settings and the language in which they are told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits import markup
from analysis.exhibits.facts import Fact, FactBook, fact_id
from analysis.exhibits.forms import Form, write
from analysis.exhibits.markup import NBSP, Rich
from analysis.roles import AT_RISK, BEST, Roles, roles_of
from analysis.settings_model import Settings
from analysis.wording import LANGUAGES, catalogue
from analysis.wording.catalogue import Language
from analysis.wording.numbers import Scale, currency_word, format_day, format_period, money_scale

_MILLION = 1e6  # the unit whose smaller amounts keep but one digit
# Frames a placeholder inside a catalogue text; no text of a person holds private-use characters.
_OPEN, _CLOSE = "\ue000", "\ue001"

# Words that agree with the count before them: "customers [was|were]".
_CHOICE = re.compile(r"\[([^|\[\]]*)\|([^|\[\]]*)\]")
_COUNT = re.compile(r"[\d,]+")
_PLACEHOLDERS = re.compile(f"({_OPEN}[^{_CLOSE}]*{_CLOSE})")
PERIOD_WORDS = ("last", "this", "next", "both", "several", "count", "each", "end")


@dataclass(frozen=True)
class Book:
    """What the exhibits draw from.

    Attributes
    ----------
    facts
        Every printable number of the record.
    tables
        The record's tables by name; absent ones are missing or empty.
    settings
        The run's settings.
    lang
        Language of this execution.
    period, as_of
        The reported period and the last day that counts.
    provenance, origins
        Report id, inputs, versions; and which file set which setting.
    """

    facts: FactBook
    tables: Mapping[str, pd.DataFrame]
    settings: Settings
    lang: Language
    period: Period
    as_of: date
    provenance: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    # -- facts ------------------------------------------------------------------------------

    def has(self, *parts: object) -> bool:
        """Whether the record holds this fact."""
        return fact_id(*parts) in self.facts

    def fact(self, *parts: object) -> Fact:
        """The fact with this id."""
        return self.facts[fact_id(*parts)]

    def value(self, *parts: object) -> float | None:
        """The fact's number, None where there is none. For rules and marks, never for print."""
        fact = self.facts.get(fact_id(*parts))
        return None if fact is None or isinstance(fact.value, str) else float(fact.value)

    def frame(self, name: str) -> pd.DataFrame:
        """A table, empty where the record has none."""
        found = self.tables.get(name)
        return pd.DataFrame() if found is None else found

    def knows(self, name: str) -> bool:
        """Whether the record holds this table, be it empty; one of an older record may lack it."""
        return len(self.frame(name).columns) > 0

    # -- numbers ----------------------------------------------------------------------------

    @property
    def places_customers(self) -> bool:
        """Whether anybody stands in a segment; a campaign is judged without segments."""
        if not self.knows("segment_summary"):
            return True
        return bool((self.frame("segment_summary")["customers"] > 0).any())

    @property
    def has_orders(self) -> bool:
        """Whether the record rests on orders; a run may leave the revenue KPI out.

        Without orders the tables may stand there all the same, with nothing but zeros.
        """
        known = ("bridge.current.customers", "bridge.previous.customers", "segment.all.customers")
        return self.has("kpi.revenue") or any(self.value(id_) for id_ in known)

    @cached_property
    def scale(self) -> Scale:
        """The one unit of money of the report: the period's revenue reads best in it."""
        totals = [self.value(key) for key in ("kpi.revenue", "kpi.revenue.previous")]
        known = [total for total in totals if total]
        if not known:
            ends = [self.value(f"bridge.{step}.amount") for step in ("previous", "current")]
            known = [end for end in ends if end]
        if not known:
            known = [
                float(fact.value)
                for fact in self.facts.values()
                if fact.unit == "money" and not isinstance(fact.value, str)
            ]
        return money_scale(known, self.lang, self.settings.currency)

    @cached_property
    def table_scale(self) -> Scale:
        """The same unit where parts must add to their total."""
        extra = 1 if self.lang == "en" and self.scale.divisor > 1 else 0
        return Scale(self.scale.label, self.scale.divisor, self.scale.decimals + extra)

    def scale_of(self, *ids: str) -> Scale:
        """The unit of money that suits these facts alone (money per customer)."""
        known = [value for id_ in ids if (value := self.value(id_)) is not None]
        return money_scale(known, self.lang, self.settings.currency)

    def shows(self, *parts: object) -> bool:
        """Whether a number is more than zero as printed, in every language.

        Units differ: what is nothing in millions may be something in 万. No language may draw
        another conclusion than the other.
        """
        books = (replace(self, lang=lang) for lang in LANGUAGES)
        return all(shows_something(book.num(*parts)) for book in books)

    def scale_for(self, *ids: str) -> Scale:
        """The report's unit, or a smaller one where amounts beside each other say too little."""
        vanishing = [i for i in ids if self.value(i) and not shows_something(self.num(i))]
        return self.scale_of(*ids) if vanishing or self._coarse(*ids) else self.scale

    def _coarse(self, *ids: str) -> bool:
        """Whether millions leave the largest of these amounts a single digit: ``RMB 0.1 m``."""
        known = [abs(value) for id_ in ids if (value := self.value(id_))]
        return self.scale.divisor >= _MILLION and 0 < max(known, default=0.0) < _MILLION

    def num(
        self,
        *parts: object,
        signed: bool = False,
        absolute: bool = False,
        bare: bool = False,
        decimals: int = -1,
        scale: Scale | None = None,
    ) -> Rich:
        """A number without its unit word; a dash where the fact is missing."""
        id_ = fact_id(*parts)
        fact = self.facts.get(id_)
        if fact is None:
            return markup.words("–")
        if fact.unit == "date":
            return self.day(fact.value)
        form = Form(signed=signed, absolute=absolute, bare=bare, decimals=decimals)
        if fact.unit == "money":
            used = scale or self.scale
            # More places suit a large unit; plain currency keeps its own.
            form = replace(form, decimals=-1) if used.divisor <= 1 else form
            form = form.scaled(used)
        return markup.number(write(fact, self.lang, form), id_, fact.value, form.encode())

    def money(self, *parts: object, scale: Scale | None = None, **options: Any) -> Rich:
        """Money with its unit word: ``12,860 万元``, ``RMB 128.6 m``.

        An amount that would round to nothing, or to a single digit, in the page's unit takes the
        unit that suits it; nothing is 0 without one.
        """
        if scale is None and self.value(*parts) == 0:
            scale = Scale(currency_word(self.settings.currency, self.lang), 1.0, 0)
        used = scale or self.scale_for(fact_id(*parts))
        if self.value(*parts) and not shows_something(self.num(*parts, scale=used, **options)):
            used = self.scale_of(fact_id(*parts))
        return self.unit_of_money(self.num(*parts, scale=used, **options), used)

    def unit_of_money(self, piece: Rich, scale: Scale | None = None) -> Rich:
        """A number with the words of its money unit around it."""
        label = (scale or self.scale).label
        signed = piece.plain[:1] in "+\u2212"
        if self.lang == "zh":
            return piece + markup.words(NBSP + label)
        word, _, letter = label.partition(" ")
        tail = markup.words(NBSP + letter) if letter else markup.EMPTY
        # A change keeps its sign at the front: +23.9 m.
        lead = markup.EMPTY if signed and letter else markup.words(word + NBSP)
        return lead + piece + tail

    def day(self, day: Any, style: str = "iso") -> Rich:
        """A day."""
        iso = format_day(day, self.lang)
        return markup.moment(format_day(day, self.lang, style), iso)  # type: ignore[arg-type]

    def when(self, period: Period | None = None, style: str = "short") -> Rich:
        """A period: ``三季度``, ``Q3``; the reported one by default.

        One of another year than the reported one says so: ``上年四季度``, ``Q4 2024``.
        """
        chosen = period or self.period
        years = int(chosen.name[:4]) - int(self.period.name[:4])
        if years and chosen.kind != "year" and style == "short":
            if years == -1 and self.lang == "zh":
                kind = "half" if chosen.kind == "half" else "other"
                short = format_period(chosen, self.lang, "short")
                shown = catalogue.text(f"exhibits.year_before.{kind}", self.lang, period=short)
                return markup.moment(shown, chosen.name)
            style = "long"
        shown = format_period(chosen, self.lang, style)  # type: ignore[arg-type]
        return markup.moment(shown, chosen.name)

    # -- words ------------------------------------------------------------------------------

    def say(self, key: str, **args: Rich) -> Rich:
        """A sentence of the catalogue with its numbers, names and days in place."""
        return self._compose(self._marked(key), args)

    def _marked(self, key: str) -> str:
        # The catalogue says itself, one by one, which placeholders a text has.
        marks: dict[str, str] = {}
        if not catalogue.has(key):
            raise KeyError(key)
        while True:
            try:
                return self._timed(catalogue.text(key, self.lang, **marks))
            except KeyError as missing:
                field_ = str(missing.args[0])
                marks[field_] = f"{_OPEN}{field_}{_CLOSE}"

    def _compose(
        self, raw: str, args: Mapping[str, Rich], piece_of: Callable[[str], Rich] = markup.words
    ) -> Rich:
        # Bold may span placeholders, so the parts between ** are composed one by one.
        parts: list[Rich] = []
        one = False  # whether the last count was one
        for index, stretch in enumerate(raw.split("**")):
            inner: list[Rich] = []
            pieces = stretch.split(_OPEN)
            for place, piece in enumerate(pieces):
                literal = piece
                if place:
                    field_, literal = piece.split(_CLOSE, 1)
                    inner.append(args[field_])
                    if _COUNT.fullmatch(args[field_].plain):
                        one = args[field_].plain == "1"
                    if args[field_].plain == "1":
                        literal = self._singular(literal)
                    # A number and its measure word stay on one line.
                    if self.lang == "zh" and literal.startswith(" "):
                        literal = NBSP + literal[1:]
                if self.lang == "zh" and literal.endswith(" ") and place + 1 < len(pieces):
                    literal = literal[:-1] + NBSP
                literal = _agreeing(literal, one)
                if literal:
                    inner.append(piece_of(literal))
            whole = markup.join(inner)
            parts.append(markup.bold(whole) if index % 2 and whole else whole)
        return markup.join(parts)

    def _singular(self, text: str) -> str:
        # Only English counts "customers" and "1 customer"; adjectives may stand before the noun.
        many = catalogue.text("exhibits.singular.many", self.lang).split()
        one = catalogue.text("exhibits.singular.one", self.lang).split()
        for plural, single in zip(many, one, strict=True):
            changed = re.sub(rf"^((?: [a-z-]+){{0,2}} ){plural}\b", rf"\g<1>{single}", text)
            if changed != text:
                return changed
        return text

    def text(self, key: str) -> str:
        """Words of the catalogue without placeholders."""
        return self._timed(catalogue.text(key, self.lang))

    def _timed(self, text: str) -> str:
        # "Last period" reads as last quarter, last month, … where the report's period is one.
        parts = _PLACEHOLDERS.split(text)
        for place in range(0, len(parts), 2):  # every second part is a placeholder
            for general, own in self._period_words:
                parts[place] = parts[place].replace(general, own)
        return "".join(parts)

    @cached_property
    def _period_words(self) -> list[tuple[str, str]]:
        kind = f"exhibits.period.{self.period.kind}"
        return [
            (
                catalogue.text(f"exhibits.period.general.{name}", self.lang),
                catalogue.text(f"{kind}.{name}", self.lang),
            )
            for name in PERIOD_WORDS
            if catalogue.has(f"{kind}.{name}")
        ]

    def words(self, key: str) -> Rich:
        """The same as a piece of text."""
        return markup.words(self.text(key))

    def label(self, kind: str, key: object) -> Rich:
        """What a key is called: ``segment.new``; an unknown key stands there as a name."""
        dotted = f"{kind}.{key}"
        return self.words(dotted) if catalogue.has(dotted) else markup.name(key)

    @cached_property
    def roles(self) -> Roles:
        """The segments of the primary scheme with their roles; empty without the table."""
        return roles_of(self.frame("scheme_segments"))

    def short_label(self, segment: str) -> Rich:
        """A segment's short name where it has one."""
        short = self.label("segment_short", segment)
        return short if short.plain != segment else self.label("segment", segment)

    def role_names(self) -> dict[str, Rich]:
        """The words for the best segment and the one at risk, as arguments of a sentence.

        ``best``, ``best_short``, ``risk``, ``risk_short``; empty pieces without the roles.
        """
        named: dict[str, Rich] = {}
        for name, role in (("best", BEST), ("risk", AT_RISK)):
            segment = self.roles.one(role)
            named[name] = self.label("segment", segment) if segment else markup.EMPTY
            named[f"{name}_short"] = self.short_label(segment) if segment else markup.EMPTY
        return named

    def list_of(self, pieces: list[Rich]) -> Rich:
        """Pieces as an enumeration: ``甲、乙和丙``, ``a, b and c``."""
        if len(pieces) < 2:
            return markup.join(pieces)
        head = markup.join(pieces[:-1], self.text("exhibits.list.comma"))
        return head + markup.words(self.text("exhibits.list.last")) + pieces[-1]

    def told(
        self, reason: Any, *prefix: object, scale: Scale | None = None, unit: bool = False
    ) -> Rich:
        """A reason of a table: catalogue key with arguments, whose numbers are facts.

        Parameters
        ----------
        reason
            JSON text ``{"key": …, "args": {…}}``, or the same as a map; a company's own words
            stand there as ``text``, a map by language, instead of the key.
        prefix
            Id under which `collect` stored the arguments' facts.
        scale
            Unit of money that stands beside the reason already; None writes it out.
        unit
            Write that unit out all the same.
        """
        told = parse_reason(reason)
        if not told or ("text" not in told and not catalogue.has(str(told["key"]))):
            return markup.EMPTY
        args = {
            name: self._argument(value, fact_id(*prefix, name), scale, unit)
            for name, value in (told.get("args") or {}).items()
        }
        if "text" in told:
            own = str(told["text"].get(self.lang, "")).format_map(_Marks())
            return self._compose(own, args, markup.own)
        return self._compose(self._marked(str(told["key"])), args)

    def _argument(self, value: Any, id_: str, scale: Scale | None, unit: bool) -> Rich:
        if isinstance(value, Mapping):
            if "key" in value:
                key = str(value["key"])
                return self.words(key) if catalogue.has(key) else markup.name(key)
            if str(value.get("unit", "")) == "money" and scale is not None and not unit:
                return self.num(id_, scale=scale)
            if str(value.get("unit", "")) == "money":
                return self.money(id_, scale=scale or self.scale_of(id_))
            return self.num(id_)
        return markup.name(value)


class _Marks(dict[str, str]):
    """A mark for every placeholder of a company's own text."""

    def __missing__(self, field_: str) -> str:
        return f"{_OPEN}{field_}{_CLOSE}"


def _agreeing(text: str, one: bool) -> str:
    return _CHOICE.sub(lambda found: found[1] if one else found[2], text)


def shows_something(piece: Rich) -> bool:
    """Whether a printed number is anything else than zero or a dash."""
    return any(digit in "123456789" for digit in piece.plain)


def parse_reason(reason: Any) -> dict[str, Any]:
    """A table's reason as a map; empty where there is none."""
    if isinstance(reason, Mapping):
        return dict(reason)
    if not isinstance(reason, str) or not reason.strip():
        return {}
    found = json.loads(reason)
    return found if isinstance(found, dict) and {"key", "text"} & set(found) else {}
