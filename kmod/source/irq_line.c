// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soft devices with EVRING_DEVICE_IRQ_LINE: injected batches go through an
 * interrupt line of their own, seen in /proc/interrupts. The injector hands its
 * batch to the handler, an interrupt for each part, and waits for it, one injector
 * at a time: the line is the only producer, so nothing needs the lock in front, and
 * what was offered is published or dropped when the ioctl returns.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "source.h"

/**
 * struct evring_irq_line - a line and the batch that is on its way through it
 * @device: the device
 * @name: the same as the device's
 * @lock: one injector at a time, and none after the end
 * @irq: number of the line; 0 when there is none (any more)
 * @work: raises the line, in hard interrupt
 * @request: of the batch; only while an injector waits
 * @events: of the batch
 * @result: of evring_soft_part()
 */
struct evring_irq_line {
	struct evring_device *device;
	char name[EVRING_NAME_BYTES];
	struct mutex lock;	/* injectors and the end */
	int irq;
	struct irq_work work;
	struct evring_inject *request;
	const void *events;
	int result;
};

static struct irq_chip line_chip = {
	.name = "evring",
};

static irqreturn_t line_handler(int irq, void *argument)
{
	struct evring_irq_line *line = argument;

	if (!line->request)
		return IRQ_NONE;
	line->result = evring_soft_part(line->device, line->request, line->events);
	line->request = NULL;
	return IRQ_HANDLED;
}

/* Hard interrupt, on PREEMPT_RT as well. */
static void line_raise(struct irq_work *work)
{
	struct evring_irq_line *line = container_of(work, struct evring_irq_line, work);

	generic_handle_irq(line->irq);
}

/* One interrupt, and what it said. */
static int line_part(struct evring_irq_line *line, struct evring_inject *request,
		     const void *events)
{
	line->events = events;
	line->request = request;
	line->result = -EIO;
	irq_work_queue(&line->work);
	irq_work_sync(&line->work);
	line->request = NULL;
	return line->result;
}

static int line_inject(struct evring_device *device, struct evring_inject *request,
		       const void *events)
{
	struct evring_irq_line *line = evring_data(device);
	int more = -ENODEV;

	request->published_count = 0;
	request->lock_wait_ns = 0;
	if (mutex_lock_interruptible(&line->lock))
		return -ERESTARTSYS;
	if (line->irq)
		do {
			more = line_part(line, request, events);
		} while (more > 0);
	mutex_unlock(&line->lock);
	return request->published_count ? 0 : more;
}

static void line_stop(struct evring_device *device)
{
	struct evring_irq_line *line = evring_data(device);

	mutex_lock(&line->lock);
	free_irq(line->irq, line);
	irq_free_descs(line->irq, 1);
	line->irq = 0;
	mutex_unlock(&line->lock);
}

static int line_start(struct evring_device *device)
{
	struct evring_irq_line *line = evring_data(device);
	int err, irq = irq_alloc_descs(-1, 1, 1, NUMA_NO_NODE);

	if (irq < 0)
		return irq;
	irq_set_chip_and_handler_name(irq, &line_chip, handle_simple_irq, "soft");
	irq_modify_status(irq, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);
	line->device = device;
	err = request_irq(irq, line_handler, IRQF_NO_THREAD, line->name, line);
	if (err) {
		irq_free_descs(irq, 1);
		return err;
	}
	line->irq = irq;
	return 0;
}

static void line_release(void *data)
{
	kfree(data);
}

static const struct evring_driver_ops line_ops = {
	.start = line_start,
	.stop = line_stop,
	.inject = line_inject,
	.release = line_release,
};

/**
 * evring_irq_line_add() - make a soft device with a line of its own
 * @config: checked by evring_soft_add()
 *
 * Context: Process context.
 * Return: as evring_register().
 */
struct evring_device *evring_irq_line_add(const struct evring_device_config *config)
{
	struct evring_driver_config driver = evring_source_config(config);
	struct evring_irq_line *line = kzalloc(sizeof(*line), GFP_KERNEL_ACCOUNT);

	if (!line)
		return ERR_PTR(-ENOMEM);
	mutex_init(&line->lock);
	line->work = IRQ_WORK_INIT_HARD(line_raise);
	strscpy(line->name, config->name, sizeof(line->name));
	driver.flags |= EVRING_DRIVER_SINGLE_CONTEXT;
	driver.ops = &line_ops;
	driver.data = line;
	return evring_register(&driver);
}
