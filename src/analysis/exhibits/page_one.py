"""The quarter on one page: answer, reasons, bridge, decisions, last measures, cautions."""

from __future__ import annotations

from markupsafe import Markup

from analysis.exhibits import look, marks, waterfall
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, join, name, tag, words
from analysis.exhibits.measures import in_short, measures, verdict_word
from analysis.exhibits.reasons import reasons
from analysis.exhibits.tables import Block, beside, figure, ordered

PAGE = "one"
STEPS = ("previous", "new", "returned", "more", "less", "not_bought", "current")


def header(book: Book) -> Exhibit:
    """Title and basis strip: scope, money basis, rows set aside, last day that counts."""
    title = _title(book)
    sub = book.say("exhibits.cover.subtitle", now=book.when(), next=book.when(book.period.next()))
    if book.settings.report.company:
        sub = name(book.settings.report.company) + words(book.text("exhibits.cover.gap")) + sub
    strip = [
        (book.words("exhibits.cover.scope"), _scope(book)),
        (book.words("exhibits.cover.basis"), basis(book)),
        (book.words("exhibits.cover.removed"), _removed(book)),
        (book.words("exhibits.cover.as_of"), book.day(book.as_of)),
    ]
    shown = [(head, body) for head, body in strip if body]
    html = tag(
        "header",
        tag("div", tag("h1", title), tag("p", sub), class_="ttl"),
        tag(
            "dl",
            *(tag("div", tag("dt", head), tag("dd", body)) for head, body in shown),
            class_="basis",
        ),
        class_="head",
        id="txt-header",
    )
    lines = [f"{head.markdown}: {body.markdown}" for head, body in shown]
    plain = [f"{head.plain}: {body.plain}" for head, body in shown]
    return Exhibit(
        "txt-header",
        str(html),
        "\n\n".join([f"# {title.markdown}", sub.markdown, *lines]),
        "\n".join([title.plain, sub.plain, *plain]),
        caption=title.plain,
        page=PAGE,
        about={
            "title": title.plain,
            "company": name(book.settings.report.company).plain,
            "title_html": str(title.html),
            "basis": basis(book).plain,
            "report_id": str(book.provenance.get("report_id", "")),
        },
    )


def _title(book: Book) -> Rich:
    own = book.settings.report.title.get(book.lang)
    period = book.when(style="long")
    kind = book.period.kind if book.period.kind in ("quarter", "half", "month", "year") else "other"
    called = words(own) if own else book.words(f"exhibits.cover.title.{kind}")
    return book.say("exhibits.cover.title.line", title=called, period=period)


def _scope(book: Book) -> Rich:
    if not book.value("segment.all.customers"):
        treated = book.value("effects.count") and not book.has_orders
        return (
            book.say("exhibits.cover.scope_measures", count=book.num("effects.count"))
            if treated
            else EMPTY
        )
    since = book.settings.scope.orders_since
    if since is not None:
        return book.say(
            "exhibits.cover.scope_since",
            count=book.num("segment.all.customers"),
            day=book.day(since),
        )
    return book.say("exhibits.cover.scope_all", count=book.num("segment.all.customers"))


def basis(book: Book) -> Rich:
    """The money basis in words: event, tax, returns, unit."""
    source = book.settings.sources.get("orders")
    if source is None and not book.has_orders:
        return book.words("exhibits.cover.no_money")
    event = source.event if source is not None and source.event else "unknown"
    tax = source.tax if source is not None and source.tax else "unknown"
    netted = "netted" if book.settings.cleaning.rules.returns_netted else "not_netted"
    return book.say(
        "exhibits.cover.basis_line",
        event=book.words(f"exhibits.event.{event}"),
        tax=book.words(f"exhibits.tax.{tax}"),
        returns=book.words(f"exhibits.returns.{netted}"),
        unit=words(book.scale.label),
    )


def _removed(book: Book) -> Rich:
    table_ = "orders" if book.has("reconciliation.orders.read.rows") else "treatments"
    head = f"reconciliation.{table_}.all"
    if not book.has(f"{head}.removed_share"):
        return EMPTY
    if not book.value(f"{head}.removed_rows"):
        return book.words("exhibits.cover.removed_none")
    return book.say(
        "exhibits.cover.removed_line",
        share=book.num(f"{head}.removed_share"),
        rows=book.num(f"{head}.removed_rows"),
    )


def answer(book: Book) -> Exhibit:
    """The quarter in one sentence, chosen by what happened."""
    sentence = _answer(book)
    return Exhibit(
        "txt-answer",
        str(tag("section", tag("p", sentence), class_="answer", id="txt-answer")),
        sentence.markdown,
        sentence.plain,
        caption=sentence.plain,
        page=PAGE,
    )


def _answer(book: Book) -> Rich:
    if not book.has("kpi.revenue") and not book.has("bridge.current.amount"):
        return _answer_measures(book)
    parts = [_level(book), _cause(book), _year(book)]
    return join([part for part in parts if part])


def _level(book: Book) -> Rich:
    event = _event(book)
    # A run may leave the KPI out; the bridge then knows the same money.
    now, difference = "kpi.revenue", "kpi.revenue.difference"
    if not book.has(now):
        now, difference = "bridge.current.amount", "bridge.net.amount"
    common = {"period": book.when(), "event": event, "value": book.money(now)}
    known = now == "kpi.revenue" or book.value("bridge.previous.amount")
    change = book.value(difference) if known else None
    if change is None:
        compare = book.words("exhibits.answer.no_previous")
    else:
        way = "up" if change > 0 else "down" if change < 0 else "same"
        compare = book.say(
            f"exhibits.answer.{way}",
            value=book.money(difference, absolute=True),
            previous=book.when(book.period.previous()),
        )
    if book.has("kpi.revenue.attainment"):
        return book.say(
            "exhibits.answer.level_target",
            **common,
            attainment=book.num("kpi.revenue.attainment"),
            compare=compare,
        )
    return book.say("exhibits.answer.level", **common, compare=compare)


def _event(book: Book) -> Rich:
    source = book.settings.sources.get("orders")
    event = source.event if source is not None and source.event else "unknown"
    return book.words(f"exhibits.revenue.{event}")


def revenue_name(book: Book) -> Rich:
    """What the revenue of this run is called: by the event that it counts."""
    source = book.settings.sources.get("orders")
    event = source.event if source is not None and source.event else "unknown"
    return book.words(f"exhibits.revenue_head.{event}")


def _cause(book: Book) -> Rich:
    net = book.value("bridge.net.amount")
    if net is None or not book.value("bridge.previous.amount"):
        return EMPTY
    steps = ("new", "returned", "more") if net > 0 else ("less", "not_bought")
    amounts = {step: book.value(f"bridge.{step}.amount") or 0.0 for step in steps}
    sign = 1 if net > 0 else -1  # returns may turn a gain negative: it explains no growth
    largest = sorted(
        (s for s in steps if sign * amounts[s] > 0), key=lambda s: (-abs(amounts[s]), s)
    )[:2]
    if not largest:
        return EMPTY
    named = [
        book.say(
            f"exhibits.answer.step.{step}",
            value=book.money(f"bridge.{step}.amount", signed=True),
        )
        for step in largest
    ]
    other = "losses" if net > 0 else "gains"
    way = "up" if net > 0 else "down"
    against = sign * (book.value(f"bridge.{other}.amount") or 0.0) < 0
    return book.say(
        f"exhibits.answer.cause.{way if against else f'{way}_alone'}",
        steps=book.list_of(named),
        other=book.money(f"bridge.{other}.amount", absolute=True),
    )


def _year(book: Book) -> Rich:
    if not book.has("kpi.ytd_attainment") or not book.has("kpi.ytd_attainment.gap"):
        return EMPTY
    gap = book.value("kpi.ytd_attainment.gap") or 0.0
    return book.say(
        f"exhibits.answer.year.{'ahead' if gap >= 0 else 'behind'}",
        value=book.num("kpi.ytd_attainment"),
        gap=book.num("kpi.ytd_attainment.gap", absolute=True),
    )


def _answer_measures(book: Book) -> Rich:
    found = measures(book)
    if not found:
        return book.words(f"exhibits.answer.{'no_revenue' if book.has_orders else 'nothing'}")
    best = [m for m in found if m.verdict == "worked"]
    parts = [
        book.say(f"exhibits.answer.some.{kind}", count=book.num(f"effects.count.{kind}"))
        for kind in ("worked", "did_not_pay", "open")
        if book.value(f"effects.count.{kind}")
    ]
    lead = book.say(
        "exhibits.answer.measures",
        count=book.num("effects.count"),
        parts=join(parts, book.text("exhibits.list.clause")),
    )
    if not best:
        return lead
    first = best[0]
    return lead + book.say(
        "exhibits.answer.best",
        name=first.name,
        outcome=book.label("outcome", first.outcome),
        effect=in_short(book, first),
    )


def why_and_bridge(book: Book) -> Exhibit | None:
    """Three reasons beside the bridge from last period's money to this one's."""
    found = reasons(book)
    drawn = bridge(book)
    if not found:
        return drawn
    title = book.words("exhibits.reasons.title")
    listed = ordered(found)
    html = tag("section", tag("h3", title), listed.html, class_="why", id="txt-reasons")
    left = Exhibit(
        "txt-reasons",
        str(html),
        f"### {title.markdown}\n\n{listed.markdown}",
        f"{title.plain}\n{listed.plain}",
        caption=title.plain,
        page=PAGE,
    )
    return beside("blk-why", left, drawn) if drawn else left


def bridge(book: Book) -> Exhibit | None:
    """The waterfall; None without a previous period to start from."""
    if not book.value("bridge.previous.amount") or not book.has("bridge.current.amount"):
        return None
    gains = book.num("bridge.gains.amount", absolute=True)
    losses = book.num("bridge.losses.amount", absolute=True)
    net = book.value("bridge.net.amount") or 0.0
    way = "up" if net > 0 else "down" if net < 0 else "same"
    won, lost = book.value("bridge.gains.amount") or 0.0, book.value("bridge.losses.amount") or 0.0
    if (way == "up" and lost >= 0) or (way == "down" and won <= 0):
        way = f"{way}_alone"
    title = book.say(
        f"exhibits.bridge.title_{way}",
        gains=gains,
        losses=losses,
        net=book.num("bridge.net.amount", absolute=True),
    )
    cut = book.value("bridge.cut.amount") or 0.0
    parts = {
        "event": revenue_name(book),
        "unit": words(book.scale.label),
        "before": book.when(book.period.previous()),
        "now": book.when(),
    }
    subtitle = (
        book.say("exhibits.bridge.subtitle_cut", **parts, cut=book.num("bridge.cut.amount"))
        if cut
        else book.say("exhibits.bridge.subtitle", **parts)
    )
    steps, told = _steps(book)
    alt = book.say("exhibits.bridge.alt", steps=join(told, book.text("exhibits.list.comma")))
    ids = " ".join(f"bridge.{s}.amount" for s in STEPS if book.has(f"bridge.{s}.amount"))
    svg = waterfall.draw(steps, cut=cut, height=52.0)
    body = Block(look.image(svg, alt.plain, "plot", ids), alt.markdown, alt.plain)
    return figure(
        "fig-bridge", title, body, subtitle=subtitle, page=PAGE, alt=alt.plain, class_="bridge"
    )


def _steps(book: Book) -> tuple[list[waterfall.Step], list[Rich]]:
    steps, told = [], []
    kinds: list[tuple[str, waterfall.Kind]] = [
        ("previous", "previous"),
        ("new", "plus"),
        ("returned", "plus"),
        ("more", "plus"),
        ("less", "minus"),
        ("not_bought", "minus"),
        ("current", "actual"),
    ]
    for step, kind in kinds:
        value = book.value(f"bridge.{step}.amount")
        if value is None or (not value and step in ("new", "returned", "more", "less")):
            continue
        change = kind in ("plus", "minus")
        shown = book.num(f"bridge.{step}.amount", signed=change)
        label = book.words(f"exhibits.bridge.step.{step}")
        note = EMPTY
        if step == "current":
            note = book.say(
                "exhibits.bridge.against", value=book.num("bridge.net.amount", signed=True)
            )
        steps.append(waterfall.Step(label.plain, kind, value, shown.plain, note.plain))
        told.append(label + words(" ") + shown)
    if book.has("kpi.revenue.target"):
        gap = book.value("bridge.gap.amount") or 0.0
        note = book.say(
            f"exhibits.bridge.{'over' if gap >= 0 else 'short'}",
            value=book.num("bridge.gap.amount", absolute=True),
        )
        shown = book.num("kpi.revenue.target")
        label = book.words("exhibits.bridge.step.target")
        value = book.value("kpi.revenue.target") or 0.0
        steps.append(waterfall.Step(label.plain, "target", value, shown.plain, note.plain))
        told.append(label + words(" ") + shown)
    return steps, told


def last_measures(book: Book) -> Exhibit | None:
    """Last period's measures in a strip; None where their whole review stands on page 1."""
    found = measures(book)
    if found and not book.has_orders:
        return None
    if not found:
        title = book.words("exhibits.last.title_none")
        sentence = book.words("exhibits.last.none")
        html = tag(
            "section",
            tag("div", tag("b", title), tag("span", sentence), class_="sh wide"),
            class_="strip",
            id="txt-last",
        )
        return Exhibit("txt-last", str(html), sentence.markdown, sentence.plain, page=PAGE)
    head = book.say("exhibits.last.title", count=book.num("effects.count"))
    done = EMPTY
    if book.has("effects.done"):
        done = book.say(
            "exhibits.last.done",
            done=book.num("effects.done"),
            all=book.num("effects.treated"),
            share=book.num("effects.done_share", decimals=0),
        )
    cells: list[Markup] = [
        tag("div", tag("b", head), tag("span", done) if done else None, class_="sh")
    ]
    plain = [head.plain, done.plain]
    for measure in found[:5]:
        status = marks.status(marks.VERDICT[measure.verdict], verdict_word(book, measure))
        short = in_short(book, measure)
        cells.append(tag("div", status, tag("b", measure.name), tag("span", short, class_="g")))
        plain.append(f"{status.plain} {measure.name.plain}: {short.plain}")
    html = tag("section", *cells, class_=f"strip k{len(cells)}", id="txt-last")
    return Exhibit(
        "txt-last", str(html), "\n\n".join(plain), "\n".join(plain), caption=head.plain, page=PAGE
    )
