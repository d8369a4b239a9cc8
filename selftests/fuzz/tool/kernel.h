/* SPDX-License-Identifier: GPL-2.0 */
/* A kernel that swallows all requests, and answers what the fuzzer says. */
#ifndef POSTERN_FUZZ_KERNEL_H
#define POSTERN_FUZZ_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* What answers and events are made of from now on. */
void kernel_feed(const uint8_t *data, size_t len);

/* One octet of it; 0 when none is left. */
uint8_t kernel_octet(void);

/* Up to @max octets, as many as the next two say. Return: how many. */
size_t kernel_octets(void *buf, size_t max);

/* Is something left? */
int kernel_more(void);

#endif
