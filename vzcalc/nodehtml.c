/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcalc --node --html: one page, nothing loaded from elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "vzcalc/node.h"

/* The picture: names, bars that stand for the whole node, words. */
#define NAMES 120
#define BARS 420
#define WORDS 330
#define LINE 34
#define THICK 18

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
	"body { font: 15px/1.5 system-ui, sans-serif; margin: 2em; max-width: 60em }\n"
	"svg { width: 100%; height: auto } svg text { font-size: 13px }\n"
	"table { border-collapse: collapse } td, th { padding: .2em .8em; text-align: "
	"right }\n"
	"td:first-child, th:first-child { text-align: left }\n"
	"tr { border-bottom: 1px solid #ddd }\n"
	".all { fill: #e8ecf1 } .kept { fill: #b9c2cd } .promised { fill: #8db7e8 }\n"
	".used { fill: #1f5fae } .over { fill: #c8322b }\n"
	"</style>\n";

static void escape(struct vz_str *out, const char *s)
{
	for (; *s; s++) {
		const char *e = *s == '&'   ? "&amp;"
				: *s == '<' ? "&lt;"
				: *s == '>' ? "&gt;"
				: *s == '"' ? "&quot;"
					    : NULL;

		if (e)
			vz_str_add(out, e);
		else
			vz_str_addn(out, s, 1);
	}
}

static double part(double v, double whole)
{
	if (isnan(v) || v <= 0)
		return 0;
	return v < whole ? v / whole : 1;
}

static void rect(struct vz_str *out, const char *class, double from, double share, int y,
		 int thick)
{
	if (share > 0)
		vz_str_addf(out,
			    "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
			    "height=\"%d\"/>\n",
			    class, NAMES + from * BARS, y, share * BARS, thick);
}

/* The whole, what the node keeps at its end, and what is taken from its beginning. */
static void bar(struct vz_str *out, const struct node_row *row, int y)
{
	double promised = node_promised(row), kept = part(row->keep, row->node);
	const char *class = promised > row->node - row->keep ? "over" : "promised";

	rect(out, "all", 0, 1, y, THICK);
	rect(out, "kept", 1 - kept, kept, y, THICK);
	rect(out, class, 0, part(promised, row->node), y, THICK);
	rect(out, row->used > row->node ? "over" : "used", 0, part(row->used, row->node),
	     y + THICK / 3, THICK / 3);
}

static void picture(struct vz_str *out, const struct node_report *rep)
{
	char used[VZ_HUMAN_MAX + 1], promised[VZ_HUMAN_MAX + 1], all[VZ_HUMAN_MAX + 1];

	vz_str_addf(out, "<svg viewBox=\"0 0 %d %zu\" role=\"img\">\n",
		    NAMES + BARS + WORDS, rep->n * LINE);
	for (size_t i = 0; i < rep->n; i++) {
		const struct node_row *row = &rep->rows[i];
		int y = i * LINE + (LINE - THICK) / 2;

		vz_str_addf(out, "<text x=\"0\" y=\"%d\">", y + THICK - 5);
		escape(out, node_kinds[row->res].label);
		vz_str_add(out, "</text>\n");
		bar(out, row, y);
		vz_str_addf(out,
			    "<text x=\"%d\" y=\"%d\">used %s, promised %s of %s</text>\n",
			    NAMES + BARS + 12, y + THICK - 5,
			    node_amount(row->res, row->used, used),
			    node_amount(row->res, node_promised(row), promised),
			    node_amount(row->res, row->node, all));
	}
	vz_str_add(out,
		   "</svg>\n<p>Dark: used. Light: promised. Grey at the end: what the "
		   "node keeps for itself. Red: more than there is.</p>\n");
}

static void table(struct vz_str *out, const struct node_report *rep)
{
	char buf[VZ_HUMAN_MAX + 1];

	vz_str_add(out, "<table>\n<tr><th>Resource<th>Node<th>Kept<th>Used<th>Promised"
			"<th>Max<th>Free");
	vz_str_add(out, rep->nodes ? "<th>Short after a failure\n" : "\n");
	for (size_t i = 0; i < rep->n; i++) {
		const struct node_row *row = &rep->rows[i];
		const double v[] = { row->node,		 row->keep, row->used,
				     node_promised(row), row->max,  row->left,
				     row->after_short };

		vz_str_add(out, "<tr><td>");
		escape(out, node_kinds[row->res].label);
		for (size_t k = 0; k < VZ_ARRAY_SIZE(v) - !rep->nodes; k++)
			vz_str_addf(out, "<td>%s", node_amount(row->res, v[k], buf));
		vz_str_add(out, "\n");
	}
	vz_str_add(out, "</table>\n");
}

static void title(struct vz_str *out, const struct node_report *rep)
{
	char host[65] = "", when[32] = "", ram[VZ_HUMAN_MAX], swap[VZ_HUMAN_MAX];
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	vz_str_add(out, "<title>");
	escape(out, host);
	vz_str_add(out, ": capacity</title>\n<h1>");
	escape(out, host);
	vz_str_addf(out,
		    "</h1>\n<p>%s: %u CPUs, %s of RAM, %s of swap space; %zu VEs, %zu of "
		    "them running.</p>\n",
		    when, rep->machine.cpus, vz_human_bytes(rep->machine.ram, 1, ram),
		    vz_human_bytes(rep->machine.swap, 1, swap), rep->ves.n,
		    rep->ves.running);
}

static void room(struct vz_str *out, const struct node_report *rep)
{
	enum vz_plan_res end = 0;
	double n = vz_plan_fits(&rep->node, &rep->sum, &rep->one, &end);

	vz_str_add(out, "<p>Of the sample ");
	escape(out, rep->sample);
	if (n < 0)
		vz_str_add(out, " any number of VEs fit: it is promised nothing.</p>\n");
	else
		vz_str_addf(out,
			    " there is room for %.0f more; what ends first: %s.</p>\n", n,
			    node_kinds[end].label);
}

int node_write_html(const struct node_report *rep, const char *path, struct vz_err *err)
{
	vz_autostr struct vz_str out = { 0 };
	int r;

	vz_str_add(&out, head);
	title(&out, rep);
	picture(&out, rep);
	table(&out, rep);
	if (rep->sample)
		room(&out, rep);
	if (rep->nodes)
		vz_str_addf(
			&out,
			"<p>Short after a failure: what each of the others lacks when 1 "
			"of %" PRIu64 " such nodes fails.</p>\n",
			rep->nodes);
	vz_str_add(&out, "</html>\n");
	r = out.failed ? -ENOMEM : vz_replace_file(path, out.s, out.len, 0644);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path) : 0;
}
