// SPDX-License-Identifier: GPL-2.0-only
/*
 * evring_edu: the worked example of the driver interface, for QEMU's edu device
 * (1234:11e8). Each interrupt becomes an event EVRING_EVENT_EDU, filled in place:
 * the status word and how many interrupts there were. Bursts coalesce in the
 * device, so the status tells what happened, not the number of interrupts.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../driver.h"

#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_RAISE	0x60	/* sets bits of the status */
#define EDU_IRQ_ACK	0x64	/* clears them */
#define EDU_LAST	0x80000000	/* of a status: the last of a burst */

static unsigned int slot_count = 4096;
module_param(slot_count, uint, 0444);
MODULE_PARM_DESC(slot_count, "Slots of each ring, a power of two");

static bool gated;
module_param(gated, bool, 0444);
MODULE_PARM_DESC(gated, "Drop events instead of passing registered cursors");

static unsigned int events_per_interrupt = 1;
module_param(events_per_interrupt, uint, 0444);
MODULE_PARM_DESC(events_per_interrupt,
		 "Events for each interrupt, as of a device with a queue; at most half a ring");

/**
 * struct edu - one device
 * @registers: BAR 0
 * @ring: where its interrupts go
 * @irq: its one vector
 * @interrupt_count: only the handler changes it
 * @publish_ns: time spent publishing; the same
 */
struct edu {
	void __iomem *registers;
	struct evring_device *ring;
	int irq;
	u64 interrupt_count;
	u64 publish_ns;
};

static atomic_t edu_count;

/* By value: a word written to a slot may alias the original. */
static void edu_fill(const struct evring_reservation reservation, u64 status, u64 interrupt_count)
{
	u32 i;

	for (i = 0; i < reservation.event_count; i++) {
		evring_reserved_type(&reservation, i, EVRING_EVENT_EDU, 2 * sizeof(u64));
		evring_reserved_word(&reservation, i, 0, status);
		evring_reserved_word(&reservation, i, 1, interrupt_count);
	}
}

static void edu_publish(struct edu *edu, u32 status)
{
	struct evring_reservation part = { .left_count = events_per_interrupt };
	ktime_t start = ktime_get();

	/* One reservation takes no more than a section; see evring_reserve(). */
	while (evring_reserve(edu->ring, part.left_count, &part)) {
		edu_fill(part, status, edu->interrupt_count);
		evring_commit(edu->ring, &part);
	}
	WRITE_ONCE(edu->publish_ns,
		   edu->publish_ns + ktime_to_ns(ktime_sub(ktime_get(), start)));
}

/* Hard interrupt, on PREEMPT_RT as well (IRQF_NO_THREAD). One line: one producer. */
static irqreturn_t edu_interrupt(int irq, void *argument)
{
	struct edu *edu = argument;
	u32 status = ioread32(edu->registers + EDU_IRQ_STATUS);

	if (!status)
		return IRQ_NONE;
	iowrite32(status, edu->registers + EDU_IRQ_ACK);
	edu->interrupt_count++;
	edu_publish(edu, status);
	if (status & EDU_LAST)
		evring_flush_doorbell(edu->ring);
	return IRQ_HANDLED;
}

/* Writing a number makes the device raise an interrupt with that status. */
static ssize_t raise_store(struct device *dev, struct device_attribute *attribute,
			   const char *text, size_t size_bytes)
{
	struct edu *edu = dev_get_drvdata(dev);
	u32 status;
	int err = kstrtou32(text, 0, &status);

	if (err)
		return err;
	if (!status)
		return -EINVAL;
	iowrite32(status, edu->registers + EDU_IRQ_RAISE);
	return size_bytes;
}
static DEVICE_ATTR_WO(raise);

static ssize_t publish_ns_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	const struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(text, "%llu\n", READ_ONCE(edu->publish_ns));
}
static DEVICE_ATTR_RO(publish_ns);

static struct attribute *edu_attrs[] = {
	&dev_attr_raise.attr,
	&dev_attr_publish_ns.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu);

static int edu_register(struct pci_dev *pdev, struct edu *edu)
{
	char name[EVRING_NAME_BYTES];
	struct evring_driver_config config = {
		.name = name,
		.parent = &pdev->dev,
		.flags = EVRING_DRIVER_SINGLE_CONTEXT,
		.mode = gated ? EVRING_MODE_GATED : EVRING_MODE_OVERWRITE,
		.slot_count = slot_count,
		.slot_bytes = EVRING_SLOT_BYTES_DEFAULT,
		.slot_format = EVRING_SLOT_FULL,
	};

	snprintf(name, sizeof(name), "edu%d", atomic_inc_return(&edu_count) - 1);
	edu->ring = evring_register(&config);
	return PTR_ERR_OR_ZERO(edu->ring);
}

static void edu_unregister(struct edu *edu)
{
	evring_unregister(edu->ring);
	evring_put(edu->ring);
}

static int edu_start_interrupts(struct pci_dev *pdev, struct edu *edu)
{
	int err;

	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0)
		return err;
	edu->irq = pci_irq_vector(pdev, 0);
	/* What was raised before anybody listened. */
	iowrite32(~0U, edu->registers + EDU_IRQ_ACK);
	err = request_irq(edu->irq, edu_interrupt, IRQF_SHARED | IRQF_NO_THREAD, "evring_edu", edu);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	int err;

	if (!edu)
		return -ENOMEM;
	if (!events_per_interrupt || events_per_interrupt > slot_count / 2)
		return -EINVAL;
	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = pcim_iomap_regions(pdev, BIT(0), "evring_edu");
	if (err)
		return err;
	edu->registers = pcim_iomap_table(pdev)[0];
	pci_set_drvdata(pdev, edu);

	err = edu_register(pdev, edu);
	if (err)
		return err;
	err = edu_start_interrupts(pdev, edu);
	if (err)
		edu_unregister(edu);
	return err;
}

/* Handler first: after free_irq() nothing publishes. */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	free_irq(edu->irq, edu);
	pci_free_irq_vectors(pdev);
	edu_unregister(edu);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "evring_edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.dev_groups = edu_groups,
};
module_pci_driver(edu_driver);
MODULE_AUTHOR("The evring authors");
MODULE_DESCRIPTION("QEMU's edu device as an event ring");
MODULE_LICENSE("GPL");
