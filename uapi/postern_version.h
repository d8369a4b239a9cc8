/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef _UAPI_POSTERN_VERSION_H
#define _UAPI_POSTERN_VERSION_H

/* The one place: module, tool and packages take it from here. */
#define POSTERN_VERSION "0.1.0"

#endif
