/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_VALIDATE_H
#define VZ_RES_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "res/cfg.h"
#include "sys/machine.h"

/*
 * Whether the beancounters of a configuration agree with each other: the rules
 * of the contract's section "Beancounters". Pure.
 */
enum vz_breach_level {
	VZ_BREACH_ERROR,
	VZ_BREACH_WARNING,
	VZ_BREACH_ADVICE, /* no rule: it would be better so */
};

struct vz_breach {
	enum vz_param_id id;
	enum vz_breach_level level;
	bool missing; /* it has no value: nothing can be proposed */
	struct vz_limit now, fix; /* the value in force, and the nearest good one */
	char text[160]; /* what it should be */
};

struct vz_validator {
	const struct vz_cfg *cfg;
	const struct vz_machine *machine; /* NULL: limits are not compared with it */
	bool vswap; /* judge it as a configuration with RAM and swap */
	/* of vz_validate_next() */
	size_t next;
	bool missing;
};

/* What a configuration is by itself: physpages has a limit. */
bool vz_validate_vswap(const struct vz_cfg *cfg);

/*
 * The next rule that cfg breaks; false: no more. The rules are in such an order
 * that a repair made before the next call breaks none of those before it. What
 * is missing is told first, and then nothing else: the rules need it.
 */
bool vz_validate_next(struct vz_validator *v, struct vz_breach *ret);

/* Put the proposal into cfg. */
int vz_breach_repair(const struct vz_breach *b, struct vz_cfg *cfg, struct vz_err *err);

/* `240:250`, `unlimited` in words. */
void vz_breach_value(const struct vz_limit *v, char buf[static 48]);

#endif
