"""The filing cabinet: which exports the firm hands over, in which format and encoding."""

from __future__ import annotations

import pandas as pd

from analysis.demo import documents, exports, voice
from analysis.demo.files import Export
from analysis.demo.kinds import Chapter, rng
from analysis.demo.world import World

GB, UTF8 = "gb18030", "utf-8-sig"


def cabinet(world: World) -> list[Export]:
    """Every export of a block of the made-up company, in the order in which they are written."""
    seed, folk = world.seed, world.population
    people_found = voice.contacts(folk, rng(seed, "contacts"))
    last = world.assigned[world.assigned["period"] == world.period.name]
    listed = [_written(world, chapter) for chapter in world.chapters]
    cells, notes, desk = (
        pd.concat(parts, ignore_index=True) for parts in zip(*listed, strict=True)
    )
    orders = documents.files(cells)
    return [
        Export(
            "客户.xlsx",
            "customers",
            exports.customers(folk, rng(seed, "customer dirt")),
            title=exports.title(world.as_of),
        ),
        Export(
            "联系人.csv",
            "contacts",
            exports.contacts(people_found, folk, rng(seed, "contact dirt")),
            GB,
        ),
        *(
            Export(
                f"销售订单_{years}.csv",
                "orders",
                frame,
                UTF8 if frame is orders[-1][1] else GB,
                total=documents.total(frame) if frame is orders[-1][1] else None,
            )
            for years, frame in orders
        ),
        Export("销售记录.csv", "activities", notes, UTF8),
        Export("售后工单.xlsx", "tickets", desk),
        Export("人员.csv", "people", exports.people(world.staff), UTF8, whole=True),
        Export("上季动作.csv", "treatments", exports.treatments(last, folk), GB),
        Export("目标.xlsx", "targets", exports.targets(_year(world), folk), whole=True),
    ]


def _written(world: World, chapter: Chapter) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Order lines, sales notes and service tickets of a chapter."""
    seed, products, mark = world.seed, world.products, world.block.mark
    then = world.within(chapter)
    folk = then.population
    cells = documents.documents(
        then.sold, then.returned, folk, products, mark, chapter.stream(seed, "dirt")
    )
    notes = voice.activities(
        folk, world.assigned, products, chapter, chapter.stream(seed, "activities")
    )
    desk = voice.tickets(folk, products, chapter, world.days, chapter.stream(seed, "tickets"))
    tag = mark + chapter.name[2:]
    return (
        cells,
        exports.activities(notes, folk, tag, chapter.stream(seed, "activity dirt")),
        exports.tickets(desk, folk, tag, chapter.stream(seed, "ticket dirt")),
    )


def _year(world: World) -> dict[str, int]:
    """Revenue of each quarter of the last year so far [fen]."""
    year = str(world.as_of.year)
    books = world.books[world.books["month"].str.startswith(year)]
    quarter = year + "Q" + ((books["month"].str[5:].astype(int) + 2) // 3).astype(str)
    return {str(q): int(v) for q, v in books.groupby(quarter)["amount"].sum().items()}
