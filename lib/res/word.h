/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_WORD_H
#define VZ_RES_WORD_H

#include "base/str.h"

/* It is part of a control group's name. */
#define VZ_POOLNAME_MAX 24

/*
 * The words that values are made of: each checks one and appends its
 * canonical form to out. 0 or -EINVAL. Pure: nothing of the host is asked.
 */
int vz_word_name(const char *s, struct vz_str *out); /* of a VE; "" is none */
int vz_word_hostname(const char *s, struct vz_str *out);
int vz_word_file(const char *s, struct vz_str *out); /* one path component */
int vz_word_group(const char *s, struct vz_str *out); /* relative, no ".." */
int vz_word_layout(const char *s, struct vz_str *out);
int vz_word_ip(const char *s, struct vz_str *out); /* ADDRESS[/MASK] */
int vz_word_dns(const char *s, struct vz_str *out); /* ADDRESS or inherit */
int vz_word_domain(const char *s, struct vz_str *out); /* DOMAIN or inherit */
int vz_word_ifname(const char *s, struct vz_str *out);
int vz_word_capability(const char *s, struct vz_str *out);
int vz_word_feature(const char *s, struct vz_str *out);
int vz_word_devnode(const char *s, struct vz_str *out);
int vz_word_device(const char *s, struct vz_str *out);
int vz_word_pci(const char *s, struct vz_str *out);
int vz_word_bind(const char *s, struct vz_str *out);
int vz_word_cpus(const char *s, struct vz_str *out); /* 0-2,7, all or auto */
int vz_word_nodes(const char *s, struct vz_str *out);
int vz_word_meminfo(const char *s, struct vz_str *out);
int vz_word_lxcfs(const char *s, struct vz_str *out); /* a file of lxcfs's */
int vz_word_pool(const char *s, struct vz_str *out); /* FIRST:LAST, 65,536 ids */
int vz_word_poolname(const char *s, struct vz_str *out); /* of a pool of VEs */

#endif
