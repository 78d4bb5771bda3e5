/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/rtnl.h"

#define JOURNAL_MAX (64 << 10)

/* A line of the journal: what a device was when it left the node. */
struct moved {
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ]; /* "-": hardware */
	int index; /* in the VE */
	unsigned char mac[VZ_MAC_LEN];
	unsigned int mtu;
};

/* One change of a VE's devices. */
struct job {
	const struct vz_ve *ve;
	struct vz_rtnl *host, *in;
	int netns, home; /* the VE's and the node's */
	struct moved *v;
	size_t n;
};

static void job_done(struct job *j)
{
	vz_rtnl_close(j->host);
	vz_rtnl_close(j->in);
	if (j->home >= 0)
		close(j->home);
	free(j->v);
}
#define autojob VZ_CLEANUP(job_done)

static char *path_of(const struct vz_ve *ve, const char *name)
{
	return vz_strf("%s/%u/%s", ve->ctx->rundir, ve->id, name);
}

/* --- the journal --- */

static int parse(const char *line, struct moved *ret)
{
	unsigned char *const m = &ret->mac[0];

	return sscanf(line, "%15s %d %15s %hhx:%hhx:%hhx:%hhx:%hhx:%hhx %u", ret->name,
		      &ret->index, ret->kind, &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		      &ret->mtu) == 10
		       ? 0
		       : -EINVAL;
}

static int add(struct job *j, const struct moved *m)
{
	struct moved *v = reallocarray(j->v, j->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	j->v = v;
	v[j->n++] = *m;
	return 0;
}

static int read_journal(struct job *j, struct vz_err *err)
{
	vz_autofree char *path = path_of(j->ve, "netdev"), *text = NULL;
	int r = path ? vz_read_file(path, JOURNAL_MAX, &text, NULL) : -ENOMEM;
	char *at = NULL, *line;
	struct moved m;

	if (r == -ENOENT)
		return 0;
	for (line = r ? NULL : strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at)) {
		r = parse(line, &m);
		if (!r)
			r = add(j, &m);
	}
	return r ? vz_err_set(err, VZ_E_NETDEV, -r, "can't read %s", path) : 0;
}

static int write_journal(struct job *j, struct vz_err *err)
{
	vz_autofree char *path = path_of(j->ve, "netdev");
	vz_autostr struct vz_str text = { 0 };
	int r;

	for (size_t i = 0; i < j->n; i++) {
		const unsigned char *m = j->v[i].mac;

		vz_str_addf(&text, "%s %d %s %02x:%02x:%02x:%02x:%02x:%02x %u\n",
			    j->v[i].name, j->v[i].index, j->v[i].kind, m[0], m[1], m[2],
			    m[3], m[4], m[5], j->v[i].mtu);
	}
	vz_str_add(&text, "");
	r = path && !text.failed ? vz_replace_volatile(path, text.s, text.len) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_NETDEV, -r, "can't write %s", path) : 0;
}

/* --- the namespace, kept by a mount --- */

static int keep_netns(struct job *j, struct vz_err *err)
{
	vz_autofree char *path = path_of(j->ve, "netns");
	char from[64];
	int fd;

	if (j->n)
		return 0;
	if (!path)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't move devices");
	/* What a killed command left. */
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return vz_err_set(err, VZ_E_NETDEV, errno, "can't make %s", path);
	close(fd);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", j->netns);
	if (mount(from, path, NULL, MS_BIND, NULL))
		return vz_err_set(err, VZ_E_NETDEV, errno,
				  "can't keep the VE's network namespace");
	return 0;
}

/* Nothing of the node's is in it any more. */
static void drop_netns(const struct job *j)
{
	vz_autofree char *netns = path_of(j->ve, "netns");
	vz_autofree char *journal = path_of(j->ve, "netdev");

	if (!netns || !journal)
		return;
	unlink(journal);
	umount2(netns, MNT_DETACH | UMOUNT_NOFOLLOW);
	unlink(netns);
}

/* --- to the VE --- */

static bool same_kind(const struct vz_link *link, const struct moved *m)
{
	return !strcmp(*link->kind ? link->kind : "-", m->kind);
}

static int check(const struct vz_link *link, struct vz_err *err)
{
	unsigned int veid;

	if (link->flags & IFF_LOOPBACK)
		return vz_err_set(err, VZ_E_NETDEV, 0, "%s stays on the node",
				  link->name);
	if (sscanf(link->alias, "vz %u ", &veid) == 1)
		return vz_err_set(err, VZ_E_NETDEV, 0,
				  "the device %s belongs to VE %u's interface",
				  link->name, veid);
	if (link->master)
		return vz_err_set(err, VZ_E_NETDEV, 0,
				  "the device %s is a port of another one: take it out "
				  "first (ip link set %s nomaster)",
				  link->name, link->name);
	return 0;
}

static void describe(const struct vz_link *link, struct moved *ret)
{
	*ret = (struct moved){ .index = link->index, .mtu = link->mtu };
	memcpy(ret->mac, link->mac, VZ_MAC_LEN);
	snprintf(ret->name, sizeof(ret->name), "%s", link->name);
	snprintf(ret->kind, sizeof(ret->kind), "%s", *link->kind ? link->kind : "-");
}

static int move_in(struct job *j, const char *name, struct vz_err *err)
{
	struct vz_link_set set = { .set_netns = true, .netns = j->netns };
	struct vz_link link;
	struct moved *m, new;
	int r;

	if (vz_rtnl_link(j->host, name, &link, NULL))
		return vz_err_set(err, VZ_E_NETDEV, 0, "the node has no device %s", name);
	r = check(&link, err);
	if (!r)
		r = keep_netns(j, err);
	if (r)
		return r;
	describe(&link, &new);
	if (add(j, &new))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't move %s", name);
	m = &j->v[j->n - 1];
	r = write_journal(j, err);
	if (!r)
		r = vz_rtnl_link_set(j->host, link.index, &set, err);
	if (r) {
		j->n--;
		write_journal(j, NULL);
		vz_err_prefix(err, "can't move %s into VE %u", name, j->ve->id);
		return r;
	}
	/* Its number there may be another one, and is what a new name can't hide. */
	if (vz_rtnl_link(j->in, name, &link, NULL) || link.index == m->index)
		return 0;
	m->index = link.index;
	return write_journal(j, err);
}

/* --- and back --- */

static bool find_in(struct job *j, const struct moved *m, struct vz_link *ret)
{
	if (!j->in)
		return false;
	return (!vz_rtnl_link_at(j->in, m->index, ret, NULL) && same_kind(ret, m)) ||
	       (!vz_rtnl_link(j->in, m->name, ret, NULL) && same_kind(ret, m));
}

static bool is_home(struct job *j, const struct moved *m, struct vz_link *ret)
{
	return !vz_rtnl_link(j->host, m->name, ret, NULL) && same_kind(ret, m);
}

static int move_back(struct job *j, const struct moved *m, struct vz_err *err)
{
	static const unsigned char no_mac[VZ_MAC_LEN];
	struct vz_link_set down = { .mask = IFF_UP };
	struct vz_link_set was = { .mtu = m->mtu };
	struct vz_link_set home = { .name = m->name,
				    .set_netns = true,
				    .netns = j->home };
	struct vz_link link;
	int r;

	if (!find_in(j, m, &link)) {
		if (!is_home(j, m, &link))
			vz_warn(j->ve->ctx, "VE %u has not kept the node's device %s",
				j->ve->id, m->name);
		return 0;
	}
	if (memcmp(m->mac, no_mac, VZ_MAC_LEN))
		was.mac = m->mac;
	/* A device that can't have its MAC or MTU set still comes home. */
	vz_rtnl_link_set(j->in, link.index, &down, NULL);
	vz_rtnl_link_set(j->in, link.index, &was, NULL);
	r = vz_rtnl_link_set(j->in, link.index, &home, err);
	if (!r)
		return 0;
	/* Its name is another one's by now. */
	home.name = "dev%d";
	if (r != -EEXIST || vz_rtnl_link_set(j->in, link.index, &home, NULL)) {
		vz_err_prefix(err, "can't bring %s back from VE %u", m->name, j->ve->id);
		return r;
	}
	if (err)
		vz_err_clear(err);
	vz_warn(j->ve->ctx,
		"the node has another device %s by now: the one that VE %u had is back "
		"as dev…",
		m->name, j->ve->id);
	return 0;
}

static bool in_journal(const struct job *j, const char *name)
{
	for (size_t i = 0; i < j->n; i++)
		if (!strcmp(j->v[i].name, name))
			return true;
	return false;
}

/* Those not in `want` (NULL: all); what fails stays in the journal. */
static int bring_back(struct job *j, const struct vz_strv *want, struct vz_err *err)
{
	size_t kept = 0;
	int r = 0, s;

	for (size_t i = 0; i < j->n; i++) {
		bool stays = want && vz_strv_has(want, j->v[i].name);
		struct vz_link link;

		/* Noted and not moved, by a command that was killed: begin again. */
		if (stays && !find_in(j, &j->v[i], &link) && is_home(j, &j->v[i], &link))
			continue;
		s = stays ? 0 : move_back(j, &j->v[i], r ? NULL : err);
		r = r ? r : s;
		if (stays || s)
			j->v[kept++] = j->v[i];
	}
	if (kept == j->n)
		return r;
	j->n = kept;
	s = write_journal(j, r ? NULL : err);
	return r ? r : s;
}

static int job_open(struct job *j, struct vz_err *err)
{
	int r = vz_rtnl_open(&j->host, err);

	if (r)
		return r;
	vz_rtnl_fails_with(j->host, VZ_E_NETDEV);
	j->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (j->home < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno,
				  "can't open this process's network namespace");
	r = vz_rtnl_open_ns(j->netns, &j->in, err);
	if (r)
		return r;
	vz_rtnl_fails_with(j->in, VZ_E_NETDEV);
	return read_journal(j, err);
}

int vz_netdev_set(const struct vz_ve *ve, int netns, const struct vz_strv *want,
		  struct vz_err *err)
{
	autojob struct job j = { .ve = ve, .netns = netns, .home = -1 };
	int r = job_open(&j, err);

	if (!r)
		r = bring_back(&j, want, err);
	for (size_t i = 0; !r && i < want->n; i++)
		if (!in_journal(&j, want->v[i]))
			r = move_in(&j, want->v[i], err);
	if (!j.n)
		drop_netns(&j);
	return r;
}

int vz_netdev_remove(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autofree char *path = path_of(ve, "netns");
	vz_autofd int netns = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	autojob struct job j = { .ve = ve, .netns = netns, .home = -1 };
	int r;

	if (netns < 0)
		return errno == ENOENT ? 0
				       : vz_err_set(err, VZ_E_NETDEV, errno,
						    "can't open %s", path);
	r = job_open(&j, err);
	/* Made, and not mounted upon yet: nothing was moved. */
	if (r == -EINVAL && !j.in)
		r = 0;
	else if (!r)
		r = bring_back(&j, NULL, err);
	if (!r)
		drop_netns(&j);
	return r;
}
