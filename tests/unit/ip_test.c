/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses: what is one, what they say, what contains what. */
#include "base/ip.h"

#include "tests/unit/tap.h"

static void parses(void)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
		bool usable;
	} row[] = {
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1/32", "10.0.0.1", true },
		{ "10.0.0.1/24", "10.0.0.1/24", true },
		{ "0.0.0.0", "0.0.0.0", false },
		{ "127.0.0.2", "127.0.0.2", false },
		{ "224.0.0.1", "224.0.0.1", false },
		{ "255.255.255.255", "255.255.255.255", false },
		{ "fd00::1/128", "fd00::1", true },
		{ "FD00:0::1/64", "fd00::1/64", true },
		{ "fe80::1", "fe80::1", false },
		{ "::", "::", false },
		{ "::1", "::1", false },
		{ "ff02::1", "ff02::1", false },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1", false },
		{ "10.0.0.1/33", NULL, false },
		{ "10.0.0.1/", NULL, false },
		{ "10.0.0.1/-1", NULL, false },
		{ "fd00::1/129", NULL, false },
		{ "10.0.0", NULL, false },
		{ "10.0.0.1 ", NULL, false },
		{ "", NULL, false },
		{ "/24", NULL, false },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL, false },
	};
	char text[VZ_IP_STRLEN];
	struct vz_ip ip;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		bool good = !vz_ip_parse(row[i].text, &ip);

		tap_is_str(good ? vz_ip_text(&ip, text) : NULL, row[i].want, row[i].text);
		if (good)
			tap_is_int(vz_ip_usable(&ip), row[i].usable, "is usable");
	}
}

static void within(void)
{
	static const struct {
		const char *ip, *net;
		bool want;
	} row[] = {
		{ "10.0.0.1", "10.0.0.0/8", true },
		{ "10.0.0.1", "0.0.0.0/0", true },
		{ "11.0.0.1", "10.0.0.0/8", false },
		{ "10.0.129.1", "10.0.128.0/17", true },
		{ "10.0.127.1", "10.0.128.0/17", false },
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.2", "10.0.0.1", false },
		{ "fd00::1", "fd00::/64", true },
		{ "fd00:0:0:1::1", "fd00::/64", false },
		{ "fd00::1", "fd00::1", true },
		{ "fd00::1", "10.0.0.0/8", false },
	};
	struct vz_ip ip, net;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		tap_ok(!vz_ip_parse(row[i].ip, &ip) && !vz_ip_parse(row[i].net, &net) &&
			       vz_ip_within(&ip, &net) == row[i].want,
		       "%s is %sin %s", row[i].ip, row[i].want ? "" : "not ", row[i].net);
	vz_ip_parse("169.254.3.4", &ip);
	vz_ip_parse("febf::1", &net);
	tap_ok(vz_ip_link_local(&ip) && vz_ip_link_local(&net), "link-local addresses");
}

int main(void)
{
	parses();
	within();
	return tap_done();
}
