/* SPDX-License-Identifier: GPL-2.0 */
/* Lines on stderr for those who read the log of a service. */
#ifndef POSTERN_TOOL_LOG_H
#define POSTERN_TOOL_LOG_H

#include "policy.h"

#include <stdbool.h>

/* Octets that the text of an SA or of a selector can take. */
#define LOG_TEXT	256

extern bool log_verbose;

/* One event, one line. */
void log_event(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, under --verbose only. */
void log_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "esp 0xc4c90d27 192.0.2.1 -> 192.0.2.2" */
const char *log_sa(const struct sa *sa, char *buf);

/* "out 10.1.0.0/24 -> 10.2.0.0/24 proto 6 dport 80" */
const char *log_policy(uint8_t dir, const struct selector *sel, char *buf);

#endif
