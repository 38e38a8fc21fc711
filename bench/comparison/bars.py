# SPDX-License-Identifier: MIT
"""What evring must reach: the bars, by number. bench/README.md says what they stand for."""

from dataclasses import replace

import plain_bars
from cases import LATENCY_HZ, MEMORY, SPREAD, Case
from figures import Bar, Figure, best, figure, held_back_by

SWEEP_HZ = (1e3, 3e3, 1e4, 1.8e4, 3e4, 1e5, 3e5, 1e6, 3e6, 0)  # 0: flat out
SPIN_S = 50e-6  # of the adaptive strategy, by default
RTE_RINGS = ("rte-ring-spmc", "rte-ring-hts")
KERNELS = ("6.1", "6.12", "6.12-rt")
COPIED, IN_PLACE, FREE = "evring-gated", "evring-gated-in-place", "evring-overwrite"


# ---- who may stand on a side ---------------------------------------------------


def throughput(field, names, payload=56, burst=32, consumers=1, slots=4096):
    """By either placement of the threads, where there are two."""
    found = {}
    for variant in ("", SPREAD):
        for name in names:
            case = Case("throughput", name, variant, payload, burst, consumers, slots)
            if not variant or field.is_crowded(consumers):
                found[name + (f", {variant}" if variant else "")] = figure(case)
    return found


def gated(field, payload=56, burst=32, consumers=1, slots=4096):
    return throughput(field, (COPIED, IN_PLACE), payload, burst, consumers, slots)


def named(contenders):
    return [each["name"] for each in contenders]


def by_name(figure_of, names):
    return {name: figure_of(name) for name in names}


def people(count, one):
    return f"{count} {one}" + ("" if count == 1 else "s")


# ---- the bars ------------------------------------------------------------------


def broadcast(field):
    packaged = throughput(field, named(field.those({"packaged"}, 56, "throughput")))
    plain = [name for name in named(field.those(None, 56)) if name.startswith("plain-")]
    ceiling, lists = best(throughput(field, plain)), throughput(field, ["mutex-list"])
    for slots in (4096, 65536):
        what = f"gated 56 B x32, ring of {slots:,} / best plain queue"
        ours, theirs = gated(field, slots=slots), throughput(field, plain, slots=slots)
        yield Bar(1, what, ">= 0.8", ours, theirs)
    yield Bar(1, "gated 56 B x32 / best packaged peer", ">= 1.1", gated(field), packaged)
    fan_outs = named(field.those({"packaged"}, 56, "throughput", {"each"}))
    what = "gated 56 B x32, made in memory / best packaged fan-out"
    from_memory = lambda name: figure(Case("throughput", name, MEMORY))
    ours = by_name(from_memory, (COPIED, IN_PLACE))
    yield Bar(1, what, ">= 1.1", ours, by_name(from_memory, fan_outs))
    note = "the best plain queue is {:.1f} times the mutex list"
    note = held_back_by(note, ceiling / best(lists), ">= 60")
    yield Bar(1, "gated 56 B x32 / mutex list", ">= 60", gated(field), lists, **note)
    note = "plain queues one at a time reach {:.2f} of themselves in bursts"
    note = held_back_by(note, best(throughput(field, plain, burst=1)) / ceiling, ">= 0.85")
    what = "gated 56 B one at a time / bursts of 32"
    yield Bar(2, what, ">= 0.85", gated(field, burst=1), gated(field), **note)
    yield Bar(3, "gated 16 B x32 / 56 B x32", ">= 1.4", gated(field, payload=16), gated(field))
    free = Case("throughput", FREE)
    delivered = {FREE: figure(free, "received") / figure(free, "published")}
    yield Bar(4, "overwrite 56 B x32: delivered / published", ">= 0.9", delivered)


def share_of_cpus(field, consumers):
    return min(1.0, field.cpus / (1 + consumers))


def more_consumers(field):
    fan_outs = named(field.those({"packaged"}, 56, "throughput", {"each"}))
    for count in (2, 4):
        ours, what = gated(field, consumers=count), f"gated 56 B x32, {count} consumers /"
        crowded, fewer = field.is_crowded(count), count // 2
        theirs = throughput(field, fan_outs, consumers=count)
        yield Bar(6, f"{what} best fan-out", ">= 1.2", ours, theirs, crowded=crowded)
        kept = share_of_cpus(field, count) / share_of_cpus(field, fewer)
        what, theirs = f"{what} {fewer} (bar: a thread's share)", gated(field, consumers=fewer)
        yield Bar(6, what, f">= {kept:.4g}", ours, theirs, crowded=crowded)


def one_way(field):
    ours = (FREE, COPIED, IN_PLACE)
    packaged = named(field.those({"packaged"}, 56, "latency"))
    for rate in LATENCY_HZ:

        def p50(name, rate=rate):
            return figure(Case("latency", name, burst_count=1, rate_hz=rate))

        def of_half_a_line(name, rate=rate):
            line = figure(p50(name, rate).cases[0], "one_line_ns")
            return p50(name, rate) / (line / constant(2))

        note = (
            "stamped lines with no queue around them, the payload filled and checked and the clock "
            "read alike, take {:.2f} of half the bare round trip"
        )
        note = held_back_by(note, of_half_a_line("bare-slots"), "<= 1.1")
        what = f"one-way p50 at {rate:.0f}/s / "
        halves = by_name(of_half_a_line, ours)
        yield Bar(5, what + "half a bare line's round trip", "<= 1.1", halves, **note)
        theirs = by_name(p50, packaged)
        yield Bar(5, what + "best packaged peer", "<= 1", by_name(p50, ours), theirs)


def round_trips(field):
    def turn(name):
        case = Case("ping-pong", name, burst_count=1)
        return figure(case) / figure(case, "two_line_ns")

    note = "stamped lines with no queue around them take {:.2f} of two bare lines"
    note = held_back_by(note, turn("bare-slots"), "<= 0.65")
    what = "round trip / bare two-line ping-pong, in turns"
    yield Bar(5, what, "<= 0.65", by_name(turn, (FREE, COPIED, IN_PLACE)), **note)


def constant(value):
    return Figure((), lambda records: value)


def work_sharing(field):
    for count in (1, 2):
        members, crowded = people(count, "member"), field.is_crowded(count)
        for burst, how, who, peers, bar in (
            (32, "x32", "best of rte_ring SP/MC, HTS", RTE_RINGS, ">= 1.25"),
            (1, "one at a time", "moodycamel ConcurrentQueue", ("moodycamel-concurrent",), ">= 2"),
        ):
            ours = throughput(field, ("evring-group",), burst=burst, consumers=count)
            theirs = throughput(field, peers, burst=burst, consumers=count)
            what = f"group 56 B {how}, {members} / {who}"
            yield Bar(7, what, bar, ours, theirs, crowded=crowded)


def cost(field):
    ours = (COPIED, IN_PLACE, FREE)

    def time_of(name):
        return figure(Case("same-thread", name))

    def above_no_queue(name):
        return figure(Case("instructions", name)) - figure(Case("instructions", "no-queue"))

    what = "produce + consume, 56 B x32"
    theirs = by_name(time_of, named(field.those({"packaged"}, 56, "same-thread")))
    yield Bar(8, f"{what} / cheapest packaged peer", "<= 1.05", by_name(time_of, ours), theirs)
    what += ": instructions an event above no queue"
    yield Bar(8, what, "<= 28", by_name(above_no_queue, ours))


def within(number, name, bar, case, key="value"):
    """A bar whose ratio was taken within one case."""
    return Bar(number, name, bar, {"evring": figure(case, key)})


def doorbells(field):
    for burst in (1, 32):
        what = f"publish x{burst}, nobody armed / no doorbells"
        yield within(9, what, "<= 1.03", Case("doorbell-look", variant=f"burst{burst}", burst_count=burst))
    yield within(10, "wake-up p50 / bare eventfd, in turns", "<= 1.15", Case("parked-wake"))
    key = "doorbells_an_idle_period"
    yield within(10, "doorbells an idle period", "<= 1", Case("parked-wake"), key)
    # "No CPU time": ten millionths of a core, which top and ps show as 0.0 % for ever.
    what = "us of CPU a second, "
    yield within(10, what + "parked for good", "<= 10", Case("parked-idle", variant="unbounded"))
    yield within(10, what + "with the look of max_idle", "<= 100", Case("parked-idle", variant="max-idle"))
    for how in ("none", "count", "time"):
        what = f"doorbells off the formula, moderation: {how}"
        yield within(10, what, "<= 0", Case("moderation", variant=how))


def many_rings(field):
    for strategy in ("busy-spin", "adaptive"):
        what = f"{strategy}: one of 1,024 rings busy / alone"
        yield within(11, what, ">= 0.8", Case("many-rings", variant=strategy))
        for rate in (1e4, 1e5, 1e6):
            what = f"{strategy}: the same, p50 at {rate:.0f}/s"
            case = Case("many-rings", variant=strategy, rate_hz=rate)
            yield within(11, what, "<= 1.5", case, "p50_ratio")


def adaptive(field):
    """As good as the strategy that suits the rate: spin where the next event comes within the
    time that it spins, park where it comes later, and then at the price of that spinning. Just
    behind the edge it may be as either."""
    for rate in SWEEP_HZ:
        case, spun = Case("rate-sweep", rate_hz=rate), rate * SPIN_S
        at = f"{rate:.0f}/s" if rate else "flat out"
        if 0.8 < spun <= 1:
            yield within(12, f"adaptive / worse of spin and park, {at}", ">= 0.9", case)
            continue
        like = "spin" if not rate or spun > 1 else "park"
        of_like = lambda key: figure(case, "adaptive", key) / figure(case, like, key)
        events = of_like("events_per_second")
        yield Bar(12, f"adaptive / {like}, events/s, {at}", ">= 0.9", {"adaptive": events})
        p50 = of_like("p50_ns")
        yield Bar(12, f"adaptive / {like}, p50, {at}", "<= 1.15", {"adaptive": p50})
        if like == "park":
            cpu = figure(case, "adaptive", "poller_cpu_share")
            allowed = figure(case, "park", "poller_cpu_share") + constant(spun)
            what = f"adaptive / park and its spinning, CPU, {at}"
            yield Bar(12, what, "<= 1.15", {"adaptive": cpu / allowed})


def guest(field):
    for kernel in KERNELS:

        def race(peer, burst, readers, bar, key="value", kernel=kernel):
            what = "delivered" if key == "value" else key
            what = f"guest {kernel}, emulated: {what} / {peer}, {people(readers, 'consumer')}"
            id_of = f"guest/{kernel}/{{}}/burst{burst}/10p{readers}c".format
            note = cost_of_calls if (peer, burst, readers) == ("kfifo", 1, 4) else guest_missing
            ours, theirs = figure(id_of("ring"), key), figure(id_of(peer), key)
            return Bar(
                13, f"{what}, x{burst}", bar, {"ring": ours}, {peer: theirs}, note(kernel)
            )

        yield race("list", 1, 1, ">= 50" if kernel == "6.12-rt" else ">= 10")
        yield race("list", 1, 1, ">= 1.2", "injected")
        for burst in (1, 32):
            yield race("kfifo", burst, 1, ">= 1")
            yield race("kfifo", burst, 4, ">= 3")
        for source, local, what in (
            ("timer", "local-tick", "hard timer"),
            ("edu", "local-edu", "MSI"),
        ):
            what = f"guest {kernel}, emulated: {what} x32 / local producer"
            ours, theirs = (figure(f"guest/{kernel}/publish/{each}") for each in (source, local))
            yield Bar(14, what, "<= 1.3", {source: ours}, {local: theirs}, guest_missing(kernel))
        what = f"guest {kernel}, emulated: an event from a hard timer / bare stores of its bytes"
        ours = {"ring": figure(f"guest/{kernel}/publish/one")}
        yield Bar(22, what, "<= 1.15", ours, note=guest_missing(kernel))


def guest_missing(kernel):
    """A note: why there is no figure of this kernel."""

    def note(rounds):
        for records in rounds:
            if "guest/skipped" in records:
                return records["guest/skipped"].get("reason", "")
        measured = any(id_.startswith(f"guest/{kernel}/") for records in rounds for id_ in records)
        return None if measured else "no guest with this kernel in this run"

    return note


def cost_of_calls(kernel):
    """A note: an event is handed over in a call, and as many are by however many readers: what
    four of them could get at most."""
    id_of = f"guest/{kernel}/{{}}/burst1/10p{{}}c".format
    one_reader = figure(id_of("ring", 1)) / figure(id_of("kfifo", 4))

    def note(rounds):
        one = one_reader.median(rounds)
        if one is None:
            return guest_missing(kernel)(rounds)
        return (
            "one call an event, which injectors pay and readers do not: four times what one reader "
            f"of the ring gets is {4 * one:.2f} x what four of the kfifo get"
        )

    return note


def stopped(field):
    for how in ("stopped", "killed"):
        case, what = Case("stopped-consumer", variant=how), f"overwrite, a consumer {how}:"
        yield within(15, f"{what} producer's rate / without it", ">= 0.95", case)
        what += " share that reaches the other / without it"
        yield within(15, what, ">= 0.95", case, "delivered_ratio")


GROUPS = {
    "broadcast": (broadcast, more_consumers),
    "plain code": (plain_bars.one_consumer, plain_bars.more_consumers),
    "work sharing": (work_sharing,),
    "latency": (one_way,),
    "round trips": (round_trips,),
    "plain delays": (plain_bars.delays,),
    "one thread": (cost,),
    "doorbells": (doorbells,),
    "many rings": (many_rings,),
    "rates": (adaptive,),
    "guest": (guest,),
    "stopped": (stopped,),
}


def all_bars(field):
    """In the order of their numbers."""
    found = []
    for group, parts in GROUPS.items():
        found += [replace(bar, group=group) for part in parts for bar in part(field)]
    return sorted(found, key=lambda bar: bar.number)
