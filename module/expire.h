/* SPDX-License-Identifier: GPL-2.0 */
/* Lifetimes of SAs (RFC 4301 section 4.4.2.1): bytes, packets, seconds. */
#ifndef _POSTERN_EXPIRE_H
#define _POSTERN_EXPIRE_H

#include "sa.h"

#define POSTERN_LARVAL_SEC	30

bool postern_sa_spend(struct postern_sa *sa, unsigned int bytes);
void postern_sa_heard(struct postern_sa *sa);
void postern_sa_exhausted(struct postern_sa *sa);
void postern_sa_set_life(struct postern_sa *sa,
			 const struct postern_lifetime *life);
void postern_sa_schedule(struct postern_sa *sa, unsigned long delay);
void postern_sa_unschedule(struct postern_sa *sa);
void postern_sa_timer(struct work_struct *work);

#endif
