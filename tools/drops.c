// SPDX-License-Identifier: GPL-2.0
#include "drops.h"

#include <string.h>

static const struct {
	const char *name;
	const char *text;
} reasons[POSTERN_DROP_COUNT] = {
#define REASON(sym, name_, text_) \
	[POSTERN_DROP_##sym] = { (name_), (text_) },
	POSTERN_DROP_REASONS(REASON)
#undef REASON
};

static bool is_known(const struct drop *drop)
{
	return drop->reason && drop->reason < POSTERN_DROP_COUNT;
}

const char *drop_name(const struct drop *drop)
{
	if (drop->name[0])
		return drop->name;
	return is_known(drop) ? reasons[drop->reason].name : "unknown";
}

const char *drop_text(const struct drop *drop)
{
	if (drop->text[0])
		return drop->text;
	return is_known(drop) ? reasons[drop->reason].text :
				"a reason that this tool is too old to know";
}

static bool has_reason(const struct drops *drops, uint32_t reason)
{
	uint32_t i;

	for (i = 0; i < drops->count; i++)
		if (drops->drop[i].reason == reason)
			return true;
	return false;
}

void drops_complete(struct drops *drops)
{
	struct drop *drop;
	uint32_t i;

	for (i = 1; i < POSTERN_DROP_COUNT && drops->count < DROPS_MAX; i++) {
		if (has_reason(drops, i))
			continue;
		drop = &drops->drop[drops->count++];
		memset(drop, 0, sizeof(*drop));
		drop->reason = i;
	}
}
