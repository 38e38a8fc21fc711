/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The evring ABI: layout of a mapping, ioctls, io_uring command. The kernel
 * module, the C++ library and every other language follow this file.
 * Ordering is explained in ring/PROTOCOL.md.
 *
 *   offset 0         struct evring_header   one page, read-only for consumers
 *   slots_offset     slot[slot_count]       slot_bytes each, a power of two
 *   mapping_bytes    end
 *
 * Owners: (r) constant once the mapping can be seen, (p) the producer alone,
 * (c) the consumer that owns the page, (m) the member of a group that owns the
 * record, (b) several, by atomic operations.
 * Every word that changes is a naturally aligned __u64.
 */
#ifndef _EVRING_ABI_H
#define _EVRING_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define EVRING_MAGIC			0x0100676e69727665ULL	/* "evring", 0, 1 in memory */
#define EVRING_LAYOUT_MAJOR		1	/* must match */
#define EVRING_LAYOUT_MINOR		0	/* grows with fields in reserved space */

#define EVRING_HEADER_BYTES		4096
#define EVRING_NAME_BYTES		32	/* with the final NUL */
#define EVRING_SLOT_BYTES_MIN		32
#define EVRING_PACKED_BYTES_MIN		8	/* of a slot, for EVRING_SLOT_PACKED */
#define EVRING_SLOT_BYTES_MAX		4096
#define EVRING_SLOT_BYTES_DEFAULT	64
#define EVRING_SLOT_COUNT_MIN		2
#define EVRING_SLOT_COUNT_MAX		(1ULL << 24)
#define EVRING_MAPPING_BYTES_MAX	(1ULL << 30)
#define EVRING_RATE_HZ_MAX		1000000ULL
#define EVRING_BATCH_COUNT_MAX		1024
#define EVRING_INJECT_BYTES_MAX		(1U << 18)	/* of one EVRING_IOC_INJECT */
#define EVRING_SECTION_BYTES		(1U << 14)	/* of slots, written with interrupts off */
#define EVRING_DEVICE_COUNT_MAX		1024
#define EVRING_CONSUMER_COUNT_MAX	63	/* registered consumers of one ring */

/* The stamp of a slot: sequence, and whether its payload may be read. */
#define EVRING_STAMP_BUSY(sequence)	((__u64)(sequence) << 1)
#define EVRING_STAMP_READY(sequence)	(((__u64)(sequence) << 1) | 1)

/**
 * enum evring_slot_format - what a slot carries beside its payload
 * @EVRING_SLOT_BARE: a stamp; payload from byte 8
 * @EVRING_SLOT_TIMESTAMP: stamp and timestamp_ns; payload from byte 16
 * @EVRING_SLOT_FULL: stamp, timestamp_ns, type and length; payload from byte 24
 * @EVRING_SLOT_PACKED: nothing; payload from byte 0. Head alone says what is published.
 *                      Only with EVRING_FEATURE_WRITE_LIMIT, so in local rings alone.
 */
enum evring_slot_format {
	EVRING_SLOT_BARE = 0,
	EVRING_SLOT_TIMESTAMP = 1,
	EVRING_SLOT_FULL = 2,
	EVRING_SLOT_PACKED = 3,
};

/* 8, 16 and 24; 0 for EVRING_SLOT_PACKED */
#define EVRING_PAYLOAD_OFFSET(format)	(8U * (((__u32)(format) + 1U) & 3U))

/* The type_length word of EVRING_SLOT_FULL: type below, length in bytes above. */
#define EVRING_TYPE_LENGTH(type, length_bytes) \
	((__u64)(__u32)(type) | ((__u64)(__u32)(length_bytes) << 32))

/**
 * struct evring_slot - one event in the default format, 64 bytes
 * @stamp: (p) EVRING_STAMP_BUSY while written, EVRING_STAMP_READY after. Before
 *         its first event, s, a slot holds EVRING_STAMP_BUSY of s (kernel rings)
 *         or of s - slot_count (local rings, so that a takeover can tell a slot
 *         never written from one half-written); both read as empty.
 * @timestamp_ns: (p) CLOCK_MONOTONIC, taken once per published batch
 * @type_length: (p) EVRING_TYPE_LENGTH()
 * @word: (p) payload, opaque to the ring
 */
struct evring_slot {
	__u64 stamp;
	__u64 timestamp_ns;
	__u64 type_length;
	__u64 word[5];
};

/* Types of the events that evring's own kernel sources publish. */
#define EVRING_EVENT_TICK	1	/* timer: evring_pattern_word(sequence, i) in word i */
#define EVRING_EVENT_EDU	2	/* edu: word 0 its status, word 1 interrupts so far */
#define EVRING_TICK_BYTES	40	/* length of a tick, or payload_bytes where less */

/**
 * evring_pattern_word() - the payload of a tick, which a consumer can verify
 * @sequence: of the event
 * @index: of the word
 *
 * splitmix64 of sequence + index (S. Vigna, public domain).
 */
static inline __u64 evring_pattern_word(__u64 sequence, __u32 index)
{
	__u64 word = sequence + index + 0x9e3779b97f4a7c15ULL;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
	word = (word ^ (word >> 27)) * 0x94d049bb133111ebULL;
	return word ^ (word >> 31);
}

/* mode: what happens when the slowest registered cursor is slot_count behind. */
enum evring_mode {
	EVRING_MODE_OVERWRITE = 0,	/* the producer goes on; who is lapped counts the loss */
	EVRING_MODE_GATED = 1,		/* the producer waits (local) or drops and counts */
};

enum evring_source {
	EVRING_SOURCE_LOCAL = 0,	/* a program, no module */
	EVRING_SOURCE_SOFT = 1,		/* injected by ioctl */
	EVRING_SOURCE_TIMER = 2,	/* hard hrtimer */
	EVRING_SOURCE_DRIVER = 3,	/* registered by a kernel driver */
};

enum evring_clock {
	EVRING_CLOCK_MONOTONIC = 1,
};

/* gone: why a ring will get no more events */
enum evring_gone {
	EVRING_GONE_NOT = 0,
	EVRING_GONE_REMOVED = 1,	/* the device was removed */
	EVRING_GONE_CLOSED = 2,		/* the owner of a local ring closed it */
};

/**
 * struct evring_status - the block behind the header's seqlock
 * @published: events published; head - first_sequence at the last refresh
 * @dropped: events offered that were not published (gated mode)
 * @doorbells_rung: wake-ups sent to armed consumers
 * @doorbells_suppressed: batches published while armed, below the watermark
 * @last_event_ns: timestamp of the last refreshed batch, CLOCK_MONOTONIC
 * @monotonic_ns: with @realtime_ns: one instant on both clocks
 * @realtime_ns: CLOCK_REALTIME at @monotonic_ns
 * @generation: one more for each producer that took the ring
 * @repaired: slots found claimed and not published when a producer took over, by one
 *            that died or that abandoned a reservation; each sequence once
 * @gone: enum evring_gone; once set, never cleared
 * @lock_wait_ns: time that producers spent waiting for the lock in front
 * @lock_contended: how many times one had to wait there
 * @reserved: zero
 *
 * The block is refreshed on every drop and close, and by the first publish that finds
 * it a millisecond old or behind a doorbell (local rings: a millisecond by the
 * timestamps of the events, or 1,024 events; and by the doorbell itself). Head is
 * always exact, so a reader derives published from head.
 */
struct evring_status {
	__u64 published;
	__u64 dropped;
	__u64 doorbells_rung;
	__u64 doorbells_suppressed;
	__u64 last_event_ns;
	__u64 monotonic_ns;
	__u64 realtime_ns;
	__u64 generation;
	__u64 repaired;
	__u64 gone;
	__u64 lock_wait_ns;
	__u64 lock_contended;
	__u64 reserved[4];
};

/*
 * The producer stores write_limit before it writes, in place of the BUSY stamp: a
 * reader that finds READY must then check, after its copy, that
 * sequence + slot_count is not before write_limit. Without the feature it looks at
 * the stamp again. Both may be done.
 */
#define EVRING_FEATURE_WRITE_LIMIT	(1ULL << 0)

/**
 * struct evring_header - the first page of a mapping
 * @magic: (r) EVRING_MAGIC, written last
 * @layout_major: (r) EVRING_LAYOUT_MAJOR
 * @layout_minor: (r) EVRING_LAYOUT_MINOR of the writer
 * @mapping_bytes: (r) header and slots, a multiple of the page size
 * @slots_offset: (r) bytes from the start of the mapping to slot 0
 * @slot_count: (r) a power of two
 * @slot_bytes: (r) a power of two, EVRING_SLOT_BYTES_MIN..MAX; EVRING_SLOT_PACKED: from
 *              EVRING_PACKED_BYTES_MIN on
 * @slot_format: (r) enum evring_slot_format
 * @payload_offset: (r) EVRING_PAYLOAD_OFFSET(slot_format)
 * @payload_bytes: (r) slot_bytes - payload_offset
 * @first_sequence: (r) the sequence of the first event ever
 * @mode: (r) enum evring_mode
 * @clock: (r) enum evring_clock
 * @source: (r) enum evring_source
 * @home_cpu: (r) CPU that the source runs on, or ~0
 * @device_id: (r) of a kernel device; 0 for a local ring
 * @boot_id: (r) /proc/sys/kernel/random/boot_id as 16 bytes
 * @features: (r) EVRING_FEATURE_*
 * @name: (r) NUL-terminated
 * @head: (p) next sequence to be published, stored once per batch
 * @status_sequence: (p) odd while @status is being written
 * @status: (p) see struct evring_status
 * @write_limit: (p) EVRING_FEATURE_WRITE_LIMIT: events before this may be being
 *               written; what one of them overwrites may be torn
 */
struct evring_header {
	__u64 magic;
	__u32 layout_major;
	__u32 layout_minor;
	__u64 mapping_bytes;
	__u64 slots_offset;
	__u64 slot_count;
	__u32 slot_bytes;
	__u32 slot_format;
	__u32 payload_offset;
	__u32 payload_bytes;
	__u64 first_sequence;
	__u32 mode;
	__u32 clock;
	__u32 source;
	__u32 home_cpu;
	__u64 device_id;
	__u8 boot_id[16];
	__u64 features;
	__u64 reserved0;
	char name[EVRING_NAME_BYTES];
	__u64 reserved1[13];

	__u64 head;			/* offset 256: a pair of lines of its own */
	__u64 reserved2[15];

	__u64 status_sequence;		/* offset 384 */
	struct evring_status status;
	__u64 reserved3[15];

	__u64 write_limit;		/* offset 640: a pair of lines of its own */
	__u64 reserved4[431];
};

/**
 * struct evring_consumer_page - one page, written by one registered consumer
 * @cursor: (c) its next sequence, for gated rings
 * @arm_cursor: (c) local rings: the cursor when it armed
 * @wake_events: (c) local rings: doorbell when head - @arm_cursor reaches this
 * @wake_us: (c) local rings: or this long after the first event; 0 for never
 *
 * Whoever reads it takes each word once and trusts none of them.
 */
struct evring_consumer_page {
	__u64 cursor;
	__u64 reserved0[15];
	__u64 arm_cursor;
	__u64 wake_events;
	__u64 wake_us;
	__u64 reserved1[493];
};

/**
 * struct evring_doorbell_page - local rings: who is armed
 * @armed: (b) bit i: registered consumer i sleeps. Set by the consumer, cleared
 *         by whoever claims the doorbell. EVRING_ARMED_FENCE: some side has no
 *         membarrier(2), so the producer needs a full fence before it looks;
 *         once set, never cleared.
 *
 * Writable by every registered consumer: one that misbehaves can cost others a
 * wake-up until their max_idle_ms, never an event or a count.
 */
#define EVRING_ARMED_FENCE	(1ULL << 63)

struct evring_doorbell_page {
	__u64 armed;
	__u64 reserved[511];
};

/**
 * struct evring_group_entry - one state of a group's member, stored as a whole
 * @from: (m) first sequence of its claim, or of what is left of it
 * @to: (m) end of its claim; equal to @from: it holds nothing
 * @received: (m) events it was done with before @from
 * @lost: (m) events it found overwritten before @from
 */
struct evring_group_entry {
	__u64 from;
	__u64 to;
	__u64 received;
	__u64 lost;
};

/**
 * struct evring_group_member - the record of one member; outlives its owner
 * @entry: (m) entry[round & 1] is in force, the other one is being prepared
 * @round: (m) one more for each entry put in force
 */
struct evring_group_member {
	struct evring_group_entry entry[2];
	__u64 round;
	__u64 reserved[7];
};

#define EVRING_GROUP_MAGIC		0x0170756f72677665ULL	/* "evgroup", 1 in memory */
#define EVRING_GROUP_MEMBER_COUNT_MAX	63
#define EVRING_GROUP_NOBODY		63	/* no claim was made yet */

/* The claim word: next sequence to be claimed, and who made the last claim. */
#define EVRING_GROUP_CLAIM(sequence, member) (((__u64)(sequence) << 6) | (__u64)(member))

/**
 * struct evring_group_page - what the members of a group share
 * @magic: (r) EVRING_GROUP_MAGIC
 * @layout_major: (r) EVRING_LAYOUT_MAJOR
 * @layout_minor: (r) EVRING_LAYOUT_MINOR of the writer
 * @page_bytes: (r) sizeof(struct evring_group_page)
 * @slot_count: (r) of the ring
 * @first_sequence: (r) of the ring
 * @start: (r) the first sequence that the group claims
 * @joined: (b) bit i: record i has an owner, living or dead. The living ones hold
 *          a write lock (OFD) on byte i of the file.
 * @claim: (b) EVRING_GROUP_CLAIM(); advances by compare-and-swap alone
 * @confirmed: (b) end of the last claim of each member that another one saw
 *             before it advanced @claim; only grows
 * @member: (m) the member that holds lock i, or whoever recovers it after its death
 *
 * Writable by every member: one that misbehaves hurts its own group alone.
 */
struct evring_group_page {
	__u64 magic;
	__u32 layout_major;
	__u32 layout_minor;
	__u64 page_bytes;
	__u64 slot_count;
	__u64 first_sequence;
	__u64 start;
	__u64 reserved0[2];
	__u64 joined;
	__u64 reserved1[7];

	__u64 claim;			/* offset 128 */
	__u64 confirmed[EVRING_GROUP_MEMBER_COUNT_MAX];
	__u64 reserved2[48];

	struct evring_group_member member[EVRING_GROUP_MEMBER_COUNT_MAX];	/* offset 1024 */
	__u64 reserved3[400];
};

/* ---- kernel devices ---------------------------------------------------- */

#define EVRING_CONTROL_PATH	"/dev/evring/control"
#define EVRING_DEVICE_DIR	"/dev/evring"

/* mmap offsets on a device node */
#define EVRING_MMAP_RING	0ULL		/* PROT_READ, MAP_SHARED, the whole ring */
#define EVRING_MMAP_CONSUMER	(1ULL << 32)	/* this descriptor's consumer page */

#define EVRING_IOC_TYPE		0xEB

/* Of one user (uid) on one device; past either: EBUSY */
#define EVRING_OPEN_COUNT_MAX		256	/* descriptors */
#define EVRING_COMMAND_COUNT_MAX	1024	/* io_uring commands that park */
#define EVRING_HOME_CPU_ANY	0xffffffffU

/* flags of struct evring_device_config */
#define EVRING_DEVICE_IRQ_LINE	(1U << 0)	/* soft: inject through a software IRQ line */
/*
 * Arming interrupts every CPU that ever published here, and publishing pays no fence.
 * Whoever may read may then interrupt those CPUs: not for isolated or real-time ones.
 */
#define EVRING_DEVICE_ARM_IPI	(1U << 1)
/*
 * Sleepers are woken in the interrupt that published, some microseconds sooner than by a
 * thread. Whoever may read may then make those interrupts as long as it likes. A kernel
 * with PREEMPT_RT takes the thread all the same.
 */
#define EVRING_DEVICE_WAKE_IN_IRQ	(1U << 2)

/**
 * struct evring_device_config - EVRING_IOC_ADD
 * @size: sizeof(struct evring_device_config) as the caller knows it
 * @flags: EVRING_DEVICE_*
 * @name: letters, digits, '-', '_' and '.', not '.' first; unique; not "control"
 * @source: EVRING_SOURCE_SOFT or EVRING_SOURCE_TIMER
 * @mode: enum evring_mode
 * @slot_count: a power of two, at most EVRING_SLOT_COUNT_MAX
 * @slot_bytes: a power of two, EVRING_SLOT_BYTES_MIN..MAX
 * @slot_format: enum evring_slot_format, one with a stamp
 * @first_sequence: where sequences start
 * @rate_hz: timer: interrupts a second, at most EVRING_RATE_HZ_MAX; 0 = stopped
 * @batch_count: timer: events for each, 1..EVRING_BATCH_COUNT_MAX; a batch longer
 *               than EVRING_SECTION_BYTES of slots takes several interrupts
 * @home_cpu: timer: CPU it runs on, or EVRING_HOME_CPU_ANY
 * @device_id: out: its id, and its minor
 * @reserved: zero
 */
struct evring_device_config {
	__u32 size;
	__u32 flags;
	char name[EVRING_NAME_BYTES];
	__u32 source;
	__u32 mode;
	__u64 slot_count;
	__u32 slot_bytes;
	__u32 slot_format;
	__u64 first_sequence;
	__u64 rate_hz;
	__u32 batch_count;
	__u32 home_cpu;
	__u64 device_id;
	__u64 reserved[2];
};

/** struct evring_device_name - EVRING_IOC_REMOVE, by name */
struct evring_device_name {
	__u32 size;
	__u32 flags;		/* zero */
	char name[EVRING_NAME_BYTES];
};

/* capabilities in struct evring_device_info */
#define EVRING_CAP_URING_CMD	(1ULL << 0)	/* io_uring command with moderation */
#define EVRING_CAP_URING_CANCEL	(1ULL << 1)	/* and it is cancelable */
#define EVRING_CAP_GATED	(1ULL << 2)

/**
 * struct evring_device_info - EVRING_IOC_LIST (control), EVRING_IOC_INFO (device)
 * @size: sizeof as the caller knows it
 * @flags: zero
 * @device_id: in, LIST: the smallest id wanted; out: the device found (LIST
 *             fails with ENOENT past the last)
 *
 * All else is out, named as in struct evring_header and evring_status. LIST shows @head and
 * counters to who may add devices; to others as if nothing had happened.
 */
struct evring_device_info {
	__u32 size;
	__u32 flags;
	__u64 device_id;
	char name[EVRING_NAME_BYTES];
	__u32 source;
	__u32 mode;
	__u64 slot_count;
	__u32 slot_bytes;
	__u32 slot_format;
	__u64 mapping_bytes;
	__u64 first_sequence;
	__u64 rate_hz;
	__u32 batch_count;
	__u32 home_cpu;
	__u64 capabilities;
	__u64 head;
	__u64 dropped;
	__u64 doorbells_rung;
	__u64 doorbells_suppressed;
	__u64 lock_wait_ns;
	__u64 lock_contended;
	__u32 open_count;
	__u32 registered_count;
	__u64 reserved[4];
	__u32 device_flags;	/* EVRING_DEVICE_ARM_IPI, _WAKE_IN_IRQ */
	__u32 armed_count;
};

/**
 * struct evring_inject - EVRING_IOC_INJECT: soft devices, descriptor open for writing
 * @size: sizeof as the caller knows it
 * @flags: zero
 * @event_count: 1..EVRING_BATCH_COUNT_MAX events
 * @event_bytes: bytes from one event to the next in @events: 8 + payload bytes,
 *               a multiple of 8, at most 8 + payload_bytes of the ring; together
 *               at most EVRING_INJECT_BYTES_MAX (E2BIG)
 * @events: user address of an array of {__u32 type; __u32 length_bytes; payload}
 * @published_count: out: how many were published; the rest were dropped
 * @reserved0: zero
 * @first_sequence: out: sequence of the first one published
 * @lock_wait_ns: out: time spent waiting for the lock in front of the producer
 *
 * Events keep their order. Those whose slots take more than EVRING_SECTION_BYTES
 * together, or more than half the ring, are published in parts, and events of other
 * injectors may come in between two parts. What is dropped is dropped from the end.
 */
struct evring_inject {
	__u32 size;
	__u32 flags;
	__u32 event_count;
	__u32 event_bytes;
	__u64 events;
	__u32 published_count;
	__u32 reserved0;
	__u64 first_sequence;
	__u64 lock_wait_ns;
};

/* start_at of struct evring_register */
enum evring_start_at {
	EVRING_START_OLDEST = 0,
	EVRING_START_NEWEST = 1,	/* only what is published from now on */
	EVRING_START_SEQUENCE = 2,
};

/**
 * struct evring_register - EVRING_IOC_REGISTER: a gated cursor for this descriptor
 * @size: sizeof as the caller knows it
 * @flags: zero
 * @start_at: enum evring_start_at
 * @reserved0: zero
 * @sequence: in: for EVRING_START_SEQUENCE; out: where the cursor stands now
 *
 * The descriptor must be open for writing. Then map EVRING_MMAP_CONSUMER, one
 * page, PROT_READ|PROT_WRITE. Closing the descriptor removes the cursor.
 */
struct evring_register {
	__u32 size;
	__u32 flags;
	__u32 start_at;
	__u32 reserved0;
	__u64 sequence;
};

/** struct evring_rate - EVRING_IOC_SET_RATE: timer devices, open for writing */
struct evring_rate {
	__u32 size;
	__u32 flags;		/* zero */
	__u64 rate_hz;		/* 0 stops; on return no handler runs any more */
	__u32 batch_count;
	__u32 reserved0;
};

/**
 * struct evring_arm - EVRING_IOC_ARM, and the 16 bytes of the io_uring command
 * @cursor: the caller's next sequence
 * @wake_us: doorbell this long after the first event at or past @cursor; 0: at once
 * @wake_events: or when so many events are there; 0 counts as 1, more than slot_count as that
 * @max_idle_ms: or after so long without any; 0 = the driver's bound
 *
 * wake_events = 1, or wake_us = 0, asks for a doorbell with the first event.
 *
 * As an io_uring command (cmd_op = EVRING_URING_ARM) it completes once, with
 * the number of events at or past @cursor (at most INT_MAX), -ETIME after
 * max_idle_ms, -ENODEV when the device is removed, -ECANCELED when disarmed;
 * -EBUSY at once past 16 of a descriptor or EVRING_COMMAND_COUNT_MAX of a user.
 * As an ioctl it returns at once and moderates this descriptor's next poll():
 * POLLIN when the doorbell rings; POLLHUP | POLLERR when the device is gone.
 */
struct evring_arm {
	__u64 cursor;
	__u32 wake_us;
	__u16 wake_events;
	__u16 max_idle_ms;
};

/*
 * The sizes of the first version. Structs that begin with their size grow at their end;
 * a driver takes every size from these on, and cuts its answers to it.
 */
#define EVRING_DEVICE_CONFIG_SIZE_V0	112
#define EVRING_DEVICE_NAME_SIZE_V0	40
#define EVRING_DEVICE_INFO_SIZE_V0	200
#define EVRING_INJECT_SIZE_V0		48
#define EVRING_REGISTER_SIZE_V0		24
#define EVRING_RATE_SIZE_V0		24

#define EVRING_IOC_ADD		_IOWR(EVRING_IOC_TYPE, 0x01, struct evring_device_config)
#define EVRING_IOC_REMOVE	_IOW(EVRING_IOC_TYPE, 0x02, struct evring_device_name)
#define EVRING_IOC_LIST		_IOWR(EVRING_IOC_TYPE, 0x03, struct evring_device_info)
#define EVRING_IOC_INFO		_IOWR(EVRING_IOC_TYPE, 0x10, struct evring_device_info)
#define EVRING_IOC_INJECT	_IOWR(EVRING_IOC_TYPE, 0x11, struct evring_inject)
#define EVRING_IOC_REGISTER	_IOWR(EVRING_IOC_TYPE, 0x12, struct evring_register)
#define EVRING_IOC_UNREGISTER	_IO(EVRING_IOC_TYPE, 0x13)
#define EVRING_IOC_SET_RATE	_IOW(EVRING_IOC_TYPE, 0x14, struct evring_rate)
#define EVRING_IOC_ARM		_IOW(EVRING_IOC_TYPE, 0x15, struct evring_arm)
#define EVRING_IOC_DISARM	_IO(EVRING_IOC_TYPE, 0x16)

/* cmd_op of IORING_OP_URING_CMD; the command area holds struct evring_arm */
#define EVRING_URING_ARM	_IOW(EVRING_IOC_TYPE, 0x20, struct evring_arm)
#define EVRING_URING_DISARM	_IO(EVRING_IOC_TYPE, 0x21)	/* all arms of this descriptor */

/* ---- what every compiler of this file checks --------------------------- */

#ifdef __cplusplus
#define EVRING_ASSERT(condition) static_assert(condition, #condition)
#define EVRING_OFFSETOF(type, member) __builtin_offsetof(type, member)
#else
#define EVRING_ASSERT(condition) _Static_assert(condition, #condition)
#define EVRING_OFFSETOF(type, member) __builtin_offsetof(type, member)
#endif

EVRING_ASSERT(sizeof(struct evring_slot) == EVRING_SLOT_BYTES_DEFAULT);
EVRING_ASSERT(sizeof(struct evring_status) == 128);
EVRING_ASSERT(sizeof(struct evring_header) == EVRING_HEADER_BYTES);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, first_sequence) == 56);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, boot_id) == 88);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, name) == 120);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, head) == 256);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, status_sequence) == 384);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, status) == 392);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_header, write_limit) == 640);
EVRING_ASSERT(sizeof(struct evring_consumer_page) == 4096);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_consumer_page, arm_cursor) == 128);
EVRING_ASSERT(sizeof(struct evring_doorbell_page) == 4096);
EVRING_ASSERT(sizeof(struct evring_group_entry) == 32);
EVRING_ASSERT(sizeof(struct evring_group_member) == 128);
EVRING_ASSERT(sizeof(struct evring_group_page) == 12288);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_group_page, joined) == 64);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_group_page, claim) == 128);
EVRING_ASSERT(EVRING_OFFSETOF(struct evring_group_page, member) == 1024);
EVRING_ASSERT(sizeof(struct evring_device_config) == 112);
EVRING_ASSERT(sizeof(struct evring_device_name) == 40);
EVRING_ASSERT(sizeof(struct evring_device_info) == 208);
EVRING_ASSERT(sizeof(struct evring_inject) == 48);
EVRING_ASSERT(sizeof(struct evring_register) == 24);
EVRING_ASSERT(sizeof(struct evring_rate) == 24);
EVRING_ASSERT(sizeof(struct evring_arm) == 16);

#endif /* _EVRING_ABI_H */
