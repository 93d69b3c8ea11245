"""The quarter on one page: answer, reasons, bridge, decisions, last measures, cautions."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from analysis.exhibits import light, look, marks, recurring, waterfall
from analysis.exhibits.book import Book, shows_something
from analysis.exhibits.conclusion import conclude, event
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, join, name, tag, words
from analysis.exhibits.measures import in_short, measures, verdict_word
from analysis.exhibits.reasons import MOST, reasons
from analysis.exhibits.tables import ordered
from analysis.exhibits.walks import Walk

PAGE = "one"
PITCH = 4.5  # from row to row of the bridge [mm]: the page is full
STEPS = ("previous", "new", "returned", "more", "less", "not_bought", "current")


def header(book: Book) -> Exhibit:
    """Title and basis strip: scope, money basis, tie-out with finance, last day that counts.

    Without figures of finance, the rows set aside in cleaning take the place of the tie-out.
    """
    title = _title(book)
    sub = book.say("exhibits.cover.subtitle", now=book.when(), next=book.when(book.period.next()))
    strip = [
        (book.words("exhibits.cover.scope"), _scope(book)),
        (book.words("exhibits.cover.basis"), basis(book)),
        _tie_out(book) or (book.words("exhibits.cover.removed"), _removed(book)),
        (book.words("exhibits.cover.as_of"), book.day(book.as_of)),
    ]
    return head_of(book, title, sub, strip, PAGE)


def head_of(
    book: Book,
    title: Rich,
    sub: Rich,
    strip: Sequence[tuple[Rich, Rich]],
    page: str,
    **about: str,
) -> Exhibit:
    """The head of a first page: title, company and subtitle, and what the figures rest on.

    Parameters
    ----------
    strip
        Head and words of each part of the basis; empty ones are left out.
    about
        What the page furniture needs besides title, company, basis and report id.
    """
    company = name(book.settings.report.company)
    if company:
        sub = company + words(book.text("exhibits.cover.gap")) + sub
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
        page=page,
        about={
            "title": title.plain,
            "company": company.plain,
            "title_html": str(title.html),
            "basis": basis(book).plain,
            "report_id": str(book.provenance.get("report_id", "")),
            **about,
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


def _tie_out(book: Book) -> tuple[Rich, Rich] | None:
    if not book.has("tie_out.all.difference") or not book.has("tie_out.all.share"):
        return None
    share = book.num("tie_out.all.share", absolute=True)
    above = (book.value("tie_out.all.difference") or 0.0) > 0
    key = "ties" if not shows_something(share) else "above" if above else "below"
    line = book.say(
        f"exhibits.cover.tie_out_{key}",
        share=share,
        difference=book.money("tie_out.all.difference", absolute=True),
    )
    return book.words("exhibits.cover.tie_out"), line


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
    if not book.has_orders or not (book.has("kpi.revenue") or book.has("bridge.current.amount")):
        return _answer_measures(book)
    return recurring.answer(book) if recurring.is_recurring(book) else conclude(book)


def revenue_name(book: Book) -> Rich:
    """What the revenue of this run is called as a head: by the event that it counts."""
    return event(book, "revenue_head")


def _answer_measures(book: Book) -> Rich:
    found = measures(book)
    if not found:
        return book.words("exhibits.answer.no_revenue") if book.has_orders else light.answer(book)
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


def why(book: Book) -> Exhibit | None:
    """The reasons side by side; None where there is nothing to give a reason for."""
    found = reasons(book)
    if not found:
        return None
    title = book.words(f"exhibits.reasons.title{'' if len(found) == MOST else '_one'}")
    listed = ordered(found)
    html = tag(
        "section",
        tag("h3", title),
        listed.html,
        class_=f"why k{len(found)}",
        id="txt-reasons",
    )
    return Exhibit(
        "txt-reasons",
        str(html),
        f"### {title.markdown}\n\n{listed.markdown}",
        f"{title.plain}\n{listed.plain}",
        caption=title.plain,
        page=PAGE,
    )


def bridge(book: Book) -> Exhibit | None:
    """The waterfall; None without a previous period to start from."""
    walk = recurring.bridge(book) if recurring.is_recurring(book) else _walk(book)
    if walk is None:
        return None
    told = join(walk.told, book.text("exhibits.list.comma"))
    alt = book.say("exhibits.bridge.alt", steps=told)
    svg = waterfall.draw(walk.steps, cut=walk.cut, pitch=PITCH)
    drawn = look.image(svg, alt.plain, "plot", " ".join(walk.facts))
    title, subtitle = walk.title, walk.subtitle
    said = tag("div", tag("h3", title), tag("p", subtitle, class_="fs"))
    return Exhibit(
        "fig-bridge",
        str(tag("figure", said, drawn, class_="fig bridge", id="fig-bridge")),
        "\n\n".join([f"### {title.markdown}", subtitle.markdown, alt.markdown]),
        "\n".join([title.plain, subtitle.plain, alt.plain]),
        caption=title.plain,
        alt=alt.plain,
        page=PAGE,
    )


def _walk(book: Book) -> Walk | None:
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
    facts = [f"bridge.{s}.amount" for s in STEPS if book.has(f"bridge.{s}.amount")]
    return Walk(title, subtitle, steps, told, facts, cut)


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
    """Last period's measures in a strip; None where no orders are: a review stands on page 1."""
    if not book.has_orders:
        return None
    found = measures(book)
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
