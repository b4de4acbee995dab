#!/bin/sh
# Whether nginx answers, asked by whichever client its image has.
url=http://127.0.0.1:8001/
if command -v curl >/dev/null; then exec curl -fs -o /dev/null --max-time 4 "$url"; fi
if command -v wget >/dev/null; then exec wget -q -T 4 -O /dev/null "$url"; fi
exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/8001 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && read -r -t 4 line <&3 && [[ $line == *" 200 "* ]]'
