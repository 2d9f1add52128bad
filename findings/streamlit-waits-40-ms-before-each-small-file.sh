#!/usr/bin/env bash
# Streamlit 1.67's own server, on Linux, makes every request after the first on a kept-open connection wait some 40 ms, however small the file: Nagle's algorithm is on. 1.50's did not.
# Versions: streamlit 1.67.0 (and 1.50.0 for comparison).
# A good engineer guesses: a loopback page of 96 small scripts is slow because of what it computes or draws; asyncio and Tornado send small answers at once, so the new server does, too.
# What happens: the listening socket is opened without a protocol number; asyncio sets TCP_NODELAY only where the accepted socket's number says TCP, and it inherits 0. Head and body leave as two packets, the second waits for the reader's delayed acknowledgement.
# Lost by the guess: a trend board of 96 scripts over six connections opens .4 to .6 s later, for every reader; one tunes queries instead. Setting TCP_NODELAY on the listening socket is enough.
# Source: streamlit/web/server/starlette/starlette_server.py (_bind_socket), asyncio/base_events.py (_set_nodelay), uvicorn issue 3149 for its own workers; seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cat > "$dir/page.py" <<'PY'
import streamlit as st

st.write("hello")
PY
cat > "$dir/ask.py" <<'PY'
import http.client
import socket
import statistics
import subprocess
import sys
import time

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
board = subprocess.Popen(
    [sys.executable, "-m", "streamlit", "run", sys.argv[1], f"--server.port={port}", "--server.address=127.0.0.1",
     "--server.headless=true", "--browser.gatherUsageStats=false"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)


def ask(connection):
    connection.request("GET", "/_stcore/health")
    connection.getresponse().read()


try:
    for _ in range(300):
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.2)
    connection, times = http.client.HTTPConnection("127.0.0.1", port), []
    for _ in range(60):
        begin = time.perf_counter()
        ask(connection)
        times.append(1000 * (time.perf_counter() - begin))
    print(round(statistics.median(times[20:]), 1))
finally:
    board.terminate()
PY
for version in 1.67.0 1.50.0; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q "streamlit==$version"
done
new=$("$dir/1.67.0/bin/python" "$dir/ask.py" "$dir/page.py")
old=$("$dir/1.50.0/bin/python" "$dir/ask.py" "$dir/page.py")
echo "median milliseconds of /_stcore/health on a kept connection: streamlit 1.67.0 seen $new, 1.50.0 seen $old; guessed a few each time"
python3 -c "import sys; sys.exit(not (float('$new') > 30 > float('$old')))" || { echo "behaviour has changed"; exit 1; }
