// SPDX-License-Identifier: GPL-2.0
/*
 * Which places of Postern were reached: the compiler makes each of them call this module
 * (-fsanitize-coverage=trace-pc).  KCOV cannot be used where the kernel is built without
 * it, and sees one task only, while packets are worked on wherever the stack pleases.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/percpu.h>

#define BITS	20

static DECLARE_BITMAP(seen_place, 1 << BITS);
static DECLARE_BITMAP(seen_edge, 1 << BITS);
static DEFINE_PER_CPU(u32, last);

static unsigned int places;
module_param(places, uint, 0444);
MODULE_PARM_DESC(places, "places that were reached");

static unsigned int edges;
module_param(edges, uint, 0444);
MODULE_PARM_DESC(edges, "pairs of places, one reached behind the other");

/* The module is smaller than a megabyte: no two of its places have one number. */
void __sanitizer_cov_trace_pc(void);
noinline notrace void __sanitizer_cov_trace_pc(void)
{
	u32 place = _RET_IP_ & ((1 << BITS) - 1), edge;

	edge = hash_32(place ^ raw_cpu_read(last) << 1, BITS);
	raw_cpu_write(last, place);
	if (!test_bit(place, seen_place) && !test_and_set_bit(place, seen_place))
		places++;
	if (!test_bit(edge, seen_edge) && !test_and_set_bit(edge, seen_edge))
		edges++;
}
EXPORT_SYMBOL(__sanitizer_cov_trace_pc);

static struct debugfs_blob_wrapper blob = { .data = seen_place, .size = sizeof(seen_place) };
static struct dentry *file;

static int __init cover_init(void)
{
	file = debugfs_create_blob("postern-places", 0400, NULL, &blob);
	return 0;
}

static void __exit cover_exit(void)
{
	debugfs_remove(file);
}

module_init(cover_init);
module_exit(cover_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("coverage of Postern");
