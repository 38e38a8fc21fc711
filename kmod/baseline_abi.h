/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The ABI of the two baseline drivers that the ring is compared with:
 * evring_list.ko, two lists behind mutexes, filled and read by ioctl; and
 * evring_kfifo.ko, spinlock + kfifo + wait queue + read(). Not part of evring.
 * Reserved fields and unknown flags must be zero, or the call fails with EINVAL.
 */
#ifndef _EVRING_BASELINE_ABI_H
#define _EVRING_BASELINE_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#elif !defined(__cplusplus)
#include <assert.h>
#endif

#define EVRING_LIST_PATH		"/dev/evring_list"
#define EVRING_KFIFO_PATH		"/dev/evring_kfifo"

#define EVRING_BASELINE_PAYLOAD_WORDS	5	/* 40 bytes, as in a default slot */
#define EVRING_BASELINE_BATCH_MAX	32	/* events in one ioctl */
#define EVRING_BASELINE_NAME_BYTES	32	/* with the final NUL */
#define EVRING_LIST_DEVICE_COUNT_MAX	64
#define EVRING_KFIFO_READER_COUNT_MAX	64

/**
 * struct evring_baseline_input - one event on its way in, as in EVRING_IOC_INJECT
 * @type: opaque
 * @length_bytes: of the payload, at most 40
 * @word: payload, opaque
 */
struct evring_baseline_input {
	__u32 type;
	__u32 length_bytes;
	__u64 word[EVRING_BASELINE_PAYLOAD_WORDS];
};

/**
 * struct evring_baseline_event - one event on its way out
 * @sequence: its number on its device, in the order of injection, from 0
 * @timestamp_ns: CLOCK_MONOTONIC at the ioctl that brought it
 * @input: as injected
 */
struct evring_baseline_event {
	__u64 sequence;
	__u64 timestamp_ns;
	struct evring_baseline_input input;
};

/**
 * struct evring_baseline_transfer - INJECT and GET
 * @device_id: of evring_list; zero for evring_kfifo
 * @events: user address of evring_baseline_input[] (INJECT), evring_baseline_event[] (GET)
 * @event_count: how many, 1..EVRING_BASELINE_BATCH_MAX
 * @done_count: out: how many were accepted (the others were dropped) or delivered
 */
struct evring_baseline_transfer {
	__u64 device_id;
	__u64 events;
	__u32 event_count;
	__u32 done_count;
};

/* ---- evring_list -------------------------------------------------------- */

/* flags of struct evring_list_device; neither: as the module's parameter says */
#define EVRING_LIST_MUTEX	1U	/* a mutex around the list of events */
#define EVRING_LIST_UNLOCKED	2U	/* none: the list breaks, and says so */

/**
 * struct evring_list_device - EVRING_LIST_IOC_ADD
 * @flags: EVRING_LIST_MUTEX or EVRING_LIST_UNLOCKED or 0
 * @reserved: zero
 * @max_events: with so many on the list, new events are dropped and counted; 0 =
 *              as the module's parameter says, which by default is no bound
 * @device_id: out
 * @name: not empty, NUL-terminated, unique
 */
struct evring_list_device {
	__u32 flags;
	__u32 reserved;
	__u64 max_events;
	__u64 device_id;
	char name[EVRING_BASELINE_NAME_BYTES];
};

/**
 * enum evring_list_corruption - what is checked on a list of events
 * @EVRING_LIST_CORRUPT_LINK: two neighbours that do not point at each other
 * @EVRING_LIST_CORRUPT_POINTER: a link to where no node is; it is not followed
 * @EVRING_LIST_CORRUPT_STALE: a node on the list that was already taken or freed
 * @EVRING_LIST_CORRUPT_ORDER: an event taken out of turn
 * @EVRING_LIST_CORRUPT_LOST: a node that was put on the list and is not to be
 *                            found there: its event is lost, its memory reclaimed
 * @EVRING_LIST_CORRUPT_LENGTH: the counted length is not the length
 * @EVRING_LIST_CORRUPT_ENDLESS: a walk came by a node twice
 * @EVRING_LIST_CORRUPT_KINDS: how many kinds there are
 */
enum evring_list_corruption {
	EVRING_LIST_CORRUPT_LINK = 0,
	EVRING_LIST_CORRUPT_POINTER = 1,
	EVRING_LIST_CORRUPT_STALE = 2,
	EVRING_LIST_CORRUPT_ORDER = 3,
	EVRING_LIST_CORRUPT_LOST = 4,
	EVRING_LIST_CORRUPT_LENGTH = 5,
	EVRING_LIST_CORRUPT_ENDLESS = 6,
	EVRING_LIST_CORRUPT_KINDS = 7,
};

/**
 * struct evring_list_stats - EVRING_LIST_IOC_STATS, EVRING_LIST_IOC_AUDIT
 * @device_id: in: the smallest id wanted; out: the one found (ENOENT: none)
 * @flags: out: EVRING_LIST_MUTEX or EVRING_LIST_UNLOCKED
 * @reserved0: zero
 * @injected: events put on the list
 * @delivered: events copied to a caller of GET
 * @discarded: events taken off for a GET whose buffer could not be written
 * @dropped: events refused: the list was full, or no memory
 * @length: events on the list
 * @max_events: 0: no bound
 * @lock_wait_ns: time spent waiting for the mutex of the list of events
 * @lock_contended: how many times one had to wait there
 * @device_lock_wait_ns: the same of the list of devices, which all devices share
 * @device_lock_contended: the same
 * @corrupt: how often each kind of corruption was seen
 * @device_corrupt: the same on the list of devices
 * @name: of the device
 *
 * At rest, after an audit: injected = delivered + discarded + length + lost,
 * where lost is corrupt[EVRING_LIST_CORRUPT_LOST], and always 0 with a mutex.
 */
struct evring_list_stats {
	__u64 device_id;
	__u32 flags;
	__u32 reserved0;
	__u64 injected;
	__u64 delivered;
	__u64 discarded;
	__u64 dropped;
	__u64 length;
	__u64 max_events;
	__u64 lock_wait_ns;
	__u64 lock_contended;
	__u64 device_lock_wait_ns;
	__u64 device_lock_contended;
	__u64 corrupt[EVRING_LIST_CORRUPT_KINDS];
	__u64 device_corrupt[EVRING_LIST_CORRUPT_KINDS];
	char name[EVRING_BASELINE_NAME_BYTES];
};

/*
 * ADD, REMOVE and INJECT need a descriptor open for writing, GET one open for
 * reading (EBADF). ADD: EEXIST, ENOSPC. An id that is not there: ENOENT. GET from
 * an empty list: EAGAIN; from one found corrupt: EIO, and the list was emptied.
 * AUDIT walks the list of devices and that of the device's events, checks them and
 * reclaims what was lost; at rest, an unlocked list is whole again afterwards.
 */
#define EVRING_LIST_IOC_ADD	_IOWR(0xEB, 0x40, struct evring_list_device)
#define EVRING_LIST_IOC_REMOVE	_IOW(0xEB, 0x41, __u64)
#define EVRING_LIST_IOC_INJECT	_IOWR(0xEB, 0x42, struct evring_baseline_transfer)
#define EVRING_LIST_IOC_GET	_IOWR(0xEB, 0x43, struct evring_baseline_transfer)
#define EVRING_LIST_IOC_STATS	_IOWR(0xEB, 0x44, struct evring_list_stats)
#define EVRING_LIST_IOC_AUDIT	_IOWR(0xEB, 0x45, struct evring_list_stats)

/* ---- evring_kfifo ------------------------------------------------------- */

/**
 * struct evring_kfifo_stats - EVRING_KFIFO_IOC_STATS
 * @start_sequence: the next sequence when this descriptor was opened
 * @next_sequence: the sequence of the next event to be injected
 * @received: events that this descriptor's read() delivered
 * @lost: events that found this descriptor's buffer full
 * @queued: events in its buffer
 * @capacity: what the buffer holds
 * @lock_wait_ns: time injectors spent waiting for the spinlock
 * @lock_contended: how many times one had to wait there
 * @reader_count: descriptors open for reading
 * @reserved0: zero
 *
 * While no read() runs: received + lost + queued = next_sequence - start_sequence.
 * A descriptor that is not open for reading has no buffer: its own counts are 0.
 */
struct evring_kfifo_stats {
	__u64 start_sequence;
	__u64 next_sequence;
	__u64 received;
	__u64 lost;
	__u64 queued;
	__u64 capacity;
	__u64 lock_wait_ns;
	__u64 lock_contended;
	__u32 reader_count;
	__u32 reserved0;
};

/*
 * INJECT needs a descriptor open for writing (EBADF). read() gives whole events;
 * a buffer too small for one: EINVAL; nothing there and O_NONBLOCK: EAGAIN.
 */
#define EVRING_KFIFO_IOC_INJECT	_IOWR(0xEB, 0x50, struct evring_baseline_transfer)
#define EVRING_KFIFO_IOC_STATS	_IOR(0xEB, 0x51, struct evring_kfifo_stats)

static_assert(sizeof(struct evring_baseline_input) == 48, "evring_baseline_input");
static_assert(sizeof(struct evring_baseline_event) == 64, "evring_baseline_event");
static_assert(sizeof(struct evring_baseline_transfer) == 24, "evring_baseline_transfer");
static_assert(sizeof(struct evring_list_device) == 56, "evring_list_device");
static_assert(sizeof(struct evring_list_stats) == 240, "evring_list_stats");
static_assert(sizeof(struct evring_kfifo_stats) == 72, "evring_kfifo_stats");

#endif /* _EVRING_BASELINE_ABI_H */
