// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() for cat and scripts: a line for each event, from the oldest on:
 *   SEQUENCE TIMESTAMP_NS TYPE LENGTH_BYTES PAYLOAD_IN_HEX   ("-" for none)
 *   # lost N                                                 (after an overrun)
 * A consumer like any other, with the same checks; see ring/PROTOCOL.md.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "file.h"
#include "trace.h"

#define LINE_HEAD_BYTES	96	/* four numbers and their spaces */

static size_t line_capacity(const struct evring_ring *ring)
{
	return LINE_HEAD_BYTES + 2 * ring->payload_bytes;
}

/* Returns false when the slot does not hold that event, or no longer. */
static bool copy_slot(const struct evring_ring *ring, u64 sequence, u64 *to)
{
	const u64 *slot = evring_slot_at(ring, sequence);
	u32 i, word_count = (1U << ring->slot_shift) / 8;

	/* (C1) The stamp before the payload, or old words look new. Pairs with (P2). */
	if (smp_load_acquire(&slot[0]) != EVRING_STAMP_READY(sequence))
		return false;
	for (i = 1; i < word_count; i++)
		to[i] = READ_ONCE(slot[i]);
	/* (C2) Payload before the second look, or a torn copy passes. Pairs with (P1). */
	smp_rmb();
	return READ_ONCE(slot[0]) == EVRING_STAMP_READY(sequence);
}

static u32 length_of(const struct evring_ring *ring, const u64 *slot)
{
	if (ring->slot_format < EVRING_SLOT_FULL)
		return ring->payload_bytes;
	return min_t(u64, slot[2] >> 32, ring->payload_bytes);
}

static void print_event(struct evring_file *file, u64 sequence, const u64 *slot)
{
	const struct evring_ring *ring = &file->device->ring;
	u64 timestamp_ns = ring->slot_format >= EVRING_SLOT_TIMESTAMP ? slot[1] : 0;
	u32 type = ring->slot_format >= EVRING_SLOT_FULL ? (u32)slot[2] : 0;
	u32 length_bytes = length_of(ring, slot);
	char *at = file->line;

	at += sprintf(at, "%llu %llu %u %u ", sequence, timestamp_ns, type, length_bytes);
	if (length_bytes)
		at = bin2hex(at, (const u8 *)slot + ring->payload_offset, length_bytes);
	else
		*at++ = '-';
	*at++ = '\n';
	file->line_bytes = at - file->line;
}

static void print_lost(struct evring_file *file, u64 lost)
{
	trace_evring_lap(file->device->id, file->read_cursor, lost);
	file->line_bytes = sprintf(file->line, "# lost %llu\n", lost);
}

/*
 * The next line, under the read lock; false when there is no event. The copy
 * lies behind the text. A slot that was overwritten means head has moved past
 * it by the time the next batch is out: the loop ends with that batch.
 */
static bool next_line(struct evring_file *file)
{
	const struct evring_producer *producer = &file->device->producer;
	const struct evring_ring *ring = &file->device->ring;
	u64 *slot = (void *)file->line + line_capacity(ring);
	u64 cursor = file->read_cursor;
	/* (C3) What lies before head is whole. Pairs with (P3). */
	u64 head = smp_load_acquire(&ring->header->head);
	u64 oldest = evring_oldest(ring, producer->first_sequence, head);

	file->line_taken = 0;
	file->line_bytes = 0;
	if (cursor == head)
		return false;
	if ((s64)(cursor - oldest) >= 0 && copy_slot(ring, cursor, slot)) {
		print_event(file, cursor, slot);
		WRITE_ONCE(file->read_cursor, cursor + 1);
		return true;
	}
	/* Lapped. Half a ring ahead, or the producer laps it again at once. */
	oldest = head - min(head - cursor, evring_slot_count(ring) / 2);
	if (oldest == cursor)
		oldest++;
	print_lost(file, oldest - cursor);
	WRITE_ONCE(file->read_cursor, oldest);
	return true;
}

/* Returns -ENODEV when nothing more will come; what came last may be unread. */
static int wait_readable(struct evring_file *file)
{
	struct evring_doorbell *doorbell = &file->device->doorbell;
	struct evring_sleeper *sleeper = &file->read_sleeper;
	int err;

	err = evring_arm_simple(doorbell, sleeper, READ_ONCE(file->read_cursor));
	if (err)
		return err;
	/* Another thread may have read what rang: then arm again. */
	return wait_event_interruptible(file->wait, evring_file_readable(file) ||
					READ_ONCE(doorbell->closed) ||
					READ_ONCE(sleeper->state) != EVRING_SLEEPER_ARMED);
}

/* With room for the copy of a slot behind the text. */
static int allocate_line(struct evring_file *file)
{
	const struct evring_ring *ring = &file->device->ring;

	if (!file->line)
		file->line = kmalloc(line_capacity(ring) + (1U << ring->slot_shift),
				     GFP_KERNEL_ACCOUNT);
	return file->line ? 0 : -ENOMEM;
}

/* Takes text of one line at most; returns its length, 0 when there is no event. */
static ssize_t take_text(struct evring_file *file, char *to, size_t size_bytes, u64 *take)
{
	ssize_t taken;

	if (mutex_lock_interruptible(&file->read_lock))
		return -ERESTARTSYS;
	taken = allocate_line(file);
	if (!taken && (file->line_taken < file->line_bytes || next_line(file))) {
		taken = min(size_bytes, file->line_bytes - file->line_taken);
		memcpy(to, file->line + file->line_taken, taken);
		file->line_taken += taken;
		*take = ++file->line_takes;
	}
	mutex_unlock(&file->read_lock);
	return taken;
}

/* What could not be handed over is there for the next read, unless another one was faster. */
static void give_text_back(struct evring_file *file, size_t bytes, u64 take)
{
	mutex_lock(&file->read_lock);
	if (file->line_takes == take)
		file->line_taken -= bytes;
	mutex_unlock(&file->read_lock);
}

/* As many lines as fit, or a part of the first. No lock is held over a copy; see file.h. */
static ssize_t read_lines(struct evring_file *file, char *text, char __user *to, size_t size_bytes)
{
	size_t done = 0;

	while (done < size_bytes) {
		u64 take = 0;
		ssize_t taken = take_text(file, text, size_bytes - done, &take);

		if (taken <= 0)
			return done ?: taken;
		if (copy_to_user(to + done, text, taken)) {
			give_text_back(file, taken, take);
			return done ?: -EFAULT;
		}
		done += taken;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

static ssize_t read_once(struct evring_file *file, char __user *to, size_t size_bytes)
{
	char *text = kmalloc(line_capacity(&file->device->ring), GFP_KERNEL_ACCOUNT);
	ssize_t done;

	if (!text)
		return -ENOMEM;
	done = read_lines(file, text, to, size_bytes);
	kfree(text);
	return done;
}

/**
 * evring_read() - ->read of a device node
 * @filp: the descriptor
 * @to: user memory
 * @size_bytes: of it
 * @offset: unused
 *
 * Return: bytes of text; -EAGAIN without events under O_NONBLOCK; -ENODEV once
 *         the device is removed and all was read; -ERESTARTSYS, -EFAULT, -ENOMEM.
 */
ssize_t evring_read(struct file *filp, char __user *to, size_t size_bytes, loff_t *offset)
{
	struct evring_file *file = filp->private_data;
	bool ended = false;
	ssize_t done;
	int err;

	if (!size_bytes)
		return 0;
	for (;;) {
		done = read_once(file, to, size_bytes);
		if (done)
			return done;
		if (ended)
			return -ENODEV;
		if (!(filp->f_flags & O_NONBLOCK))
			err = wait_readable(file);
		else
			err = evring_doorbell_closed(&file->device->doorbell) ? -ENODEV : -EAGAIN;
		if (err && err != -ENODEV)
			return err;
		ended = err;
	}
}
