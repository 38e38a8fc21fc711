# SPDX-License-Identifier: MIT
"""What plain code must reach, bars 16 to 21: a payload filled as a struct where it lies and read
there as one, beside packaged peers, plain queues and the protocols that others' designs come to,
all of which get the same fill and check."""

from cases import LATENCY_HZ, Case
from figures import Bar, figure, gauge

GATED = ("evring-gated-plain", "evring-packed-plain")
FREE = ("evring-overwrite-plain", "evring-packed-overwrite-plain")
BEST_FORMS = ("evring-gated", "evring-gated-in-place")
POINTS = ((56, 32), (56, 1), (16, 32), (16, 1))
UNCHECKED = "unchecked-slots"  # tears, and is no peer: the bound of what checks cost


def at(payload, burst):
    return f"{payload} B x{burst}"


def peers(field, payload, loop="throughput", deliveries=None):
    """Whoever passes on what it was given, by whoever it was written."""
    origins = {"packaged", "baseline", "protocol"}
    found = field.those(origins, payload, loop, deliveries)
    return [each["name"] for each in found if each["name"] != UNCHECKED]


def figures_of(field, names, payload, take=figure, **axes):
    there = {each["name"] for each in field.those(None, payload)}
    cases = {name: Case("throughput", name, "", payload, **axes) for name in names if name in there}
    return {name: take(case) for name, case in cases.items()}


def one_consumer(field):
    for payload, burst in POINTS:
        point, axes = at(payload, burst), {"burst_count": burst}
        ours = figures_of(field, GATED, payload, **axes)
        theirs = figures_of(field, peers(field, payload), payload, **axes)
        yield Bar(16, f"plain code, gated {point} / best peer", ">= 1", ours, theirs)
        forms = figures_of(field, BEST_FORMS, payload, **axes)
        yield Bar(17, f"plain code, gated {point} / evring's other forms", ">= 0.85", ours, forms)
        free = figures_of(field, FREE, payload, **axes)
        bound = figures_of(field, (UNCHECKED,), payload, gauge, **axes)
        yield Bar(18, f"plain code, overwrite {point} / unchecked slots", ">= 0.9", free, bound)
    for payload in (56, 16):
        axes = {"burst_count": 32, "slot_count": 65536}
        theirs = figures_of(field, peers(field, payload), payload, **axes)
        ours, what = figures_of(field, GATED, payload, **axes), "ring of 65,536 / best peer"
        yield Bar(16, f"plain code, gated {at(payload, 32)}, {what}", ">= 1", ours, theirs)
    ours = figures_of(field, GATED, 56)
    bound = figures_of(field, (UNCHECKED,), 56, gauge)
    yield Bar(19, "plain code, gated 56 B x32 / stamped lines, unchecked", ">= 0.75", ours, bound)
    stamped = GATED[:1]  # of one and the same ring
    singly = figures_of(field, stamped, 56, burst_count=1)
    bursts = figures_of(field, stamped, 56)
    name = "plain code, gated 56 B one at a time / its bursts of 32"
    yield Bar(19, name, ">= 0.6", singly, bursts)


def more_consumers(field):
    for count in (2, 4):
        theirs = figures_of(
            field, peers(field, 56, deliveries={"each"}), 56, consumer_count=count
        )
        ours, what = figures_of(field, GATED, 56, consumer_count=count), f"{count} consumers"
        crowded = field.is_crowded(count)
        name = f"plain code, gated 56 B x32, {what} / best peer"
        yield Bar(20, name, ">= 1.1", ours, theirs, crowded=crowded)


def delays(field):
    ours = (GATED[0], FREE[0])
    theirs = peers(field, 56, "ping-pong")

    def turns(names):
        cases = {name: Case("ping-pong", name, burst_count=1) for name in names}
        return {name: figure(case) / figure(case, "two_line_ns") for name, case in cases.items()}

    name = "plain code: round trip / best peer"
    yield Bar(21, name, "<= 1.05", turns(ours), turns(theirs))
    for rate in LATENCY_HZ:
        p50 = {
            name: figure(Case("latency", name, burst_count=1, rate_hz=rate))
            for name in (*ours, *theirs)
        }
        mine, others = ({name: p50[name] for name in names} for names in (ours, theirs))
        what = f"plain code: one-way p50 at {rate:.0f}/s / best peer"
        yield Bar(21, what, "<= 1.05", mine, others)
