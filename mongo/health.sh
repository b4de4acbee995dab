#!/bin/bash
# Whether this mongod answers commands: it is asked `hello`, which it answers without a sign-in. Not by mongosh, which takes a
# second of a processor and a hundred megabytes each time, and which not every image has.
set -euo pipefail
exec 3<>/dev/tcp/127.0.0.1/27017
# shellcheck disable=SC2016  # $db is a name
# OP_MSG {hello: 1, $db: "admin"}
printf '\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0' >&3
# The reply's head: length, id, what it replies to, and that it is an OP_MSG too.
[ "$(head -c 16 <&3 | od -An -tx1 -j8 | tr -d ' \n')" = 01000000dd070000 ]
