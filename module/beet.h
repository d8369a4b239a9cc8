/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BEET mode (draft-nikander-esp-beet-mode, RFC 7402 appendix B): the addresses of the
 * inner header are those of the SA's selector and do not travel.
 */
#ifndef _POSTERN_BEET_H
#define _POSTERN_BEET_H

#include "crypt.h"

/* What the inner header may take in front of what is decrypted, whichever it will be. */
#define POSTERN_BEET_ROOM	sizeof(struct ipv6hdr)

unsigned int postern_beet_replaced(unsigned int len);
enum postern_drop_reason postern_beet_check(const struct postern_sa *sa,
					    const struct sk_buff *skb, u8 family,
					    bool dummy, unsigned int *replaced);
struct sk_buff *postern_beet_options(struct sk_buff *skb, u8 family);
enum postern_drop_reason postern_beet_strip(struct postern_job *job);

#endif
