/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver interface: a kernel driver registers a ring device and publishes into
 * it, from its interrupt handler as a rule. All that a driver includes; everything
 * in source/ stands on it, of which edu.c is the worked example.
 */
#ifndef _EVRING_DRIVER_H
#define _EVRING_DRIVER_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/math.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/byteorder.h>

#include <evring/abi.h>

struct device;
struct evring_device;

/* The only publisher is one handler that never runs beside itself: no lock. */
#define EVRING_DRIVER_SINGLE_CONTEXT	BIT(0)
/* Arming interrupts the CPUs that publish, which then pay no fence; see EVRING_DEVICE_ARM_IPI. */
#define EVRING_DRIVER_ARM_IPI		BIT(1)
/* The control node may remove it; without this its driver alone does, by evring_unregister(). */
#define EVRING_DRIVER_REMOVABLE		BIT(2)
/* @home_cpu is the CPU that fills it: users are told, and memory is taken near it. */
#define EVRING_DRIVER_HOME_CPU		BIT(3)
/* Sleepers are woken in hard interrupt, not by a thread; see EVRING_DEVICE_WAKE_IN_IRQ. */
#define EVRING_DRIVER_WAKE_IN_IRQ	BIT(4)
/* @inject may run beside @stop and after it: it does nothing but publish, which is refused then. */
#define EVRING_DRIVER_INJECT_UNHELD	BIT(5)

/**
 * struct evring_driver_state - what a device tells of its source, in sysfs and by ioctl
 * @rate_hz: interrupts a second, 0 while stopped
 * @batch_count: events for each
 * @ticks_skipped: periods that passed without an event
 * @publish_ns: time spent publishing, all together
 */
struct evring_driver_state {
	u64 rate_hz;
	u32 batch_count;
	u64 ticks_skipped;
	u64 publish_ns;
};

/**
 * struct evring_driver_ops - what a device asks of its source; each may be NULL
 * @start: begin to publish; before the device can be seen. 0 or a negative errno
 * @stop: the device ends; on return nothing publishes. Once, if @start went well
 * @inject: EVRING_IOC_INJECT: publish a batch. @request and the lengths in @events are
 *          checked; published_count, first_sequence and lock_wait_ns are to be filled in;
 *          by several callers at once, not beside or after @stop, which waits for it;
 *          but see EVRING_DRIVER_INJECT_UNHELD
 * @set_rate: EVRING_IOC_SET_RATE, as it came; not beside itself, nor beside or after @stop
 * @state: fill in what the source knows; zeroed; not beside or after @stop either
 * @release: nothing uses the data any more; once, also when evring_register() fails
 *
 * Context: Process context, may sleep.
 */
struct evring_driver_ops {
	int (*start)(struct evring_device *device);
	void (*stop)(struct evring_device *device);
	int (*inject)(struct evring_device *device, struct evring_inject *request,
		      const void *events);
	int (*set_rate)(struct evring_device *device, u64 rate_hz, u32 batch_count);
	void (*state)(struct evring_device *device, struct evring_driver_state *state);
	void (*release)(void *data);
};

/**
 * struct evring_driver_config - what to register
 * @name: letters, digits, '-' and '_'; the node is /dev/evring/NAME
 * @parent: the driver's device, or NULL
 * @ops: what users may ask of it, or NULL
 * @owner: set by evring_register(): whoever has the device open keeps this module
 * @data: of the driver, see evring_data()
 * @flags: EVRING_DRIVER_*
 * @source: enum evring_source; 0 for EVRING_SOURCE_DRIVER
 * @mode: enum evring_mode; gated: what does not fit is dropped and counted
 * @slot_count: a power of two
 * @slot_bytes: a power of two, EVRING_SLOT_BYTES_MIN..MAX
 * @slot_format: enum evring_slot_format
 * @home_cpu: with EVRING_DRIVER_HOME_CPU: one that this machine can have
 * @first_sequence: where sequences start
 */
struct evring_driver_config {
	const char *name;
	struct device *parent;
	const struct evring_driver_ops *ops;
	struct module *owner;
	void *data;
	u32 flags;
	u32 source;
	u32 mode;
	u32 home_cpu;
	u64 slot_count;
	u32 slot_bytes;
	u32 slot_format;
	u64 first_sequence;
};

/**
 * struct evring_event - one event to publish
 * @type: the driver's own; kept by EVRING_SLOT_FULL alone
 * @length_bytes: of the payload; more than payload_bytes is cut off
 * @payload: read before the call returns
 */
struct evring_event {
	u32 type;
	u32 length_bytes;
	const void *payload;
};

/**
 * struct evring_reservation - slots that a driver fills in place
 * @sequence: of the first event; head when there is none
 * @lock_wait_ns: how long the caller waited for others who publish here
 * @event_count: how many
 * @left_count: how many of those asked for may be reserved after the commit
 * @payload_bytes: room in each
 *
 * What was asked for and is neither @event_count nor @left_count was dropped.
 * The rest is the ring's. Interrupts are off from reserve to commit.
 */
struct evring_reservation {
	u64 sequence;
	u64 lock_wait_ns;
	u32 event_count;
	u32 left_count;
	u32 payload_bytes;
	/* private: */
	void *slots;
	u64 slot_mask;
	u32 slot_shift;
	u32 slot_format;
	u32 payload_offset;
	unsigned long irq_flags;
	u64 now_ns;
};

/* The device belongs to the module that makes it. */
#define evring_register(config)	__evring_register(config, THIS_MODULE)

struct evring_device *__evring_register(const struct evring_driver_config *config,
					struct module *owner);
void evring_unregister(struct evring_device *device);
void evring_put(struct evring_device *device);
void *evring_data(struct evring_device *device);
bool evring_publish(struct evring_device *device, u32 type, const void *payload, u32 length_bytes);
u32 evring_publish_batch(struct evring_device *device, const struct evring_event *events,
			 u32 event_count);
u32 evring_publish_packed(struct evring_device *device, const void *events, u32 event_bytes,
			  u32 event_count, struct evring_reservation *part);
u32 evring_reserve(struct evring_device *device, u32 event_count,
		   struct evring_reservation *reservation);
void evring_commit(struct evring_device *device, struct evring_reservation *reservation);
void evring_flush_doorbell(struct evring_device *device);

static inline u64 *evring_reserved_slot(const struct evring_reservation *reservation, u32 index)
{
	u64 slot = (reservation->sequence + index) & reservation->slot_mask;

	return reservation->slots + (slot << reservation->slot_shift);
}

static inline u64 *evring_reserved_words(const struct evring_reservation *reservation, u32 index)
{
	return (void *)evring_reserved_slot(reservation, index) + reservation->payload_offset;
}

/* @bytes need not be aligned. */
static __always_inline u64 __evring_word_at(const void *bytes)
{
	u64 word;

	memcpy(&word, bytes, 8);
	return word;
}

/* Whole words, the last one filled up with zeroes; @payload need not be aligned. */
static __always_inline void __evring_write_words(u64 *words, const void *payload, u32 length_bytes)
{
	for (; length_bytes >= 16; length_bytes -= 16, payload += 16, words += 2) {
		WRITE_ONCE(words[0], __evring_word_at(payload));
		WRITE_ONCE(words[1], __evring_word_at(payload + 8));
	}
	if (length_bytes >= 8) {
		WRITE_ONCE(*words++, __evring_word_at(payload));
		payload += 8;
		length_bytes -= 8;
	}
	if (length_bytes) {
		const u8 *bytes = payload;
		u64 word = 0;

		while (length_bytes)
			word = word << 8 | bytes[--length_bytes];
		WRITE_ONCE(*words, (__force u64)cpu_to_le64(word));
	}
}

static inline void __evring_zero_words(u64 *words, u32 from_bytes, u32 to_bytes)
{
	u32 i;

	for (i = DIV_ROUND_UP(from_bytes, 8); i < to_bytes / 8; i++)
		WRITE_ONCE(words[i], 0);
}

/**
 * evring_reserved_type() - set type and length of a reserved event
 * @reservation: from evring_reserve()
 * @index: below event_count
 * @type: the driver's own
 * @length_bytes: at most payload_bytes
 *
 * Does nothing on a ring whose slots carry neither.
 */
static inline void evring_reserved_type(const struct evring_reservation *reservation, u32 index,
					u32 type, u32 length_bytes)
{
	if (reservation->slot_format >= EVRING_SLOT_FULL)
		WRITE_ONCE(evring_reserved_slot(reservation, index)[2],
			   EVRING_TYPE_LENGTH(type, length_bytes));
}

/**
 * evring_reserved_word() - set one word of the payload of a reserved event
 * @reservation: from evring_reserve()
 * @index: below event_count
 * @word: below payload_bytes / 8
 * @value: in native byte order
 */
static inline void evring_reserved_word(const struct evring_reservation *reservation, u32 index,
					u32 word, u64 value)
{
	WRITE_ONCE(evring_reserved_words(reservation, index)[word], value);
}

/**
 * evring_reserved_zero() - zero what is behind the payload of a reserved event
 * @reservation: from evring_reserve()
 * @index: below event_count
 * @from_bytes: how much of it was written
 *
 * Does nothing on a ring whose slots carry a length: without one all of it counts.
 */
static inline void evring_reserved_zero(const struct evring_reservation *reservation, u32 index,
					u32 from_bytes)
{
	if (reservation->slot_format < EVRING_SLOT_FULL)
		__evring_zero_words(evring_reserved_words(reservation, index), from_bytes,
				    reservation->payload_bytes);
}

/**
 * evring_reserved_event() - set all of a reserved event
 * @reservation: from evring_reserve()
 * @index: below event_count
 * @type: the driver's own
 * @payload: kernel memory
 * @length_bytes: at most payload_bytes
 */
static inline void evring_reserved_event(const struct evring_reservation *reservation, u32 index,
					 u32 type, const void *payload, u32 length_bytes)
{
	evring_reserved_type(reservation, index, type, length_bytes);
	__evring_write_words(evring_reserved_words(reservation, index), payload, length_bytes);
	evring_reserved_zero(reservation, index, length_bytes);
}

#endif /* _EVRING_DRIVER_H */
