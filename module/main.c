// SPDX-License-Identifier: GPL-2.0
/*
 * Postern: IPsec (RFC 4301) with its own SPD and SAD, on netfilter hooks.
 *
 * The way of a packet out: hooks.c, output.c, spd.c, sad.c, esp.c or ah.c, outer.c,
 * output.c.  In: hooks.c, input.c, sad.c, replay.c, esp.c or ah.c, spd.c, input.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/ratelimit.h>
#include "compat.h"
#include "crypt.h"
#include "encap.h"
#include "event.h"
#include "guard.h"
#include "hooks.h"
#include "marker.h"
#include "netlink.h"
#include "notify.h"
#include "path.h"
#include "postern_version.h"

#define USER_WALKS		4	/* at a time */
#define UNKNOWN_A_SECOND	10	/* events; anybody can send such packets */

unsigned int postern_net_id __read_mostly;
const struct postern_notify *postern_notify = &postern_event_notify;

/*
 * What an unprivileged user keeps busy is not what the host waits for.  Walks over all
 * connections wait for one lock of the kernel's: users have few of them at a time.
 */
static struct workqueue_struct *wq_of_host, *wq_of_users, *walks_of_users;

static int __net_init postern_net_init(struct net *net)
{
	struct postern_net *pn = postern_net(net);
	int err;

	pn->net = net;
	get_random_bytes(&pn->secret, sizeof(pn->secret));
	mutex_init(&pn->lock);
	mutex_init(&pn->timers);
	postern_encap_listen(pn, htons(POSTERN_ENCAP_PORT));
	ratelimit_state_init(&pn->unknown, HZ, UNKNOWN_A_SECOND);
	/* what was not told is no news for the kernel log */
	ratelimit_set_flags(&pn->unknown, RATELIMIT_MSG_ON_RELEASE);
	xa_init_flags(&pn->guards, XA_FLAGS_ACCOUNT);
	INIT_WORK(&pn->recheck, postern_flowtable_work);
	pn->wq = net->user_ns == &init_user_ns ? wq_of_host : wq_of_users;
	pn->walks = net->user_ns == &init_user_ns ? wq_of_host : walks_of_users;
	pn->seqnos = postern_seqnos_get(net);
	if (!pn->seqnos)
		return -ENOMEM;
	err = -ENOMEM;
	pn->stats = alloc_percpu(struct postern_stats);
	if (!pn->stats)
		goto err_seqnos;
	err = postern_sad_init(&pn->sad, pn, postern_hold_timer,
			       postern_output_keepalive);
	if (err)
		goto err_stats;
	err = postern_spd_init(&pn->spd);
	if (err)
		goto err_sad;
	return 0;

err_sad:
	postern_sad_exit(&pn->sad);
err_stats:
	free_percpu(pn->stats);
err_seqnos:
	postern_seqnos_put(pn->seqnos);
	return err;
}

static void __net_exit remove_sas(struct postern_net *pn)
{
	struct postern_sa *sa;

	while ((sa = postern_sad_next(&pn->sad, 0))) {
		postern_sad_remove(&pn->sad, sa);
		cond_resched();
	}
}

/*
 * The module goes while the namespace lives: no packet meets us once the grace
 * period between this and postern_net_exit() is over.  In a namespace that dies the
 * hooks stay until its devices are gone, which is before postern_net_exit(), so that
 * it never forwards in clear.  That may not be waited for where there is no policy:
 * the module can go while devices of a dying namespace still live.
 *
 * SAs of a namespace that dies go now, and what waits for some: in Linux 5.10 a device, and
 * with it the end of every namespace, waits for the routes of IPv6 that these have.
 */
static void __net_exit postern_net_pre_exit(struct net *net)
{
	struct postern_net *pn = postern_net(net);
	bool dies = !check_net(net);

	mutex_lock(&pn->lock);
	if (!dies || postern_spd_empty(&pn->spd))
		postern_hooks_disable(pn);
	if (dies)
		remove_sas(pn);
	mutex_unlock(&pn->lock);
	if (dies)
		postern_hold_flush(pn);
}

static void __net_exit net_empty(struct postern_net *pn)
{
	struct postern_policy *policy;

	mutex_lock(&pn->lock);
	postern_hooks_disable(pn);
	remove_sas(pn);
	while ((policy = postern_spd_next(&pn->spd, 0))) {
		postern_spd_remove(pn, policy);
		cond_resched();
	}
	mutex_unlock(&pn->lock);
}

static void __net_exit net_wait(struct postern_net *pn)
{
	/* a packet that was let go may have come back to wait once more */
	do
		postern_hold_flush(pn);
	while (!wait_var_event_timeout(&pn->sad.alive,
				       !atomic_read(&pn->sad.alive), HZ));
	wait_var_event(&pn->spd.alive, !atomic_read(&pn->spd.alive));
	cancel_work_sync(&pn->recheck);
}

static void __net_exit net_free(struct postern_net *pn)
{
	postern_markers_free(pn);
	postern_spd_exit(&pn->spd);
	postern_sad_exit(&pn->sad);
	free_percpu(pn->stats);
	postern_seqnos_put(pn->seqnos);
}

/* Many namespaces that go together share their grace periods. */
static void __net_exit postern_net_exit(struct list_head *nets)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		net_empty(postern_net(net));
	list_for_each_entry(net, nets, exit_list)
		net_wait(postern_net(net));
	list_for_each_entry(net, nets, exit_list)
		net_free(postern_net(net));
}

static struct pernet_operations postern_net_ops = {
	.init = postern_net_init,
	.pre_exit = postern_net_pre_exit,
	.exit_batch = postern_net_exit,
	.id = &postern_net_id,
	.size = sizeof(struct postern_net),
};

static int __init selftests(void)
{
#ifdef DEBUG
	if (postern_replay_selftest() || postern_classifier_selftest())
		return -EINVAL;
	pr_info("selftests passed\n");
#endif
	return 0;
}

static int __init postern_init(void)
{
	int err;

	err = selftests();
	if (err)
		return err;
	postern_algo_init();
	wq_of_host = alloc_workqueue("postern", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!wq_of_host)
		return -ENOMEM;
	err = -ENOMEM;
	wq_of_users = alloc_workqueue("postern_users", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!wq_of_users)
		goto err_host;
	walks_of_users = alloc_workqueue("postern_walks", WQ_UNBOUND | WQ_MEM_RECLAIM,
					 USER_WALKS);
	if (!walks_of_users)
		goto err_users;
	err = postern_crypt_init();
	if (err)
		goto err_walks;
	postern_input_init();
	err = postern_deliver_init();
	if (err)
		goto err_crypt;
	err = register_pernet_subsys(&postern_net_ops);
	if (err)
		goto err_deliver;
	err = postern_guard_init();
	if (err)
		goto err_net;
	err = postern_netlink_init();
	if (err)
		goto err_guard;
	return 0;

err_guard:
	postern_guard_exit();
err_net:
	unregister_pernet_subsys(&postern_net_ops);
err_deliver:
	postern_deliver_exit();
err_crypt:
	postern_crypt_exit();
err_walks:
	destroy_workqueue(walks_of_users);
err_users:
	destroy_workqueue(wq_of_users);
err_host:
	destroy_workqueue(wq_of_host);
	return err;
}

static void __exit postern_exit(void)
{
	postern_netlink_exit();
	postern_guard_exit();
	unregister_pernet_subsys(&postern_net_ops);
	rcu_barrier();
	postern_deliver_exit();
	postern_crypt_exit();
	destroy_workqueue(walks_of_users);
	destroy_workqueue(wq_of_users);
	destroy_workqueue(wq_of_host);
	postern_seqno_exit();
}

module_init(postern_init);
module_exit(postern_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("IPsec with its own SPD and SAD");
MODULE_VERSION(POSTERN_VERSION);
