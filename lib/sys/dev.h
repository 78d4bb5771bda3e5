/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_DEV_H
#define VZ_SYS_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/*
 * What devices a VE may use: everything is denied but what the rules say.
 * Written to the devices controller on v1, attached as a BPF program on v2.
 */
enum {
	VZ_DEV_READ = 1,
	VZ_DEV_WRITE = 2,
	VZ_DEV_MKNOD = 4,
	VZ_DEV_QUOTA = 8, /* OpenVZ's q: remembered; no device access by itself */
};
#define VZ_DEV_ANY UINT32_MAX

struct vz_dev_rule {
	char type; /* 'b' or 'c' */
	uint32_t major, minor; /* VZ_DEV_ANY: each */
	unsigned int access; /* of READ, WRITE, MKNOD, QUOTA */
};

/* A node in the VE's /dev: the host's one, bound there. */
struct vz_dev_node {
	char name[64]; /* below /dev, may have a directory: "net/tun" */
	char type;
	uint32_t major, minor;
	/*
	 * The host's node is for the host's root only (a disk, say): a user
	 * namespace VE needs one of its own, made by vz_dev_make_node().
	 */
	bool own;
	unsigned int mode; /* of an own one: 0660, or 0666 when a feature gives it */
};

struct vz_dev_set {
	struct vz_dev_rule *rule;
	size_t n_rules;
	struct vz_dev_node *node;
	size_t n_nodes;
};

/*
 * The rules and nodes of a VE: the ones that every VE has, those of its
 * features (see sys/feature.h), then DEVNODES (NAME:[r][w][q]|none) and
 * DEVICES (b|c:MAJOR:MINOR|all:[r][w][q]|none); lists may be NULL. devdir is
 * the host's "/dev". A device that the host lacks is VZ_E_DEVICE, a bad entry
 * VZ_E_VALUE. To be freed by vz_dev_set_done().
 */
int vz_dev_set_build(const char *devdir, uint32_t features,
		     const struct vz_strv *devnodes, const struct vz_strv *devices,
		     struct vz_dev_set *ret, struct vz_err *err);
void vz_dev_set_done(struct vz_dev_set *set);
#define vz_autodevset VZ_CLEANUP(vz_dev_set_done)

/* The form of one entry, nothing of the host being asked. VZ_E_VALUE. */
int vz_dev_check_devnode(const char *entry, struct vz_err *err);
int vz_dev_check_device(const char *entry, struct vz_err *err);

/*
 * Make the nodes that are `own` in DEVDIR/vz/VEID/, for the VE's root (uid and
 * gid: the host ids of its 0); the launch binds them from there. remove takes
 * the directory away, absent being no error.
 */
int vz_dev_make_nodes(const char *devdir, uint32_t veid, const struct vz_dev_set *set,
		      uid_t uid, gid_t gid, struct vz_err *err);
int vz_dev_remove_nodes(const char *devdir, uint32_t veid);
/* The host's path of a node: DEVDIR/NAME, or DEVDIR/vz/VEID/NAME for an own one. */
int vz_dev_node_path(const char *devdir, uint32_t veid, const struct vz_dev_node *node,
		     char *buf, size_t size);

/* Text for devices.allow ("c 1:3 rwm"), after "a" was written to devices.deny. */
#define VZ_DEV_RULE_TEXT 40
void vz_dev_rule_text(const struct vz_dev_rule *rule, char buf[VZ_DEV_RULE_TEXT]);

/*
 * A BPF_PROG_TYPE_CGROUP_DEVICE program of the rules, as bpf(2) takes it; to
 * be freed by the caller. NULL: out of memory.
 */
struct bpf_insn;
struct bpf_insn *vz_dev_bpf(const struct vz_dev_set *set, size_t *ret_count);

#endif
