"""Who is in charge of a measure with a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis import wording
from analysis.stats import keyed_uniform

_MOST_MANAGERS = 10  # a chain of managers that is longer goes in a circle


class People:
    """The persons, by role, team and manager.

    Parameters
    ----------
    people
        RECORD ``people``; None or empty: only the customers' own owners are known. A role may
        stand there as its key or as the catalogues' word for it.
    substitutes
        Role → roles that stand in where nobody has it.
    """

    def __init__(
        self, people: pd.DataFrame | None, substitutes: Mapping[str, Sequence[str]]
    ) -> None:
        self.substitutes = substitutes
        self.role: dict[str, str] = {}
        self.manager: dict[str, str] = {}
        self.holders: dict[str, dict[str, list[str]]] = {}
        if people is None or people.empty:
            return
        words = _role_words()
        for row in people.sort_values("person_id").to_dict("records"):
            person, role = str(row["person_id"]), _known(row.get("role"))
            role = words.get(role.strip().lower(), role)
            self.role[person] = role
            self.manager[person] = _known(row.get("manager_id"))
            self.holders.setdefault(role, {}).setdefault(_known(row.get("team_id")), []).append(
                person
            )

    def candidates(self, role: str, owner: str, team: str) -> list[str]:
        """Who may be in charge, the first fitting place only.

        The customer's owner with that role, a manager above the owner with it, somebody of the
        team with it, anybody with it where only one team has that role (it then serves all); the
        same with the roles that stand in; at last the customer's owner.
        """
        for one in (role, *self.substitutes.get(role, ())):
            if owner and self.role.get(owner) == one:
                return [owner]
            above = self._above(owner, one)
            if above:
                return [above]
            teams = self.holders.get(one, {})
            if team in teams:
                return teams[team]
            if len(teams) == 1:
                return next(iter(teams.values()))
        return [owner] if owner else []

    def _above(self, owner: str, role: str) -> str:
        person = owner
        for _ in range(_MOST_MANAGERS):
            person = self.manager.get(person, "")
            if not person:
                return ""
            if self.role.get(person) == role:
                return person
        return ""


def assign(customers: pd.DataFrame, role: str, people: People) -> np.ndarray:
    """The person in charge of each customer; None where nobody is known.

    Parameters
    ----------
    customers
        customer_id, owner_id, team_id.
    role
        The measure's role.
    people
        The persons. Where several may be in charge, customers are spread by their number.
    """
    ids = customers["customer_id"].to_numpy(dtype=object)
    chance = keyed_uniform(ids, 0, role)
    owners = [_known(value) for value in customers["owner_id"]]
    teams = [_known(value) for value in customers["team_id"]]
    found: dict[tuple[str, str], list[str]] = {}
    result = np.full(len(ids), None, dtype=object)
    for i, pair in enumerate(zip(owners, teams, strict=True)):
        if pair not in found:
            found[pair] = people.candidates(role, *pair)
        if found[pair]:
            result[i] = found[pair][int(chance[i] * len(found[pair]))]
    return result


def roles(persons: Sequence[str | None], role: str, people: People) -> list[str]:
    """The role that each person in charge has; the measure's where it is not known.

    Where somebody stands in, the plan names what that person is: a customer success manager is
    no specialist because the measure asks for one.
    """
    return [people.role.get(_known(person)) or role for person in persons]


def _role_words() -> dict[str, str]:
    """Every language's word for a role → its key."""
    keys = [key for key in wording.keys("en") if key.startswith("role.")]
    return {
        wording.text(key, lang).strip().lower(): key.removeprefix("role.")
        for key in keys
        for lang in wording.LANGUAGES
    }


def _known(value: object) -> str:
    return value if isinstance(value, str) else ""
