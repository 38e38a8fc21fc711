# SPDX-License-Identifier: MIT
"""Holding bars against rounds; bars.py has the bars. The value of a bar is the median over the
rounds of the ratio within a round. A run in which an event was torn, repeated or lost without
being counted has no figure; one of ours fails every bar that it stands in, however many other
rounds were good; and a bar needs figures of more than half of the rounds in which it was run."""

import math
import operator
import statistics
from dataclasses import dataclass, field


def percentile(figures, fraction):
    """Nearest rank."""
    rank = math.ceil(fraction * len(figures))
    return sorted(figures)[max(rank, 1) - 1]


@dataclass(frozen=True)
class Figure:
    """A number of a round, or None; with the cases that it is made of."""

    cases: tuple  # or ids, of records from elsewhere
    of: object  # a function of the round

    @property
    def ids(self):
        return tuple(getattr(case, "id", case) for case in self.cases)

    def __truediv__(self, other):
        return self._with(other, lambda over, under: over / under if under else None)

    def __add__(self, other):
        return self._with(other, operator.add)

    def __sub__(self, other):
        return self._with(other, operator.sub)

    def _with(self, other, operation):
        def of(records):
            one, two = self.of(records), other.of(records)
            return None if one is None or two is None else operation(one, two)

        return Figure(self.cases + other.cases, of)

    def over(self, rounds):
        """The figures of those rounds that have one."""
        return [each for each in map(self.of, rounds) if each is not None]

    def median(self, rounds):
        figures = self.over(rounds)
        return statistics.median_low(figures) if figures else None


def figure(case, *keys):
    """What a case measured, its value or what stands under other keys: only if it ran and all of
    it added up."""
    id_ = getattr(case, "id", case)

    def of(records):
        found = records.get(id_, {})
        if not found.get("exact"):
            return None
        for key in keys or ("value",):
            found = found.get(key) if found else None
        return found

    return Figure((case,), of)


def gauge(case):
    """What a case measured, whether or not it added up: of what is no queue, and only a bound."""
    return Figure((case,), lambda records: records.get(case.id, {}).get("value"))


def best(candidates, smaller=False):
    """The best of the candidates' figures of a round."""

    def of(records):
        found = [each for each in (c.of(records) for c in candidates.values()) if each is not None]
        return (min if smaller else max)(found, default=None)

    return Figure(tuple(case for c in candidates.values() for case in c.cases), of)


@dataclass
class Bar:
    """A bar. `ours` and `theirs` are candidates by name; of each side one stands in all rounds.
    Without `theirs` the value is the figure of ours. `note(rounds)` says what keeps it from
    being reached, by `beside`. `crowded`: more threads than CPUs, so shown and not counted."""

    number: int
    name: str
    bar: str  # ">= 0.8", "<= 1.1"
    ours: dict
    theirs: dict = field(default_factory=dict)
    note: object = None
    beside: Figure = Figure((), None)
    crowded: bool = False
    group: str = ""  # its cases run one after the other

    @property
    def cases(self):
        """Those of this machine."""
        figures = [*self.ours.values(), *self.theirs.values(), self.beside]
        return [case for each in figures for case in each.cases if not isinstance(case, str)]

    @property
    def smaller(self):
        """Whether less is better."""
        return self.bar.startswith("<=")

    def reaches(self, value):
        limit = float(self.bar[3:])
        return value <= limit if self.smaller else value >= limit


def standing(candidates, rounds, smaller):
    """Who stands best beside the best of each round, by the median: a machine's phases are long,
    and a median of figures falls where one of them ends."""
    ideal, chosen, chosen_share = best(candidates, smaller), None, None
    for name, each in candidates.items():
        shares = []
        for records in rounds:
            mine, top = each.of(records), ideal.of(records)
            if mine is not None:
                shares.append(1.0 if mine == top else mine / top if top else float("inf"))
        if not shares:
            continue
        share = statistics.median_low(shares)
        if chosen is None or (share < chosen_share if smaller else share > chosen_share):
            chosen, chosen_share = name, share
    return chosen


def hold(bar, rounds):
    """The result, as the report has it: see bench/README.md, "The JSON"."""
    result = {
        "number": bar.number,
        "name": bar.name,
        "value": None,
        "bar": bar.bar,
        "status": "not measured",
    }
    ours, theirs = (standing(each, rounds, bar.smaller) for each in (bar.ours, bar.theirs))
    ids = {id_ for each in bar.ours.values() for id_ in each.ids}
    ran = [records for records in rounds if any(id_ in records for id_ in ids)]
    inexact = {id_ for records in ran for id_ in ids if not records.get(id_, {}).get("exact", True)}
    if inexact:
        result.update(status="inexact", limit="did not add up: " + ", ".join(sorted(inexact)))
    if ours is None or (bar.theirs and theirs is None):
        return with_note(bar, rounds, result)
    value = bar.ours[ours] / bar.theirs[theirs] if theirs else bar.ours[ours]
    figures = value.over(rounds)
    result.update(ours=ours, **({"peer": theirs} if theirs else {}))
    if 2 * len(figures) <= len(ran):
        return with_note(bar, rounds, result)
    result["value"] = statistics.median_low(figures)
    result["spread"] = {
        "p10": percentile(figures, 0.1),
        "p90": percentile(figures, 0.9),
        "rounds": len(figures),
    }
    if not inexact:
        reached = "reached" if bar.reaches(result["value"]) else "missed"
        result["status"] = "crowded" if bar.crowded else reached
    return with_note(bar, rounds, result)


def with_note(bar, rounds, result):
    if bar.note and result["status"] in ("missed", "not measured"):
        text = bar.note(rounds)
        if text:
            result["limit"] = text
    return result


def held_back_by(text, of, bar):
    """A bar's note and what it stands on: `text` with the median of a figure for its {}, where
    that misses `bar` as well."""

    def note(rounds):
        value = of.median(rounds)
        reached = value is None or Bar(0, "", bar, {}).reaches(value)
        return None if reached else text.format(value)

    return {"note": note, "beside": of}


def summary(results):
    """ "61 of 70 bars reached, 9 missed; 6 not counted: more threads than CPUs" """
    count = lambda status: sum(result["status"] == status for result in results)
    counted = len(results) - count("crowded")
    text = f"{count('reached')} of {counted} bars reached, {count('missed')} missed"
    for status in ("inexact", "not measured"):
        if count(status):
            text += f", {count(status)} {status}"
    if count("crowded"):
        text += f"; {count('crowded')} shown and not counted: more threads than CPUs"
    return text
