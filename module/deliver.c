// SPDX-License-Identifier: GPL-2.0
/*
 * What came through an SA goes to the stack through GRO, on the CPU that opened it, at
 * the device by which it came.
 *
 * It is gro_cells but for one thing.  A device waits for no packet of another one's NAPI
 * that is at it, so it may be gone before that is polled, where others keep ksoftirqd
 * busy.  Here such packets go before their device does.
 */
#include <linux/cpu.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "path.h"

/**
 * struct cell - of a CPU
 * @queue: packets for GRO; bottom halves of that CPU alone use it, or, when it is off,
 *         of the one that has taken over what it had scheduled
 * @napi: takes them from there
 * @more: GRO may hold some between two polls
 * @sweep: throws out those that are at @gone
 * @gone: device
 */
struct cell {
	struct sk_buff_head queue;
	struct napi_struct napi;
	bool more;
	struct work_struct sweep;
	const struct net_device *gone;
};

static struct cell __percpu *cells;
static struct net_device *cells_dev;
static int cpu_state;

/* Bottom halves of real-time kernels preempt each other. */
static void enqueue(struct cell *cell, struct sk_buff *skb)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		skb_queue_tail(&cell->queue, skb);
	else
		__skb_queue_tail(&cell->queue, skb);
}

static struct sk_buff *dequeue(struct cell *cell)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) ? skb_dequeue(&cell->queue) :
					       __skb_dequeue(&cell->queue);
}

/**
 * postern_deliver - to the stack, soon
 * @skb: packet, its device set; consumed
 *
 * Return: false when too many wait already (sysctl netdev_max_backlog), or the device is
 * down. Context: softirq, or bottom halves off; RCU read side.
 */
bool postern_deliver(struct sk_buff *skb)
{
	struct cell *cell = this_cpu_ptr(cells);

	if (unlikely(!(skb->dev->flags & IFF_UP)))
		goto drop;
	if (unlikely(netif_elide_gro(skb->dev)))
		return netif_rx(skb) == NET_RX_SUCCESS;
	if (unlikely(skb_queue_len(&cell->queue) > postern_max_backlog()))
		goto drop;
	enqueue(cell, skb);
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || skb_queue_len(&cell->queue) == 1)
		napi_schedule(&cell->napi);
	return true;

drop:
	kfree_skb(skb);
	return false;
}

static int cell_poll(struct napi_struct *napi, int budget)
{
	struct cell *cell = container_of(napi, struct cell, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = dequeue(cell))) {
		napi_gro_receive(napi, skb);
		done++;
	}
	cell->more = done == budget;
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/*
 * Is there nothing to throw out?  As a rule: the device has been down for a while, and
 * any user may make and remove some, while those of others have packets here.
 */
static bool is_swept(struct cell *cell)
{
	struct sk_buff *skb;
	bool swept;

	/* where a poll may be under way */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || cell != this_cpu_ptr(cells))
		return false;
	swept = !cell->more;
	skb_queue_walk(&cell->queue, skb)
		swept &= skb->dev != cell->gone;
	return swept;
}

/*
 * On the CPU of the cell, unless that is off.  What GRO holds leaves it when NAPI is
 * disabled.
 */
static void cell_sweep(struct work_struct *work)
{
	struct cell *cell = container_of(work, struct cell, sweep);
	struct sk_buff_head kept;
	struct sk_buff *skb;
	bool swept;

	local_bh_disable();
	swept = is_swept(cell);
	local_bh_enable();
	if (likely(swept))
		return;
	__skb_queue_head_init(&kept);
	napi_disable(&cell->napi);
	local_bh_disable();
	while ((skb = dequeue(cell))) {
		if (skb->dev == cell->gone)
			kfree_skb(skb);
		else
			__skb_queue_tail(&kept, skb);
	}
	while ((skb = __skb_dequeue(&kept)))
		enqueue(cell, skb);
	local_bh_enable();
	napi_enable(&cell->napi);
	local_bh_disable();
	if (!skb_queue_empty(&cell->queue))
		napi_schedule(&cell->napi);
	local_bh_enable();
}

/* Nobody finds the device any more: none but these are at it. Context: RTNL held. */
static int device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct cell *cell;
	int cpu;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	cpus_read_lock();
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		cell->gone = NULL;
		/* that of a CPU that is off was given to another one */
		if (!test_bit(NAPI_STATE_SCHED, &cell->napi.state))
			continue;
		cell->gone = netdev_notifier_info_to_dev(ptr);
		queue_work_on(cpu_online(cpu) ? cpu : raw_smp_processor_id(),
			      system_highpri_wq, &cell->sweep);
	}
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		if (cell->gone)
			flush_work(&cell->sweep);
	}
	cpus_read_unlock();
	return NOTIFY_DONE;
}

/* Before it does: its queue must be its own again. */
static int cpu_comes(unsigned int cpu)
{
	napi_synchronize(&per_cpu_ptr(cells, cpu)->napi);
	return 0;
}

static struct notifier_block notifier = { .notifier_call = device_event };

static void cells_free(void)
{
	struct cell *cell;
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		napi_disable(&cell->napi);
		__netif_napi_del(&cell->napi);
		skb_queue_purge(&cell->queue);
	}
	synchronize_net();	/* netpoll walks the list of NAPIs */
	free_percpu(cells);
}

int __init postern_deliver_init(void)
{
	struct cell *cell;
	int cpu, err;

	cells_dev = alloc_netdev_dummy(0);
	if (!cells_dev)
		return -ENOMEM;
	err = -ENOMEM;
	cells = alloc_percpu(struct cell);
	if (!cells)
		goto err_dev;
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		skb_queue_head_init(&cell->queue);
		INIT_WORK(&cell->sweep, cell_sweep);
		/* another CPU must not poll it */
		set_bit(NAPI_STATE_NO_BUSY_POLL, &cell->napi.state);
		postern_napi_add(cells_dev, &cell->napi, cell_poll);
		napi_enable(&cell->napi);
	}
	cpu_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
					      "net/postern:prepare", cpu_comes, NULL);
	err = cpu_state;
	if (err < 0)
		goto err_cells;
	err = register_netdevice_notifier(&notifier);
	if (err)
		goto err_state;
	return 0;

err_state:
	cpuhp_remove_state_nocalls(cpu_state);
err_cells:
	cells_free();
err_dev:
	postern_free_netdev_dummy(cells_dev);
	return err;
}

/* No packet is in flight but those that wait here. */
void postern_deliver_exit(void)
{
	unregister_netdevice_notifier(&notifier);
	cpuhp_remove_state_nocalls(cpu_state);
	cells_free();
	postern_free_netdev_dummy(cells_dev);
}
