#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The last screen of poller/demo: the ring beside the list, and a line for each guarantee
that was checked, from what evring's commands printed. Status 1: one does not hold."""
import argparse
import json
import pathlib
import sys

EVENTS_PER_CALL_MIN = 1000  # a consumer that called once a burst of 64 would be far below
IDLE_CPU_MAX = 0.5
TICKS_HZ = 100  # of /proc/PID/stat, on every Linux


class Records:
    """The files of one part, `here` or `guest`; a missing one is a FileNotFoundError."""

    def __init__(self, folder):
        self.folder = folder

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def json(self, name):
        return json.loads(self.text(name))

    def lines(self, name):
        return [json.loads(line) for line in self.text(name).splitlines()]


def row(what, ring, other):
    return {"what": what, "ring_hz": ring, "list_hz": other, "ratio": ring / other}


def rows_here(here):
    rows = []
    for batch, what in ((1, "one at a time"), (32, "in bursts of 32")):
        results = here.json(f"stream-{batch}.json")["cores"][0]["results"]
        rate = {each["name"]: each["median"] * 1e6 for each in results if each["rounds"]}
        if rate:  # a single CPU measures none
            rows.append(row(f"here, {what}", rate["stream"], rate["stream-list"]))
    return rows


def race(guest):
    """{contender: record}."""
    return {each["id"]: each for each in guest.lines("race.json")}


def rows_guest(guest):
    rate = {name: each["value"] for name, each in race(guest).items()}
    return [row("in the kernel, 10 processes inject", rate["ring"], rate["list"])]


def rings_of(records, names):
    return [ring for name in names for ring in records.json(name)["rings"]]


def whole(records, names):
    consumers = [each for ring in rings_of(records, names) for each in ring["consumers"]]
    torn, disorder, received = (sum(each[key] for each in consumers)
                                for key in ("corrupt", "out_of_order", "received"))
    return (torn == 0 and disorder == 0 and received > 0,
            f"{torn:,} of {received:,} torn, {disorder:,} out of order")


def losses_counted(records, names):
    pairs = [(ring, each) for ring in rings_of(records, names) for each in ring["consumers"]]
    exact = sum(each["received"] + each["lost"] == ring["published"] - each["start"]
                for ring, each in pairs)
    lost = sum(each["lost"] for _, each in pairs)
    balanced = all(records.json(name)["balanced"] for name in names)
    return (exact == len(pairs) > 0 and balanced,
            f"received + lost = published, {exact} of {len(pairs)} consumers; {lost:,} lost"
            + ("" if balanced else "; by the producers' counts, others"))


def producers_counted(records, names):
    rings = rings_of(records, names)
    exact = sum(ring["published"] + ring["dropped"] == ring["offered"] > 0 for ring in rings)
    offered = sum(ring["offered"] for ring in rings)
    return (exact == len(rings) > 0,
            f"published + dropped = offered, {exact} of {len(rings)} rings; {offered:,} offered")


def gated(here):
    consumers = [each for ring in rings_of(here, ["gated.json"]) for each in ring["consumers"]]
    lost = sum(each["lost"] for each in consumers)
    received = sum(each["received"] for each in consumers)
    return lost == 0 and received > 0, f"0 of {received:,} lost" if lost == 0 else f"{lost:,} lost"


def no_system_call(here):
    if (here.folder / "calls.skipped").exists():
        return None, here.text("calls.skipped").strip()
    summary = next(line for line in here.text("calls.strace").splitlines() if "total" in line)
    calls = int(summary.split()[3])
    received = sum(each["received"] for ring in rings_of(here, ["calls.json"])
                   for each in ring["consumers"])
    return (0 < calls * EVENTS_PER_CALL_MIN < received,
            f"{received:,} events taken, {calls:,} calls in all, start and end included")


def cpu_ticks(stat):
    return sum(int(word) for word in stat.rpartition(")")[2].split()[11:13])


def sleeps(records):
    ring = records.json("quiet/stat.json")
    consumer = ring["rings"][0]["consumers"][0]
    ticks = cpu_ticks(records.text("quiet/after")) - cpu_ticks(records.text("quiet/before"))
    share = ticks / TICKS_HZ / ring["seconds"]
    return (consumer["doorbells"] > 0 and 0 < consumer["received"] and share < IDLE_CPU_MAX,
            f"{consumer['doorbells']:,} doorbells for {consumer['received']:,} events, "
            f"{share:.0%} of a CPU")


def interrupts(guest):
    head = {ring["name"]: ring["head"] for ring in guest.json("stat.json")["rings"]}
    found = {line["ring"]: line["balance"] for line in guest.lines("interrupts.json")
             if "balance" in line}
    timer, edu = found["timer0"], found["edu0"]
    exact = all(each["received"] + each["lost"] == each["cursor"] - each["start"]
                and each["received"] > 0 for each in (timer, edu))
    # The timer ticked on until it was removed; the device was silent by then.
    exact = exact and edu["cursor"] == head["edu0"] and timer["cursor"] >= head["timer0"]
    return exact, (f"{timer['received']:,} of a timer, {edu['received']:,} of a PCI device's MSI; "
                   f"{timer['lost'] + edu['lost']:,} lost")


def race_exact(guest):
    exact = {name: race(guest)[name]["exact"] for name in ("ring", "list")}
    return (all(exact.values()),
            ", ".join(f"{name}: {'exact' if ok else 'NOT EXACT'}" for name, ok in exact.items()))


def list_breaks(guest):
    without, with_it = (race(guest)[name]["corruptions"] for name in ("unlocked", "list"))
    return (without > 0 == with_it,
            f"found broken {without:,} times; with its mutex {with_it:,} times")


HERE = (
    ("every event whole and in order", lambda r: whole(r, ["stress.json", "gated.json"])),
    ("every loss counted for its consumer", lambda r: losses_counted(r, ["stress.json"])),
    ("every offer counted for its producer", lambda r: producers_counted(r, ["stress.json"])),
    ("a gated ring loses nothing", gated),
    ("no system call while there is work", no_system_call),
    ("an idle consumer sleeps and is woken", sleeps),
)
GUEST = (
    ("every event whole and in order", lambda r: whole(r, ["stress.json"])),
    ("every loss counted for its consumer", lambda r: losses_counted(r, ["stress.json"])),
    ("every offer counted for its producer", lambda r: producers_counted(r, ["stress.json"])),
    ("events of interrupts arrive", interrupts),
    ("an idle consumer sleeps and is woken", sleeps),
    ("ring and list add up", race_exact),
    ("the list without its lock breaks", list_breaks),
)


def check(records, guarantees):
    """Each as {what, holds, found}; what cannot be read does not hold."""
    checked = []
    for what, look in guarantees:
        try:
            holds, found = look(records)
        except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
            holds, found = False, f"no record of it: {error!r}"
        checked.append({"what": what, "holds": holds, "found": found})
    return checked


def rate(hz):
    return f"{hz / 1e6:.1f} M/s" if hz >= 1e6 else f"{hz / 1e3:.0f} k/s"


def show(table):
    print(f"\n{'Events a second, to one consumer':<38}{'ring':>12}{'mutex list':>14}"
          f"{'the ring is':>14}")
    for each in table["rows"]:
        print(f"  {each['what']:<36}{rate(each['ring_hz']):>12}{rate(each['list_hz']):>14}"
              f"{each['ratio']:>12.1f} x")
    for part, guarantees in table["guarantees"].items():
        print(f"\n{'On this machine' if part == 'here' else 'In a kernel, in QEMU'}")
        for each in guarantees:
            word = {True: "ok", False: "FAILED", None: "skipped"}[each["holds"]]
            print(f"  {word:<8}{each['what']}: {each['found']}")


def make_table(folder, parts):
    table = {"rows": [], "guarantees": {}, "holds": True}
    for part in parts:
        records = Records(folder / part)
        rows, guarantees = {"here": (rows_here, HERE), "guest": (rows_guest, GUEST)}[part]
        checked = check(records, guarantees)
        try:
            table["rows"] += rows(records)
        except (OSError, ValueError, KeyError, IndexError, ZeroDivisionError) as error:
            checked.append({"what": "ring beside list", "holds": False, "found": repr(error)})
        table["guarantees"][part] = checked
        table["holds"] = table["holds"] and all(each["holds"] is not False for each in checked)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="of the records: here/ and guest/")
    parser.add_argument("parts", nargs="+", choices=("here", "guest"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = make_table(options.folder, options.parts)
    if options.json:
        print(json.dumps(table, indent=2))
    else:
        show(table)
    return 0 if table["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
