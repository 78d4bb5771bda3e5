# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests of backups: what a VE has, and a VE that has all kinds of things.
# shellcheck disable=SC2154 # T and the like are lib.sh's

no_loops() {
	[ -z "$(our_loops)" ]
}
# tree VEID: all of it, with the ids that it has in the VE
tree() {
	local base
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$1.conf")
	vzctl --quiet mount "$1" 2>/dev/null
	python3 - "$T/root/$1" "$base" <<-'END'
		import os, stat, struct, sys
		root, base = sys.argv[1], int(sys.argv[2])
		def attrs(p):
		    out = []
		    for n in sorted(os.listxattr(p, follow_symlinks=False)):
		        v = os.getxattr(p, n, follow_symlinks=False)
		        if n.startswith("system.posix_acl"):
		            v = [(t, m, i - base if t in (2, 8) else -1) for t, m, i in struct.iter_unpack("<HHI", v[4:])]
		        elif n == "security.capability":
		            v = v[4:20]
		        elif not n.startswith("user."):
		            continue
		        out.append((n, v))
		    return out
		for d, dirs, files in os.walk(root):
		    dirs.sort()
		    if d == root and "lost+found" in dirs:
		        dirs.remove("lost+found")
		    for n in sorted(files) + ([] if d == root else ["."]):
		        p = os.path.join(d, n)
		        s = os.lstat(p)
		        if stat.S_ISSOCK(s.st_mode):
		            continue
		        data = open(p, "rb").read() if stat.S_ISREG(s.st_mode) else os.readlink(p) if stat.S_ISLNK(s.st_mode) else ""
		        print(os.path.relpath(p, root).encode("utf8", "surrogateescape"), oct(s.st_mode), s.st_uid - base, s.st_gid - base,
		              s.st_nlink if stat.S_ISREG(s.st_mode) else 0, len(data),
		              __import__("zlib").crc32(data if isinstance(data, bytes) else data.encode("utf8", "surrogateescape")),
		              s.st_mtime_ns if not stat.S_ISDIR(s.st_mode) else "", s.st_rdev, attrs(p))
	END
	vzctl --quiet umount "$1"
}

# All kinds of things into a VE.
fill() {
	local base
	vzctl --quiet mount "$1" 2>/dev/null
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$1.conf")
	python3 - "$T/root/$1/root" "$base" <<-'END'
		import os, socket, struct, sys
		top, base = sys.argv[1], int(sys.argv[2])
		os.chdir(top)
		def own(p, uid=0, gid=0):
		    os.chown(p, base + uid, base + gid, follow_symlinks=False)
		def put(p, data, mode=0o644, uid=0, gid=0):
		    with open(p, "wb") as f:
		        f.write(data)
		    own(p, uid, gid)
		    os.chmod(p, mode)
		put("plain", b"x" * 100000, 0o640, 1000, 100)
		os.utime("plain", ns=(1, 1234567890123456789))
		put("set-ids", b"y", 0o6755, 7, 8)
		os.link("plain", "again"); os.mkdir("d"); own("d"); os.link("plain", "d/third")
		with open("sparse", "wb") as f:
		    f.seek(5 << 20); f.write(b"middle"); f.truncate(50 << 20)
		own("sparse")
		with open("all-hole", "wb") as f:
		    f.truncate(200 << 20)
		own("all-hole")
		os.symlink("/etc/shadow", "link"); own("link", 5, 5)
		os.mkfifo("fifo", 0o620); own("fifo", 3, 3)
		try:
		    os.mknod("whiteout", 0o020000, 0); own("whiteout")
		except PermissionError: # on an overlay it is the overlay's own
		    pass
		socket.socket(socket.AF_UNIX).bind("socket")
		put(b"\xff\xfe not utf8".decode("utf8", "surrogateescape"), b"z")
		put("\u00e4\u00f6\u00fc \u65e5\u672c", b"z")
		put("n" * 255, b"long")
		os.makedirs("/".join(["deep" * 10] * 20))
		for d, ds, fs in os.walk("deep" * 10): own(d)
		put("attr", b"a"); os.setxattr("attr", "user.colour", b"red\x00green")
		acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in [(1, 6, 0xffffffff), (2, 4, base + 1000), (4, 4, 0xffffffff), (8, 6, base + 20), (16, 6, 0xffffffff), (32, 0, 0xffffffff)])
		put("acl", b"a"); os.setxattr("acl", "system.posix_acl_access", acl)
		os.setxattr("d", "system.posix_acl_default", acl)
		put("caps", b"a", 0o755)
		os.setxattr("caps", "security.capability", struct.pack("<IIIIII", 0x03000001, 1 << 10, 0, 0, 0, base))
		put("nobody", b"host's"); os.chown("nobody", 0, 0)
	END
	vzctl --quiet umount "$1"
}
