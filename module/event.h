/* SPDX-License-Identifier: GPL-2.0 */
/* Multicast events of the netlink family. */
#ifndef _POSTERN_EVENT_H
#define _POSTERN_EVENT_H

#include "netlink.h"
#include "notify.h"

extern const struct postern_notify postern_event_notify;

void postern_event_sa(struct postern_net *pn, struct genl_info *info, u8 cmd,
		      struct postern_sa *sa);
void postern_event_sa_flush(struct postern_net *pn, struct genl_info *info,
			    const struct postern_nl_flush *flush);
void postern_event_policy(struct postern_net *pn, struct genl_info *info,
			  u8 cmd, const struct postern_policy *policy);
void postern_event_policy_flush(struct postern_net *pn, struct genl_info *info,
				const struct postern_nl_flush *flush);

#endif
