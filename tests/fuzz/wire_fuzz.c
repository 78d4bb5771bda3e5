/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the other node's vzmigrate says: no line breaks the reader, members keep bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A tool's file, not the library's. */
#include "vzmigrate/wire.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void members(const json_t *msg)
{
	static const char *const keys[] = { "op", "veid", "ok", "conf", "state" };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(keys); i++) {
		vz_autofree char *bytes = NULL;
		struct vz_err err = { 0 };
		const char *text;
		uint64_t num;
		size_t len;
		bool flag;

		if (!wire_text(msg, keys[i], 30, &text, &err) && strlen(text) > 30)
			abort();
		if (!wire_num(msg, keys[i], 1000, &num, &err) && num > 1000)
			abort();
		wire_flag(msg, keys[i], &flag, &err);
		if (!wire_bytes(msg, keys[i], 100, &bytes, &len, &err)) {
			json_t *hex = wire_hex(bytes, len);

			if (len > 100 || bytes[len] ||
			    strcmp(json_string_value(hex),
				   json_string_value(json_object_get(msg, keys[i]))))
				abort();
			json_decref(hex);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autojson json_t *msg = NULL;

	if (!wire_parse((const char *)data, size, &msg))
		members(msg);
	return 0;
}
