"""The filing cabinet: which exports the firm hands over, in which format and encoding."""

from __future__ import annotations

from analysis.demo import documents, exports, truth, voice
from analysis.demo.files import Export
from analysis.demo.kinds import rng
from analysis.demo.world import World

GB, UTF8 = "gb18030", "utf-8-sig"


def cabinet(world: World) -> list[Export]:
    """Every export of the made-up company, in the order in which they are written."""
    seed, folk = world.seed, world.population
    cells = documents.documents(world.sold, world.returned, folk, world.products, rng(seed, "dirt"))
    older, newer = documents.files(cells)
    people_found = voice.contacts(folk, rng(seed, "contacts"))
    notes = voice.activities(folk, world.assigned, world.products, rng(seed, "activities"))
    desk = voice.tickets(folk, world.products, rng(seed, "tickets"))
    clean = world.clean
    by_quarter = clean.groupby(truth.quarters(clean["day"]))["amount"].sum()
    year = {str(q): int(v) for q, v in by_quarter.items() if str(q).startswith("2025")}
    return [
        Export(
            "客户.xlsx",
            "customers",
            exports.customers(folk, rng(seed, "customer dirt")),
            title=exports.title(),
        ),
        Export(
            "联系人.csv",
            "contacts",
            exports.contacts(people_found, folk, rng(seed, "contact dirt")),
            GB,
        ),
        Export("销售订单_2022-2023.csv", "orders", older, GB),
        Export("销售订单_2024-2025.csv", "orders", newer, UTF8),
        Export(
            "销售记录.csv",
            "activities",
            exports.activities(notes, folk, rng(seed, "activity dirt")),
            UTF8,
        ),
        Export("售后工单.xlsx", "tickets", exports.tickets(desk, folk, rng(seed, "ticket dirt"))),
        Export("人员.csv", "people", exports.people(world.staff), UTF8),
        Export("上季动作.csv", "treatments", exports.treatments(world.assigned, folk), GB),
        Export("目标.xlsx", "targets", exports.targets(year, folk)),
    ]
