#!/usr/bin/env bash
# Questions a second for the name of a container, beside aardvark-dns: from one network namespace over a veth to a bridge in
# another, with 32 in flight and with one. Needs root, dnsperf, ip, and a quiet machine.
#
#   benches/names.sh [ROUNDS [SECONDS]]
#
#   AARDVARK='/usr/lib/podman/aardvark-dns'    the command that is the peer; several, one a line
#   NETD=/path/of/container-runtime            a release build that is there; else one is made
#   THREADS='1 2'                              threads of ours that are compared
set -euo pipefail
cd "$(dirname "$0")/.."
ROUNDS=${1:-5} SECONDS_EACH=${2:-3}
AARDVARK=${AARDVARK:-/usr/lib/podman/aardvark-dns}
THREADS=${THREADS:-1}
if [ -z "${NETD:-}" ]; then
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/container-runtime/target}
    cargo xtask dist "$CARGO_TARGET_DIR/dist"
    NETD=$CARGO_TARGET_DIR/dist/container-runtime
fi
work=$(mktemp -d)
host=names-host-$$ member=names-member-$$ pid=
end() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    ip netns delete $host 2>/dev/null || true
    ip netns delete $member 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
ip netns add $host
ip netns add $member
in_host() { ip netns exec $host "$@"; }
in_host ip link set lo up
in_host ip link add br0 type bridge
in_host ip address add 10.77.0.1/24 dev br0
in_host ip link add v0 type veth peer name eth0 netns $member
in_host ip link set v0 master br0 up
in_host ip link set br0 up
ip -n $member address add 10.77.0.2/24 dev eth0
ip -n $member link set eth0 up

# 100 containers, each with a name, an alias and an id.
mkdir -p "$work/state/netd" "$work/aardvark"
echo '{"id":"net","name":"net","gateways":["10.77.0.1"]}' >"$work/state/netd/network-net.json"
echo 10.77.0.1 >"$work/aardvark/net"
for number in $(seq 2 101); do
    id=$(printf '%064d' "$number")
    echo "$id 10.77.0.$number  web$number,alias$number" >>"$work/aardvark/net"
    echo '{"id":"'"$id"'","endpoints":[{"network":"net","addresses":["10.77.0.'"$number"'"],"names":["web'"$number"'","alias'"$number"'"]}]}' \
        >"$work/state/netd/container-$id.json"
    echo "web$number A" >>"$work/questions"
done

answers() { ip netns exec $member dnsperf -s 10.77.0.1 -d "$work/questions" -n 1 -q 1 -t 1 2>/dev/null | grep -q 'NOERROR 100 (100'; }
measure() { # NAME: one line for each depth
    until answers; do kill -0 "$pid"; done
    for depth in 32 1; do
        ip netns exec $member dnsperf -s 10.77.0.1 -d "$work/questions" -l "$SECONDS_EACH" -q $depth -c 1 -T 1 >"$work/out"
        grep -q 'Queries lost: *0 ' "$work/out" || echo "lost: $1 $depth" >&2
        echo "$1|$depth|$(sed -n 's/.*Queries per second: *\([0-9]*\).*/\1/p' "$work/out")" >>"$work/results"
    done
    echo "$1|memory|$(awk '/VmRSS/ {rss = $2} /RssAnon/ {anon = $2} END {print rss " kB, its own " anon " kB"}' /proc/"$pid"/status)" >>"$work/memory"
}
put() { # how long it takes until a changed record is seen, without a namespace and with one in which sockets are opened
    python3 - "$work/state/netd.sock" /run/netns/$member /run/netns/$host <<'END'
import json, socket, statistics, sys, time
netd = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
netd.connect(sys.argv[1])
namespaces = [open(path) for path in sys.argv[2:]]
def put(loopback):
    took = []
    for turn in range(1000):
        end = {"network": "net", "addresses": ["10.77.0.2"], "names": ["web2", "alias2", f"turn{turn}"]}
        record = {"id": "%064d" % 2, "endpoints": [end], "loopback": loopback}
        request = {"verb": "put", "containers": [{"record": record, "namespace": loopback}]}
        fds = [namespaces[turn % 2].fileno()] if loopback else []
        begin = time.perf_counter()
        socket.send_fds(netd, [json.dumps(request).encode()], fds)
        answer = netd.recv(1 << 17)
        took.append(time.perf_counter() - begin)
        assert b"warnings" not in answer and b"error" not in answer, answer
    took.sort()
    return "%.0f us, 99 of 100 in %.0f us" % (statistics.median(took) * 1e6, took[990] * 1e6)
print("a record is seen after", put(False), "and with sockets in its namespace after", put(True))
END
}
# `stop` waits for a process that need not be a child of this shell.
stop() { kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done; pid=; }

for _ in $(seq "$ROUNDS"); do
    for threads in $THREADS; do
        in_host "$NETD" netd --state "$work/state" --resolv-conf /dev/null --threads "$threads" >"$work/ready" &
        pid=$!
        measure "netd, threads: $threads"
        [ -s "$work/put" ] || put >"$work/put"
        stop
    done
    while read -r command; do
        rm -f "$work/aardvark/aardvark.pid"
        # shellcheck disable=SC2086 # a command may have arguments
        in_host $command --config "$work/aardvark" --port 53 run >"$work/aardvark.log" 2>&1 </dev/null &
        until [ -s "$work/aardvark/aardvark.pid" ]; do sleep 0.01; done
        pid=$(cat "$work/aardvark/aardvark.pid")
        measure "aardvark-dns $($command --version | sed 's/.* //')"
        stop
    done <<<"$AARDVARK"
done
cat "$work/put"
sort "$work/memory" | awk -F'|' '!seen[$1]++ {print $1 ": " $3}'
# Medians by name and depth.
sort -t'|' -k1,1 -k2,2n -k3,3n "$work/results" | awk -F'|' '
    function out() { if (n) printf "%-28s %3s in flight %8d questions/s (%d to %d)\n", name, depth, all[int((n + 1) / 2)], all[1], all[n] }
    $1 != name || $2 != depth { out(); n = 0; name = $1; depth = $2 }
    { all[++n] = $3 }
    END { out() }'
