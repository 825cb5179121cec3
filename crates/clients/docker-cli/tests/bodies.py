#!/usr/bin/env python3
"""Compares what this command line and the real docker CLI send to the daemon when they create containers.

    bodies.py --ours target/…/examples/docker [--theirs docker]

A daemon that only notes requests stands in for the real one; zero values count as absent, as they do for the
engine. Exit status 1 when anything differs.
"""
import argparse
import http.server
import json
import os
import shlex
import socketserver
import subprocess
import sys
import tempfile
import threading
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("--ours", required=True)
parser.add_argument("--theirs", default="docker")
options = parser.parse_args()

WORK = tempfile.mkdtemp(prefix="docker-bodies-")
SOCKET = os.path.join(WORK, "daemon.sock")
seen = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def read_body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self):
        body = self.read_body()
        if not self.path.endswith("/_ping"):
            seen.append((self.command, self.path, json.loads(body) if body else None))
        data = b"" if self.command == "HEAD" else b'{"Id": "0123456789abcdef", "Config": {}, "State": {}, "Warnings": [], "Name": "v"}'
        self.send_response(200)
        self.send_header("Api-Version", "1.50")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)


threading.Thread(target=Server(SOCKET, Handler).serve_forever, daemon=True).start()
with open(os.path.join(WORK, "env"), "w") as file:
    file.write("A=1\nB\n")
with open(os.path.join(WORK, "config.json"), "w") as file:
    file.write('{"proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "x"}}}')
ENV = {**os.environ, "DOCKER_HOST": "unix://" + SOCKET, "DOCKER_CONFIG": WORK, "FROM_ENV": "x"}


def sent(program, text):
    seen.clear()
    words = shlex.split(text.replace("WORK", WORK))
    result = subprocess.run([program, *words], env=ENV, capture_output=True, timeout=20, cwd=WORK, stdin=subprocess.DEVNULL)
    return [clean(entry) for entry in seen] or result.stderr.decode()


def bare(value):
    """Without what is zero, and lists whose order means nothing sorted."""
    if isinstance(value, dict):
        items = {key: bare(item) for key, item in value.items()}
        # An empty object is a zero value but for sets, whose keys are what counts.
        return {key: item for key, item in items.items() if item not in (None, False, 0, "", []) and item != {} or value[key] == {} and "/" in key}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value


def clean(entry):
    method, path, body = entry
    if isinstance(body, dict):
        body = bare(body)
        for name in ("Binds", "Env"):
            target = body.get("HostConfig", {}) if name == "Binds" else body
            if name in target:
                target[name] = sorted(target[name])
        body.get("HostConfig", {}).pop("ConsoleSize", None)
    path, _, query = path.partition("?")
    return method, path, sorted(urllib.parse.parse_qsl(query)), body or None


CASES = """
create i
create i a b --c
create -it --name n -h host --domainname dom -u 1:2 -w /w -e A=1 -e FROM_ENV -e NOT_SET_X --env-file WORK/env i
create --entrypoint x -l a=b -l c --annotation k=v --stop-signal INT --stop-timeout 5 i
create --entrypoint= i
create --entrypoint "" i x
create -p 80 -p 8080:80 -p 127.0.0.1:1-3:1-3/udp -p 9000-9010:9 --expose 5-7/tcp --expose 53/udp -P i
create -p target=80,published=81,protocol=udp -p [::1]:5:6 i
create -v /a:/b -v n:/c:ro -v /anon -v ./rel:/d -v /a:/b i
create --mount type=bind,src=./x,dst=/y,readonly,bind-propagation=rslave --mount type=volume,source=v,target=/v,volume-nocopy,volume-label=a=b,volume-driver=d,volume-opt=k=v,volume-subpath=s i
create --mount type=tmpfs,dst=/t,tmpfs-size=10m,tmpfs-mode=700 --mount type=image,src=im,dst=/im,image-subpath=x --mount "type=bind,src=/x,dst=/y,ro,bind-recursive=readonly,bind-propagation=rprivate" i
create --mount type=bind,src=/x,dst=/y,ro=true,bind-recursive=writable --mount type=bind,src=/x,dst=/z,bind-recursive=disabled,consistency=cached i
create --tmpfs /a --tmpfs /b:size=1m,mode=1777 --volumes-from x:ro --volume-driver d --storage-opt size=1g --shm-size 64m i
create -m 512m --memory-reservation 256M --memory-swap -1 --memory-swappiness 50 --kernel-memory 1g --oom-kill-disable --oom-score-adj -500 --pids-limit -1 i
create -c 512 --cpus 1.5 --cpu-period 100000 --cpu-quota 50000 --cpu-rt-period 1000 --cpu-rt-runtime 900 --cpuset-cpus 0-1 --cpuset-mems 0 i
create --blkio-weight 300 --blkio-weight-device /dev/a:100 --device-read-bps /dev/a:1mb --device-write-bps /dev/b:2 --device-read-iops /dev/a:10 --device-write-iops /dev/a:0x10 i
create --blkio-weight-device /dev/a:100 --device-write-iops /dev/a:16 i
create --ulimit nofile=10:20 --ulimit core=-1 --ulimit nofile=5 --sysctl net.a=1 --sysctl kernel.sem=1 i
create --device /dev/a --device /dev/a:/dev/b --device /dev/a:r --device /dev/a:/dev/b:rw --device vendor.com/class=0 --device-cgroup-rule "c 1:* rwm" i
create --gpus all i
create --gpus 2 i
create --gpus "\\"device=0,1\\",capabilities=compute" i
create --cap-add NET_ADMIN --cap-drop ALL --privileged --security-opt no-new-privileges --security-opt label:disable --security-opt apparmor=x --security-opt systempaths=unconfined --userns host i
create --pid host --ipc host --uts host --cgroupns private --cgroup-parent /x --isolation default --runtime r --init --read-only --group-add 5 --group-add x i
create --init=false --pid container:x --ipc container:x i
create --network host i
create --net none i
create --network mynet i
create --network mynet --ip 1.2.3.4 --ip6 fd00::1 --link-local-ip 169.254.1.1 --network-alias a --net-alias b --link x:y --mac-address 02:42:ac:11:00:02 i
create --network name=n1,alias=a,ip=10.0.0.1,driver-opt=k=v,gw-priority=5 --network n2 i
create --network container:x i
create --link x:y --mac-address 02:42:ac:11:00:02 i
create --dns 1.1.1.1 --dns ::1 --dns-opt ndots:2 --dns-option x --dns-search a.b --dns-search . --add-host a:1.2.3.4 --add-host b=[::1] --add-host c:host-gateway i
create --restart on-failure:3 i
create --restart always --log-driver syslog --log-opt a=b --log-opt c i
create --health-cmd "curl x" --health-interval 1m30s --health-timeout 500ms --health-retries 3 --health-start-period 2s --health-start-interval 1s i
create --no-healthcheck --platform linux/arm64 -a stdout -a STDIN i
create -i -a stderr i
create --use-api-socket i
update --memory 64m --memory-swap -1 --cpus 2 --restart always --pids-limit 5 c
volume create v -d d -o a=b -o c --label x=y
network create n -d x --subnet 10.0.0.0/16 --subnet fd00::/64 --gateway 10.0.0.1 --ip-range 10.0.1.0/24 --aux-address a=10.0.0.5 --ipam-opt k=v --ipam-driver z -o o=p --label l --internal --attachable --ipv6 --ipv4=false --scope local
network create n --config-from c
network connect n c --ip 1.2.3.4 --alias a,b --link x:y --driver-opt k=v --gw-priority 3
network disconnect -f n c
rm -fvl a
rmi -f --no-prune a/b:c
kill -s INT c
stop -t 5 -s TERM c
restart -t 0 c
rename a b
pause c
tag a:b c/d:e
ps -a -n 3 -s --filter label=a=b --filter label=c
images -a x --filter dangling=true
logs --tail 5 --since 1700000000 --until 2023-11-14T22:13:20Z -t --details c
export c
inspect -s c
image prune -af --filter until=1h
volume prune -f
system df
commit -a me -m msg -c "CMD x" -p=false c r:t
import -c x -m y --platform linux/amd64 http://h/x r:t
pull h:5000/a/b:c
pull busybox
push h:5000/a:b
"""

failed = 0
for case in filter(None, CASES.split("\n")):
    theirs, ours = (sent(program, case) for program in (options.theirs, options.ours))
    if theirs == ours:
        continue
    # What the original asks besides (the daemon's operating system, whether there is a swarm) is its own affair.
    failed += 1
    print("DIFFERS", case)
    print("   theirs", json.dumps(theirs, sort_keys=True))
    print("   ours  ", json.dumps(ours, sort_keys=True))
print(f"{failed} differ")
sys.exit(1 if failed else 0)
