# SPDX-License-Identifier: MIT
"""Which cases there are. A case is one loop, one contender and one point on the axes; it runs
in a process of its own. Cases that are compared with one another form a group and run one
after the other, so that a slow phase of the machine meets both sides of a ratio."""

from dataclasses import dataclass, field, replace

SPREAD = "spread"  # consumers take turns on the producer's CPU as well
MEMORY = "memory"  # payloads are made in memory, not in registers
SWEEP_HZ = (1e3, 3e3, 1e4, 1.8e4, 3e4, 1e5, 3e5, 1e6, 3e6, 0)  # 0: flat out
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
    """The contenders of a build, as `evring_rig list --json` tells of them, on a machine of so
    many CPUs: where the records are from, which need not be this one."""

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

    def queue_case(self, contender, loop="throughput", burst=32, consumers=1, slots=4096):
        """As all queues run; threads that share a CPU need some turns each."""
        name, payload = contender["name"], contender["payload_bytes"]
        duration = 40 * (3 if is_crowded(loop, consumers, self.cpus) else 1)
        return Case(loop, name, "", payload, burst, consumers, slots, duration_ms=duration)

    def placed(self, case):
        """Both ways to place the threads, where there are two: each has the one that suits it."""
        if not self.is_crowded(case.consumer_count):
            return [case]
        return [case, replace(case, variant=SPREAD)]


def is_plain(contender):
    return contender["name"].startswith("plain-")


def broadcast(field_, quick):
    """Bars 1 to 4 and 6."""
    cases = []
    for each in field_.those({"evring", "packaged", "baseline"}, loop="throughput"):
        ours = each["origin"] == "evring" and each["delivery"] != "shared"
        small = each["payload_bytes"] == 16
        if ours or not small:
            cases.append(field_.queue_case(each))
        if (ours and not small) or is_plain(each):
            cases.append(field_.queue_case(each, burst=1))
        if (ours or is_plain(each)) and each["payload_bytes"] == 56:
            cases.append(field_.queue_case(each, slots=65536))
        if small or each["delivery"] != "each" or each["origin"] == "baseline":
            continue
        cases.append(replace(field_.queue_case(each), variant=MEMORY))
        for consumers in (2, 4):
            cases += field_.placed(field_.queue_case(each, consumers=consumers))
    return [Group("broadcast", cases=cases)]


def work_sharing(field_, quick):
    """Bar 7. One member in bursts is a broadcast as well, and in that group."""
    cases = []
    for each in field_.those({"evring", "packaged"}, 56, "throughput", {"shared"}):
        cases.append(field_.queue_case(each, burst=1))
        for burst in (1, 32):
            cases += field_.placed(field_.queue_case(each, burst=burst, consumers=2))
    return [Group("work sharing", cases=cases)]


def latency(field_, quick):
    """Bar 5: a group for each rate."""
    origins = {"evring", "none"} if quick else {"evring", "none", "packaged"}
    pairs = field_.those(origins, 56, "ping-pong")
    turns = [field_.queue_case(each, "ping-pong", 1) for each in pairs]
    groups = [Group("round trips", cases=turns)]
    origins = {"evring", "none", "packaged"} if quick else None
    for rate in LATENCY_HZ:
        cases = [
            replace(
                field_.queue_case(each, "latency", 1),
                rate_hz=rate,
                duration_ms=100 if rate < 1e4 else 40,
            )
            for each in field_.those(origins, 56, "latency")
        ]
        groups.append(Group("latency", cases=cases))
    return groups


def cost(field_, quick):
    """Bar 8."""
    threads = field_.those(None, 56, "same-thread")
    if quick:
        threads = [each for each in threads if each["origin"] != "kernel"]
    counted = [each for each in threads if not quick or each["origin"] in ("evring", "none")]
    timed = [field_.queue_case(each, "same-thread") for each in threads]
    counted = [field_.queue_case(each, "instructions") for each in counted]
    return [Group("one thread", cases=timed), Group("instructions", "once", counted)]


def stopped(field_, quick):
    """Bar 15."""
    hows = ("stopped", "killed")
    halts = [Case("stopped-consumer", variant=how, duration_ms=15) for how in hows]
    return [Group("stopped", cases=halts)]


def idle(field_, quick):
    """Bars 9 to 12."""
    many = [
        Case("many-rings", variant=strategy, rate_hz=rate, duration_ms=30)
        for strategy in ("busy-spin", "adaptive")
        for rate in (0, 1e4, 1e5, 1e6)
    ]
    return [
        Group(
            "doorbell look",
            cases=[
                Case("doorbell-look", variant=f"burst{burst}", burst_count=burst)
                for burst in (1, 32)
            ],
        ),
        Group(
            "parked",
            cases=[Case("parked-wake")]
            + [Case("moderation", variant=each) for each in ("none", "count", "time")],
        ),
        Group(
            "parked, idle",
            "once",
            [
                Case("parked-idle", variant=each, duration_ms=2000 if quick else 10_000)
                for each in ("unbounded", "max-idle")
            ],
        ),
        Group("many rings", cases=many),
        Group(
            "rates", cases=[Case("rate-sweep", rate_hz=rate, duration_ms=30) for rate in SWEEP_HZ]
        ),
    ]


def axes(field_, quick):
    """The rest of the axes, for the tables."""
    if quick:
        return []
    queues = field_.those(loop="throughput")
    groups = []
    for consumers in (1, 2, 4, 8):
        for burst in (1, 8, 32, 256):
            some = queues
            if consumers > 1:
                some = [each for each in queues if each["payload_bytes"] != 16]
                if burst not in (1, 32):
                    continue
            cases = [field_.queue_case(each, burst=burst, consumers=consumers) for each in some]
            groups.append(Group("axes", "third", cases))
    large = [field_.queue_case(each, slots=65536) for each in queues]
    one_thread = [
        field_.queue_case(each, "same-thread", burst)
        for each in field_.those(loop="same-thread")
        for burst in (1, 32)
    ]
    return groups + [
        Group("large ring", "third", large),
        Group("one thread, the rest", "third", one_thread),
    ]


def make_plan(field_, quick=False, only=""):
    """All groups, the bars' before those that only fill the tables. No id is in two of them.

    `only` leaves the cases whose id contains it and the groups of that name, for every round.
    """
    seen, plan = set(), []
    for planner in (broadcast, work_sharing, latency, cost, stopped, idle, axes):
        for group in planner(field_, quick):
            fresh = []
            for case in group.cases:
                if case.id not in seen:
                    seen.add(case.id)
                    fresh.append(case)
            group.cases = fresh
            plan.append(group)
    if only:
        for group in plan:
            group.share = "every"
            if group.name != only:
                group.cases = [case for case in group.cases if only in case.id]
    return [group for group in plan if group.cases]
