/* SPDX-License-Identifier: GPL-2.0 */
/* The notification protocol of a service manager, see sd_notify(3). */
#ifndef POSTERN_TOOL_NOTIFY_H
#define POSTERN_TOOL_NOTIFY_H

/* Send assignments, one a line; nothing where there is no manager. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A reload has begun; READY=1 tells its end. */
void notify_reloading(void);

#endif
