# SPDX-License-Identifier: MIT
"""Which cases there are: those that the bars name, and the rest of the axes. A case is one loop,
one contender and one point on the axes; it runs in a process of its own. Cases that are compared
with one another form a group and run one after the other, so that a slow phase of the machine
meets both sides of a ratio."""

from dataclasses import dataclass, field, replace

SPREAD = "spread"  # consumers take turns on the producer's CPU as well
MEMORY = "memory"  # payloads are made in memory, not in registers
ONCE = ("instructions", "parked-idle")  # loops whose figures hardly change: in one round alone
LATENCY_HZ = (1e3, 1e4, 1e5, 1e6)


def is_crowded(loop, consumers, cpus):
    """More threads than CPUs: such a case measures the scheduler as well."""
    return loop == "throughput" and 1 + consumers > cpus


@dataclass(frozen=True)
class Case:
    """One case; its id is the same in every round and names its records."""

    loop: str = "throughput"
    contender: str = ""  # empty: a loop that is no queue's
    variant: str = ""  # what the loop tells apart besides
    payload_bytes: int = 56
    burst_count: int = 32
    consumer_count: int = 1
    slot_count: int = 4096
    rate_hz: float = 0  # of a paced producer
    duration_ms: int = field(default=100, compare=False)

    @property
    def id(self):
        parts = [self.loop] + ([self.variant] if self.variant else [])
        rate = [f"{self.rate_hz:.0f}Hz"] if self.rate_hz else []
        if not self.contender:
            return "/".join(parts + rate)
        parts += [self.contender, f"{self.payload_bytes}B"]
        if self.loop == "ping-pong":
            more = []
        elif rate:
            more = rate + [str(self.slot_count)]
        else:
            more = [f"burst{self.burst_count}"]
            if self.loop == "throughput":
                more += [f"{self.consumer_count}c", str(self.slot_count)]
        return "/".join(parts + more)

    def arguments(self, fifo=True):
        """What makes `evring_rig one` run it."""
        words = {
            "loop": self.loop,
            "contender": self.contender,
            "variant": self.variant,
            "payload": self.payload_bytes,
            "burst": self.burst_count,
            "consumers": self.consumer_count,
            "slots": self.slot_count,
            "rate": f"{self.rate_hz:g}",
            "duration-ms": self.duration_ms,
        }
        options = [f"--{key}={value}" for key, value in words.items() if value != ""]
        return ["one", *options] + ([] if fifo else ["--no-fifo"])


@dataclass
class Group:
    """Cases that run close together: in every round, in a third of the rounds, or once."""

    name: str
    share: str = "every"  # "every", "third", "once"
    cases: list = field(default_factory=list)

    def runs_in(self, index, number):
        """Whether this group, the plan's `index`-th, runs in round `number`."""
        if self.share == "every":
            return True
        return number == 0 if self.share == "once" else (number + index) % 3 == 0


class Field:
    """The contenders of a build, as `evring_rig list` tells of them, on a machine of so many CPUs:
    where the records are from, which need not be this one."""

    def __init__(self, contenders, cpus):
        self.all = contenders
        self.cpus = cpus

    def those(self, origins=None, payload_bytes=None, loop=None, deliveries=None):
        return [
            each
            for each in self.all
            if (origins is None or each["origin"] in origins)
            and (payload_bytes is None or each["payload_bytes"] == payload_bytes)
            and (loop is None or loop in each["loops"])
            and (deliveries is None or each["delivery"] in deliveries)
        ]

    def is_crowded(self, consumers):
        return is_crowded("throughput", consumers, self.cpus)

    def duration_ms(self, case, quick):
        """How long a case lasts; threads that share a CPU need some turns each."""
        if case.loop == "parked-idle":
            return 2000 if quick else 10_000
        if case.loop in ("many-rings", "rate-sweep"):
            return 30
        if case.loop == "stopped-consumer":
            return 15
        if case.loop == "latency" and case.rate_hz < 1e4:
            return 100
        return 120 if is_crowded(case.loop, case.consumer_count, self.cpus) else 40


def rest_of_axes(field_):
    """What no bar needs: for the tables, as groups."""

    def cases(loop, large=True, **axes):
        queues = field_.those(loop=loop)
        return [
            Case(loop, each["name"], "", each["payload_bytes"], **axes)
            for each in queues
            if large or each["payload_bytes"] != 16
        ]

    for consumers in (1, 2, 4, 8):
        for burst in (1, 8, 32, 256) if consumers == 1 else (1, 32):
            yield cases("throughput", consumers == 1, burst_count=burst, consumer_count=consumers)
    yield cases("throughput", slot_count=65536)
    for burst in (1, 32):
        yield cases("same-thread", burst_count=burst)
    yield cases("ping-pong", False, burst_count=1)
    for rate in LATENCY_HZ:
        yield cases("latency", False, burst_count=1, rate_hz=rate)
    yield cases("instructions")


def make_plan(field_, bars, quick=False, only=""):
    """All groups, the bars' before those that only fill the tables. No case is in two of them.

    `only` leaves the cases whose id contains it and the groups of that name, for every round.
    """
    seen, plan = set(), {}

    def add(name, share, case):
        if case not in seen:
            seen.add(case)
            timed = replace(case, duration_ms=field_.duration_ms(case, quick))
            key = (name, share, case.loop, case.rate_hz)
            plan.setdefault(key, Group(name, share)).cases.append(timed)

    # Work sharing before the broadcast, which has some of its peers among many others.
    for bar in reversed(bars):
        for case in bar.cases:
            add(bar.group, "once" if case.loop in ONCE else "every", case)
    for index, cases in enumerate([] if quick else rest_of_axes(field_)):
        for case in cases:
            add(f"axes {index}", "once" if case.loop in ONCE else "third", case)
    if only:
        for group in plan.values():
            group.share = "every"
            if group.name != only:
                group.cases = [case for case in group.cases if only in case.id]
    return [group for group in plan.values() if group.cases]
