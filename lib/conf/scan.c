/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* A key is one word; which characters it has is for others to judge. */
static bool in_key(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && !strchr("=\"'#[]", c);
}

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static const char *line_end(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', end - p);

	return nl ? nl : end;
}

void vz_scan_init(struct vz_scan *s, const char *text, size_t len)
{
	/* A save leaves it out: of two, the second would be one at the next load. */
	while (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	*s = (struct vz_scan){ .at = text, .end = text + len, .line = 1 };
}

/* Nothing, or a comment, up to the line's end. */
static bool is_rest(const char *p, const char *eol)
{
	const char *q = skip_blank(p, eol);

	return q == eol || (*q == '#' && q > p);
}

/* The quote that closes the one before p as a shell sees it; NULL: none. */
static const char *shell_close(const char *p, const char *end, char quote)
{
	for (; p < end && *p != quote; p++)
		if (quote == '"' && *p == '\\' && p + 1 < end)
			p++;
	return p < end ? p : NULL;
}

/* The last quote of a line with nothing after it, as vzctl 4 sees it. */
static const char *last_on_line(const char *p, const char *end, char quote)
{
	const char *eol = line_end(p, end), *q = memrchr(p, quote, eol - p);

	return q && is_rest(q + 1, eol) ? q : NULL;
}

static int scan_quoted(const char *p, const char *end, struct vz_scan_item *it,
		       const char **ret_problem)
{
	const char *close = shell_close(p + 1, end, *p);

	if (!close || !is_rest(close + 1, line_end(close, end)))
		close = last_on_line(p + 1, end, *p);
	if (!close) {
		*ret_problem = "no closing quote, or text after it";
		return -EINVAL;
	}
	it->quote = *p == '"' ? VZ_QUOTE_DOUBLE : VZ_QUOTE_SINGLE;
	it->raw = p;
	it->raw_len = close + 1 - p;
	it->value = p + 1;
	it->value_len = close - p - 1;
	return 0;
}

/* Without quotes: up to a comment or the line's end. */
static void scan_bare(const char *p, const char *end, struct vz_scan_item *it)
{
	const char *eol = line_end(p, end), *q = p;

	while (q < eol && !(*q == '#' && q > p && is_blank(q[-1])))
		q++;
	while (q > p && is_blank(q[-1]))
		q--;
	it->quote = VZ_QUOTE_NONE;
	it->raw = it->value = p;
	it->raw_len = it->value_len = q - p;
}

static int scan_assignment(const char *p, const char *end, struct vz_scan_item *it,
			   const char **ret_problem)
{
	const char *q;

	if (end - p > 7 && !memcmp(p, "export", 6) && is_blank(p[6]))
		p = skip_blank(p + 6, end);
	for (q = p; q < end && in_key(*q);)
		q++;
	it->key_len = q - p;
	it->key = p;
	q = skip_blank(q, end);
	if (!it->key_len || q == end || *q != '=') {
		*ret_problem = "expected KEY=\"value\"";
		return -EINVAL;
	}
	q = skip_blank(q + 1, end);
	if (q < end && (*q == '"' || *q == '\''))
		return scan_quoted(q, end, it, ret_problem);
	scan_bare(q, end, it);
	return 0;
}

int vz_scan_next(struct vz_scan *s, struct vz_scan_item *ret, const char **ret_problem)
{
	struct vz_scan_item it = { .text = s->at, .line = s->line };
	const char *p, *eol;
	int r = 0;

	if (s->at == s->end)
		return 0;
	p = skip_blank(s->at, s->end);
	if (p < s->end && *p != '\n' && *p != '#')
		r = scan_assignment(p, s->end, &it, ret_problem);
	if (r) {
		ret->line = it.line;
		return r;
	}
	eol = line_end(it.raw ? it.raw + it.raw_len : p, s->end);
	if (eol < s->end)
		eol++;
	it.text_len = eol - it.text;
	for (p = it.text; (p = memchr(p, '\n', eol - p)); p++)
		s->line++;
	s->at = eol;
	*ret = it;
	return 1;
}

/* Whether a backslash before c is an escape in this kind of value. */
static bool escapes(enum vz_quote quote, char c)
{
	return quote == VZ_QUOTE_NONE || strchr("\"\\$`\n", c);
}

size_t vz_scan_unquote(const struct vz_scan_item *it, char *buf)
{
	const char *p = it->value, *end = p + it->value_len;
	char *out = buf;

	for (; p < end; p++) {
		if (*p == '\\' && it->quote != VZ_QUOTE_SINGLE && p + 1 < end && p[1] &&
		    escapes(it->quote, p[1])) {
			p++;
			if (*p == '\n')
				continue;
		}
		*out++ = *p;
	}
	return out - buf;
}
