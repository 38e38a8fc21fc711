// SPDX-License-Identifier: GPL-2.0-only
/*
 * One fault for each detector of the debug kernel, as asked, to show that it reports.
 * Loaded by tests/guest/detectors alone, on a machine with one CPU.
 */
#include <linux/debug_locks.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *kinds[16];
static int kind_count;
module_param_array(kinds, charp, &kind_count, 0444);
MODULE_PARM_DESC(kinds, "the faults, of the table at the end, one after the other");

struct object {
	struct list_head node;
	struct timer_list timer;
	char byte[32];
};

static DEFINE_RAW_SPINLOCK(first_lock);
static DEFINE_RAW_SPINLOCK(second_lock);
static DEFINE_RAW_SPINLOCK(interrupt_lock);
static DEFINE_RAW_SPINLOCK(outer_lock);
static DEFINE_SPINLOCK(inner_lock);
static struct object __rcu *published;

/* Keeps the compiler from knowing what it points to. */
static void *hidden(void *pointer)
{
	OPTIMIZER_HIDE_VAR(pointer);
	return pointer;
}

static void read_freed(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	struct object *dangling = hidden(object);

	kfree(object);
	READ_ONCE(dangling->byte[0]);
}

static void read_past_slab(void)
{
	char *object = kzalloc(40, GFP_KERNEL);

	READ_ONCE(*(char *)hidden(object + 40));
	kfree(object);
}

static void read_past_vmalloc(void)
{
	char *object = vzalloc(PAGE_SIZE - 100);

	READ_ONCE(*(char *)hidden(object + PAGE_SIZE - 100));
	vfree(object);
}

/* What lockdep knows of the locks that this task holds. */
struct held {
	unsigned int depth;
	u64 chain_key;
};

/* Interrupts are off until lockdep is on again. */
static struct held before_report(void)
{
	return (struct held){ current->lockdep_depth, current->curr_chain_key };
}

/*
 * A report switches lockdep off, and what it misses it would report later. With one CPU and
 * interrupts off since @held there was nobody whose locks it missed but this task's.
 */
static void switch_lockdep_on(struct held held)
{
	current->lockdep_depth = held.depth;
	current->curr_chain_key = held.chain_key;
	debug_locks = 1;
}

static void lock_in_both_orders(void)
{
	struct held held;

	local_irq_disable();
	held = before_report();
	raw_spin_lock(&first_lock);
	raw_spin_lock(&second_lock);
	raw_spin_unlock(&second_lock);
	raw_spin_unlock(&first_lock);

	raw_spin_lock(&second_lock);
	raw_spin_lock(&first_lock);
	raw_spin_unlock(&first_lock);
	raw_spin_unlock(&second_lock);
	switch_lockdep_on(held);
	local_irq_enable();
}

static void lock_in_interrupt(struct irq_work *work)
{
	struct held held = before_report();

	raw_spin_lock(&interrupt_lock);
	raw_spin_unlock(&interrupt_lock);
	switch_lockdep_on(held);
}

static void lock_with_interrupts_on(void)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(lock_in_interrupt);

	raw_spin_lock(&interrupt_lock);
	raw_spin_unlock(&interrupt_lock);
	irq_work_queue(&work);
	irq_work_sync(&work);
}

static void nest_spin_in_raw(void)
{
	struct held held;

	local_irq_disable();
	held = before_report();
	raw_spin_lock(&outer_lock);
	spin_lock(&inner_lock);
	spin_unlock(&inner_lock);
	raw_spin_unlock(&outer_lock);
	switch_lockdep_on(held);
	local_irq_enable();
}

static void sleep_with_interrupts_off(void)
{
	local_irq_disable();
	might_sleep();
	local_irq_enable();
}

static void read_without_rcu(void)
{
	(void)rcu_dereference(published);
}

static void delete_twice(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	LIST_HEAD(list);

	list_add(&object->node, &list);
	list_del(&object->node);
	list_del(&object->node);
	kfree(object);
}

static void nothing(struct timer_list *timer)
{
}

static void free_running_timer(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	timer_setup(&object->timer, nothing, 0);
	mod_timer(&object->timer, jiffies + 100 * HZ);
	kfree(object);
}

static void rcu_nothing(struct rcu_head *rcu)
{
}

static void call_rcu_twice(void)
{
	static struct rcu_head rcu;

	preempt_disable();
	call_rcu(&rcu, rcu_nothing);
	call_rcu(&rcu, rcu_nothing);
	preempt_enable();
}

static void forget(void)
{
	kzalloc(sizeof(struct object), GFP_KERNEL);
}

static void hang(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(4 * HZ);
}

static const struct {
	const char *kind;
	void (*plant)(void);
} faults[] = {
	{ "read-freed", read_freed },
	{ "read-past-slab", read_past_slab },
	{ "read-past-vmalloc", read_past_vmalloc },
	{ "lock-in-both-orders", lock_in_both_orders },
	{ "lock-with-interrupts-on", lock_with_interrupts_on },
	{ "nest-spin-in-raw", nest_spin_in_raw },
	{ "sleep-with-interrupts-off", sleep_with_interrupts_off },
	{ "read-without-rcu", read_without_rcu },
	{ "delete-twice", delete_twice },
	{ "free-running-timer", free_running_timer },
	{ "call-rcu-twice", call_rcu_twice },
	{ "forget", forget },
	{ "hang", hang },
};

static int __init plant(const char *kind)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(kind, faults[i].kind))
			continue;
		pr_info("detect: %s\n", kind);
		faults[i].plant();
		return 0;
	}
	return -EINVAL;
}

static int __init detect_init(void)
{
	int i, err = 0;

	for (i = 0; i < kind_count && !err; i++)
		err = plant(kinds[i]);
	return err;
}

static void __exit detect_exit(void)
{
	rcu_barrier();
}

module_init(detect_init);
module_exit(detect_exit);

MODULE_DESCRIPTION("Planted faults for the detectors of the debug kernel");
MODULE_LICENSE("GPL");
