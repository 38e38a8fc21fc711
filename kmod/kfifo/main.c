// SPDX-License-Identifier: GPL-2.0-only
/*
 * evring_kfifo.ko: the usual modern driver, as evdev and the GPIO character device
 * have it. Every descriptor open for reading has a kfifo of its own, and each event
 * is copied to each of them under one spinlock; read() takes them out. A reader
 * whose kfifo is full loses the new event, and that is counted for this reader.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/kfifo.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "../baseline_abi.h"

#define FIFO_EVENTS_MIN	2
#define FIFO_EVENTS_MAX	65536
#define INJECT_CHUNK	8	/* events on the stack of one inject */

static uint fifo_events = 4096;
module_param(fifo_events, uint, 0444);
MODULE_PARM_DESC(fifo_events, "events in the buffer of a reader, a power of two (default 4096)");

/**
 * struct kfifo_reader - one descriptor that is open for reading
 * @link: in the list of readers, under the device's lock
 * @read_mutex: one read() at a time takes from @fifo
 * @fifo: filled under the device's lock, emptied under @read_mutex
 * @start_sequence: of the first event it could get
 * @received: what read() delivered, under @read_mutex
 * @lost: events that found @fifo full, under the device's lock
 */
struct kfifo_reader {
	struct list_head link;
	struct mutex read_mutex;	/* read() from @fifo */
	DECLARE_KFIFO_PTR(fifo, struct evring_baseline_event);
	u64 start_sequence;
	u64 received;
	u64 lost;
};

/**
 * struct kfifo_device - the one device
 * @lock: protects all below but @wait
 * @readers: of struct kfifo_reader
 * @reader_count: how many
 * @next_sequence: of the next event
 * @lock_wait_ns: time spent waiting for @lock, by injectors
 * @lock_contended: how many times one had to wait
 * @wait: readers that found nothing
 */
static struct kfifo_device {
	raw_spinlock_t lock;
	struct list_head readers;
	u32 reader_count;
	u64 next_sequence;
	u64 lock_wait_ns;
	u64 lock_contended;
	wait_queue_head_t wait;
} device;

/* Under the lock: each event to each reader. */
static void publish_locked(struct evring_baseline_event *events, u32 count)
{
	struct kfifo_reader *reader;
	u32 i;

	for (i = 0; i < count; i++) {
		events[i].sequence = device.next_sequence++;
		list_for_each_entry(reader, &device.readers, link) {
			if (!kfifo_put(&reader->fifo, events[i]))
				reader->lost++;
		}
	}
}

/* One that has to wait for the lock looks at the clock and is counted. */
static void publish(struct evring_baseline_event *events, u32 count)
{
	unsigned long flags;
	u64 start_ns;

	if (!raw_spin_trylock_irqsave(&device.lock, flags)) {
		start_ns = ktime_get_ns();
		raw_spin_lock_irqsave(&device.lock, flags);
		device.lock_wait_ns += ktime_get_ns() - start_ns;
		device.lock_contended++;
	}
	publish_locked(events, count);
	raw_spin_unlock_irqrestore(&device.lock, flags);
}

static int inject_chunk(const struct evring_baseline_input __user *input, u32 count)
{
	struct evring_baseline_event events[INJECT_CHUNK];
	u64 now_ns = ktime_get_ns();
	u32 i;

	for (i = 0; i < count; i++) {
		if (copy_from_user(&events[i].input, input + i, sizeof(events[i].input)))
			return -EFAULT;
		if (events[i].input.length_bytes > sizeof(events[i].input.word))
			return -EINVAL;
		events[i].timestamp_ns = now_ns;
	}
	publish(events, count);

	/* wq_has_sleeper() has the barrier that pairs with the one of prepare_to_wait(). */
	if (wq_has_sleeper(&device.wait))
		wake_up_interruptible_poll(&device.wait, EPOLLIN | EPOLLRDNORM);
	return 0;
}

static long ioctl_inject(struct evring_baseline_transfer __user *user)
{
	const struct evring_baseline_input __user *input;
	struct evring_baseline_transfer transfer;
	u32 done = 0;
	int ret;

	if (copy_from_user(&transfer, user, sizeof(transfer)))
		return -EFAULT;
	if (transfer.device_id || !transfer.event_count ||
	    transfer.event_count > EVRING_BASELINE_BATCH_MAX)
		return -EINVAL;
	input = u64_to_user_ptr(transfer.events);
	while (done < transfer.event_count) {
		u32 count = min_t(u32, transfer.event_count - done, INJECT_CHUNK);

		ret = inject_chunk(input + done, count);
		if (ret && !done)
			return ret;
		if (ret)
			break;
		done += count;
	}
	return put_user(done, &user->done_count);
}

static long ioctl_stats(struct kfifo_reader *reader, void __user *argument)
{
	struct evring_kfifo_stats stats = {};
	unsigned long flags;

	if (reader && mutex_lock_interruptible(&reader->read_mutex))
		return -ERESTARTSYS;
	raw_spin_lock_irqsave(&device.lock, flags);
	stats.next_sequence = device.next_sequence;
	stats.lock_wait_ns = device.lock_wait_ns;
	stats.lock_contended = device.lock_contended;
	stats.reader_count = device.reader_count;
	if (reader) {
		stats.start_sequence = reader->start_sequence;
		stats.received = reader->received;
		stats.lost = reader->lost;
		stats.queued = kfifo_len(&reader->fifo);
		stats.capacity = kfifo_size(&reader->fifo);
	}
	raw_spin_unlock_irqrestore(&device.lock, flags);
	if (reader)
		mutex_unlock(&reader->read_mutex);
	return copy_to_user(argument, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long kfifo_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (command) {
	case EVRING_KFIFO_IOC_INJECT:
		return file->f_mode & FMODE_WRITE ? ioctl_inject(user) : -EBADF;
	case EVRING_KFIFO_IOC_STATS:
		return ioctl_stats(file->private_data, user);
	default:
		return -ENOTTY;
	}
}

/* Sleeps until the reader's buffer has something, unless the file is non-blocking. */
static int wait_for_events(struct file *file, struct kfifo_reader *reader)
{
	if (!kfifo_is_empty(&reader->fifo))
		return 0;
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(device.wait, !kfifo_is_empty(&reader->fifo));
}

static ssize_t kfifo_read(struct file *file, char __user *buffer, size_t bytes, loff_t *offset)
{
	const size_t event_bytes = sizeof(struct evring_baseline_event);
	struct kfifo_reader *reader = file->private_data;
	unsigned int copied = 0;
	int ret;

	if (bytes < event_bytes)
		return -EINVAL;
	bytes = rounddown(min_t(size_t, bytes, MAX_RW_COUNT), event_bytes);
	do {
		ret = wait_for_events(file, reader);
		if (ret)
			return ret;
		if (mutex_lock_interruptible(&reader->read_mutex))
			return -ERESTARTSYS;
		ret = kfifo_to_user(&reader->fifo, buffer, bytes, &copied);
		reader->received += copied / event_bytes;
		mutex_unlock(&reader->read_mutex);
		if (ret && !copied)
			return ret;
	} while (!copied);	/* another thread may have been faster */
	return copied;
}

static __poll_t kfifo_poll(struct file *file, poll_table *wait)
{
	struct kfifo_reader *reader = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &device.wait, wait);
	if (reader && !kfifo_is_empty(&reader->fifo))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (file->f_mode & FMODE_WRITE)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static int reader_add(struct kfifo_reader *reader)
{
	unsigned long flags;
	int ret = -EBUSY;

	raw_spin_lock_irqsave(&device.lock, flags);
	if (device.reader_count < EVRING_KFIFO_READER_COUNT_MAX) {
		reader->start_sequence = device.next_sequence;
		list_add_tail(&reader->link, &device.readers);
		device.reader_count++;
		ret = 0;
	}
	raw_spin_unlock_irqrestore(&device.lock, flags);
	return ret;
}

static int kfifo_open(struct inode *inode, struct file *file)
{
	struct kfifo_reader *reader;
	int ret;

	file->private_data = NULL;
	if (!(file->f_mode & FMODE_READ))
		return nonseekable_open(inode, file);

	reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);
	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->read_mutex);
	ret = kfifo_alloc(&reader->fifo, fifo_events, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto free_reader;
	ret = reader_add(reader);
	if (ret)
		goto free_fifo;
	file->private_data = reader;
	return nonseekable_open(inode, file);

free_fifo:
	kfifo_free(&reader->fifo);
free_reader:
	kfree(reader);
	return ret;
}

static int kfifo_release(struct inode *inode, struct file *file)
{
	struct kfifo_reader *reader = file->private_data;
	unsigned long flags;

	if (!reader)
		return 0;
	raw_spin_lock_irqsave(&device.lock, flags);
	list_del(&reader->link);
	device.reader_count--;
	raw_spin_unlock_irqrestore(&device.lock, flags);
	kfifo_free(&reader->fifo);
	kfree(reader);
	return 0;
}

static const struct file_operations kfifo_fops = {
	.owner = THIS_MODULE,
	.open = kfifo_open,
	.release = kfifo_release,
	.read = kfifo_read,
	.poll = kfifo_poll,
	.unlocked_ioctl = kfifo_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice kfifo_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "evring_kfifo",
	.fops = &kfifo_fops,
};

static int __init kfifo_module_init(void)
{
	if (!is_power_of_2(fifo_events) || fifo_events < FIFO_EVENTS_MIN ||
	    fifo_events > FIFO_EVENTS_MAX) {
		pr_err("fifo_events=%u: expected a power of two, %d to %d\n", fifo_events,
		       FIFO_EVENTS_MIN, FIFO_EVENTS_MAX);
		return -EINVAL;
	}
	raw_spin_lock_init(&device.lock);
	INIT_LIST_HEAD(&device.readers);
	init_waitqueue_head(&device.wait);
	return misc_register(&kfifo_misc);
}
module_init(kfifo_module_init);

static void __exit kfifo_module_exit(void)
{
	misc_deregister(&kfifo_misc);
}
module_exit(kfifo_module_exit);

MODULE_DESCRIPTION("Baseline for evring: spinlock, kfifo, wait queue and read()");
MODULE_AUTHOR("The evring authors");
MODULE_LICENSE("GPL");
