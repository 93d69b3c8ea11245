"""`analysis playbook lint`: who does what until when for how much, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis import store, wording
from analysis.calendars import Period, WorkingCalendar
from analysis.conditions import Comparison, ConditionError, Test, parse
from analysis.errors import SettingsError
from analysis.pipeline.scheme_record import Known
from analysis.segmentation.scheme import read_scheme
from analysis.settings_measures import Strategy
from analysis.strategy.facts import FACTS, Fact
from analysis.strategy.playbook import Measure, Playbook, SegmentPlan, Term, Text, spoken
from analysis.strategy.playbook_checks import beyond, count_gaps, known_words, lint
from analysis.strategy.playbook_files import find, read_playbook
from analysis.wording import Language
from analysis.wording.numbers import format_value
from analysis.wording.told import money, word

_QUARTER_DAYS = 65  # thirteen weeks without a holiday
_ASPECTS = {"wish": "value"}  # fact → aspect of the portraits that has the same words


def lint_lines(
    file: str, root: Path, known: Known | None, lang: Language, currency: str = "CNY"
) -> tuple[list[str], int]:
    """What is to be said of a playbook, and the number of its faults.

    Parameters
    ----------
    file
        A ``.yml`` file, or the name of a playbook of ``params/playbooks``.
    known
        A record: its scheme's segments, their customers and which facts it has; None: the
        playbook alone, whose segments are those of the scheme it is named like, else of any.
    currency
        Of the costs, where no record says it.

    Raises
    ------
    SettingsError
        If there is no such playbook, or its file lacks what a playbook must have.
    """
    path = Path(file) if file.endswith((".yml", ".yaml")) else find(file, root)
    if not path.is_file():
        path = find(path.stem, root)
    playbook, layer = read_playbook(path.resolve(), root)
    scheme, segments = _segments(playbook, root, known)
    problems = list(lint(playbook, known_words(segments), layer))
    say = _Say(lang, known.currency if known else currency)
    said = [*say.book(playbook), *_facts(playbook, root, known, say)]
    said += _seen(playbook, known, say) if known else []
    said += _too_late(playbook, known, say)
    for segment in segments or ():
        if segment not in playbook.segments:
            name = word(f"segment.{segment}", lang)
            said.append(say.text("unserved", scheme=scheme, segment=name))
    if not problems:
        return [*said, say.text("clean")], 0
    said.append(say.text("refused", errors=len(problems)))
    return [*said, *wording.explain(SettingsError(problems), lang)], len(problems)


def _segments(playbook: Playbook, root: Path, known: Known | None) -> tuple[str, list[str] | None]:
    """The scheme whose segments are served, and its segments; None: any that is named."""
    folder = root / "params" / "schemes"
    name = known.scheme if known else playbook.playbook
    if re.fullmatch(r"[A-Za-z0-9_-]+", name) and (folder / f"{name}.yml").is_file():
        scheme, _ = read_scheme(folder / f"{name}.yml", f"params/schemes/{name}.yml")
        return name, list(scheme.segments)
    return "", None


class _Say:
    """A playbook's parts as lines."""

    def __init__(self, lang: Language, currency: str) -> None:
        self.lang, self.currency = lang, currency

    def text(self, key: str, **args: Any) -> str:
        """A line of the catalogue, singular and plural settled."""
        return word(f"playbook_lint.{key}", self.lang, **{k: str(v) for k, v in args.items()})

    def book(self, playbook: Playbook) -> Iterator[str]:
        """Segments × measures × owner × dates × KPI × target × cost."""
        measures = [measure for _, _, measure in playbook.measures()]
        yield self.text(
            "title",
            playbook=playbook.playbook,
            segments=len(playbook.segments),
            measures=len(measures),
            extra=sum(measure.extra for measure in measures),
        )
        for segment, plan in playbook.segments.items():
            yield from self._segment(segment, plan)
            for key, measure in plan.measures.items():
                yield from self._measure(key, measure, plan)

    def _segment(self, segment: str, plan: SegmentPlan) -> Iterator[str]:
        name = word(f"segment.{segment}", self.lang)
        yield self.text("segment", segment=name, goal=self.own(plan.goal, plan))
        yield self.text("touches", least=plan.least_touches, sure=plan.sure_touches)
        if plan.entitlements:
            benefits = [
                self._named(f"benefit.{benefit}", most if isinstance(most, Term) else None)
                for benefit, most in plan.entitlements.items()
                if most is not False
            ]
            yield self.text("entitlements", benefits=wording.said(benefits, self.lang))
        if plan.clocks:
            clocks = [self._named(f"clock.{clock}", term) for clock, term in plan.clocks.items()]
            yield self.text("clocks", clocks=wording.said(clocks, self.lang))
        if plan.personal_goal:
            fact = str(plan.personal_goal.get("fact", ""))
            grown = "growth" in plan.personal_goal
            value = plan.personal_goal.get("growth" if grown else "to", "")
            unit = "share" if grown else FACTS[fact].unit if fact in FACTS else ""
            aim = self.text("goal_growth" if grown else "goal_to", value=self.value(value, unit))
            yield self.text("personal_goal", fact=self.fact(fact), aim=aim)

    def _measure(self, key: str, measure: Measure, plan: SegmentPlan) -> Iterator[str]:
        known = isinstance(measure.due, int) or measure.due in plan.promises
        yield self.text(
            "measure",
            measure=word(f"measure.{key}", self.lang),
            kind=self.text("extra" if measure.extra else "duty"),
            owner=word(f"role.{measure.owner_role}", self.lang),
            channel=word(f"channel.{measure.channel}", self.lang),
            start=measure.start + 1,  # people count from one
            due=plan.days(measure.due) if known else measure.due,
        )
        target = self._term(measure.target) if measure.target else ""
        more = self.text("cooldown", periods=measure.cooldown) if measure.cooldown else ""
        if measure.entitlement:
            benefit = word(f"benefit.{measure.entitlement}", self.lang)
            more += self.text("entitlement", benefit=benefit)
        more += self.text("contractual") if measure.contractual else ""
        yield self.text(
            "numbers",
            kpi=word(f"kpi.{measure.kpi}", self.lang),
            target=self.text("target", value=target) if target else "",
            cost=money(measure.cost, self.lang, self.currency) if measure.cost else "0",
            visits=f"{measure.visits:g}",
            tasks=len(measure.tasks),
            more=more,
        )
        if measure.resources:
            yield self.text("resources", resources=self.own(measure.resources, plan))
        if measure.when:
            rows = map(self._conditions, measure.when)
            yield self.text("when", condition=self.text("or").join(rows))

    def _conditions(self, row: Mapping[str, Any]) -> str:
        between = wording.text("condition.between", self.lang)
        return between.join(f"{self.fact(n)} {self._condition(n, w)}" for n, w in row.items())

    def _condition(self, fact: str, written: Any) -> str:
        try:
            found = parse(fact, written, None)
        except ConditionError:
            return str(written)
        rows = [", ".join(self._test(fact, test) for test in row) for row in found.ranges]
        words = [self._test(fact, test) for test in found.words]
        return ", ".join([*words, *([" / ".join(rows)] if rows else [])])

    def _test(self, fact: str, test: Test) -> str:
        if isinstance(test, Comparison):
            unit = FACTS[fact].unit if fact in FACTS else ""
            shown = test.limit if isinstance(test.limit, str) else self.value(test.limit, unit)
            return f"{test.sign} {shown}"
        return " / ".join(self._word(fact, one) for one in sorted(test.allowed))

    def _word(self, fact: str, value: str) -> str:
        """What a word of a fact is called: as portraits call it, else as it stands."""
        keys = (f"trait_level.{_ASPECTS.get(fact, fact)}.{value}", f"playbook_lint.word.{value}")
        return next((word(key, self.lang) for key in keys if wording.has(key)), value)

    def fact(self, name: str) -> str:
        """What a fact is called; its key where the catalogues do not know it."""
        known = wording.has(f"feature_name.{name}")
        return word(f"{'feature_name' if known else 'fact'}.{name}", self.lang)

    def table(self, name: str) -> str:
        """What a table is called."""
        return word(f"workbook.table.{name}", self.lang)

    def own(self, text: Text, plan: SegmentPlan) -> str:
        """A playbook's text with its terms; as it stands where it cannot be filled in."""
        args = {name: self.value(**one) for name, one in plan.arguments().items()}
        try:
            if isinstance(text, str):
                return word(text, self.lang, **args)
            return text.get(self.lang, "").format(**args)
        except (KeyError, ValueError, IndexError):
            return str(text)

    def _named(self, key: str, term: Term | None) -> str:
        name = word(key, self.lang)
        return f"{name} {self._term(term)}" if term else name

    def _term(self, term: Term) -> str:
        if term.unit in ("hours", "days"):
            return self.text(term.unit, value=f"{term.value:g}")
        return self.value(**spoken(term))

    def value(self, value: Any, unit: str) -> str:
        """A number in its unit."""
        if unit == "money":
            return money(float(value), self.lang, self.currency)
        return format_value(value, unit, self.lang) if unit not in ("", "number") else f"{value:g}"


def _asked(playbook: Playbook) -> dict[str, Fact]:
    """The facts that conditions ask for and that there are, in the playbook's order."""
    rows = (row for _, _, measure in playbook.measures() for row in measure.when)
    return {name: FACTS[name] for row in rows for name in row if name in FACTS}


def _facts(playbook: Playbook, root: Path, known: Known | None, say: _Say) -> Iterator[str]:
    """Which facts the conditions ask for, from which tables, and which a record lacks."""
    asked = _asked(playbook)
    if asked:
        yield say.text("facts")
    for name, fact in asked.items():
        tables = [say.table(table) for table in fact.tables]
        line = say.text(
            "fact", fact=say.fact(name), name=name, tables=wording.said(tables, say.lang)
        )
        if known is not None and not any(_filled(table, known, root) for table in fact.tables):
            line += say.text("absent", record=known.name)
        yield line


def _too_late(playbook: Playbook, known: Known | None, say: _Say) -> Iterator[str]:
    """Measures that would end after the period that is planned for: the record's next, or any."""
    days = _QUARTER_DAYS
    if known is not None:
        period = re.split(r"[~.]", known.name.rpartition("/")[2])[0]
        days = WorkingCalendar(Strategy().holidays).working_days(Period.parse(period).next())
    for measure, last in beyond(playbook, days):
        name = word(f"measure.{measure}", say.lang)
        yield say.text("too_late", measure=name, last=last, days=days)


def _filled(table: str, known: Known, root: Path) -> bool:
    """Whether a record has the table, with rows."""
    run, _, period = known.name.rpartition("/")
    record = store.record(run, period, root)
    return table in record.tables and len(record.arrow(table)) > 0


def _seen(playbook: Playbook, known: Known, say: _Say) -> Iterator[str]:
    """Customers of each segment, and targets in shares and numbers that do not agree."""
    counts: Mapping[str, int] = {str(s): int(n) for s, n in known.segments.value_counts().items()}
    shown = [
        say.text("count", segment=word(f"segment.{s}", say.lang), customers=counts.get(s, 0))
        for s in playbook.segments
    ]
    yield say.text("customers", record=known.name, counts=wording.said(shown, say.lang))
    for gap in count_gaps(playbook, counts):
        yield say.text(
            "count_gap",
            segment=word(f"segment.{gap.segment}", say.lang),
            share=say.value(gap.share, "share"),
            customers=gap.customers,
            meant=f"{gap.meant:g}",
            stated=f"{gap.stated:g}",
        )
