/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/resolv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fs.h"
#include "base/name.h"

#define RESOLV_MAX 65536

static int take_line(struct vz_resolv *r, char *line)
{
	char *save, *word = strtok_r(line, " \t\r", &save), *value;

	if (!word)
		return 0;
	value = strtok_r(NULL, " \t\r", &save);
	if (!strcmp(word, "nameserver") && value)
		return vz_strv_add(&r->servers, value);
	if (strcmp(word, "search") && strcmp(word, "domain"))
		return 0;
	vz_strv_done(&r->domains);
	for (; value; value = strtok_r(NULL, " \t\r", &save))
		if (vz_strv_add(&r->domains, value))
			return -ENOMEM;
	return 0;
}

int vz_resolv_parse(const char *text, struct vz_resolv *ret)
{
	vz_autofree char *copy = strdup(text);
	vz_autoresolv struct vz_resolv r = { 0 };
	char *save;

	if (!copy)
		return -ENOMEM;
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (take_line(&r, line))
			return -ENOMEM;
	*ret = r;
	r = (struct vz_resolv){ 0 };
	return 0;
}

void vz_resolv_done(struct vz_resolv *r)
{
	vz_strv_done(&r->servers);
	vz_strv_done(&r->domains);
}

/* Whether a VE can use the server: an address, and not of the host's loopback. */
static bool usable(const char *server)
{
	struct in6_addr a6;
	struct in_addr a4;

	if (inet_pton(AF_INET, server, &a4) == 1)
		return ntohl(a4.s_addr) >> 24 != 127;
	return inet_pton(AF_INET6, server, &a6) == 1 && !IN6_IS_ADDR_LOOPBACK(&a6);
}

/* Keep what a VE can use; the same checks hold as for a configured value. */
static int keep_usable(const struct vz_resolv *all, struct vz_resolv *r)
{
	for (size_t i = 0; i < all->servers.n; i++)
		if (usable(all->servers.v[i]) &&
		    vz_strv_add(&r->servers, all->servers.v[i]))
			return -ENOMEM;
	if (r->domains.n)
		return 0;
	for (size_t i = 0; i < all->domains.n; i++)
		if (!vz_bad_domain(all->domains.v[i]) &&
		    vz_strv_add(&r->domains, all->domains.v[i]))
			return -ENOMEM;
	return 0;
}

static int read_one(const char *file, struct vz_resolv *r)
{
	vz_autoresolv struct vz_resolv all = { 0 };
	vz_autofree char *text = NULL;
	int ret = vz_read_file(file, RESOLV_MAX, &text, NULL);

	if (ret)
		return ret;
	ret = vz_resolv_parse(text, &all);
	return ret ? ret : keep_usable(&all, r);
}

int vz_resolv_host(const char *const *files, struct vz_resolv *ret, struct vz_err *err)
{
	static const char *const usual[] = { "/etc/resolv.conf",
					     "/run/systemd/resolve/resolv.conf", NULL };
	vz_autoresolv struct vz_resolv r = { 0 };
	int q;

	for (files = files ? files : usual; *files && !r.servers.n; files++) {
		q = read_one(*files, &r);
		if (q && q != -ENOENT)
			return vz_err_set(err, VZ_E_SYSTEM, -q,
					  "can't read the host's %s", *files);
	}
	*ret = r;
	r = (struct vz_resolv){ 0 };
	return 0;
}
