#!/usr/bin/env python3
"""Compares this command line with the real docker CLI on one daemon: same output, messages and exit codes.

    compare.py --host unix:///path/to/docker.sock --ours target/…/examples/docker [--theirs docker] [WORD...]

With words, only cases that contain one of them run. The daemon needs an image with busybox's applets (--image).
Objects are made under a name of this run and removed in the end. Exit status 1 when anything differs.
"""
import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import uuid

parser = argparse.ArgumentParser()
parser.add_argument("--host", required=True)
parser.add_argument("--ours", required=True)
parser.add_argument("--theirs", default="docker")
parser.add_argument("--image", default="127.0.0.1:5001/busybox:latest")
parser.add_argument("--verbose", action="store_true")
parser.add_argument("words", nargs="*")
options = parser.parse_args()

RUN = "cmp" + uuid.uuid4().hex[:6]
WORK = tempfile.mkdtemp(prefix="docker-compare-")
ENV = {**os.environ, "DOCKER_HOST": options.host, "TZ": "UTC", "DOCKER_CONFIG": WORK, "FROM_ENV": "from-env",
       # The newest that both know.
       "DOCKER_API_VERSION": "1.50"}

for name, text in {
    "env": "A=1\n# comment\n  B=two words \nFROM_ENV\nNOT_SET\n",
    "bad-env": "A B=1\n",
    "labels": "one=1\ntwo\n",
    "seccomp.json": '{"defaultAction": "SCMP_ACT_ALLOW"}',
    "bad.json": "{",
}.items():
    with open(os.path.join(WORK, name), "w") as file:
        file.write(text)


def call(program, case, stdin=None):
    result = subprocess.run([program, *case], env=ENV, input=stdin, capture_output=True, timeout=60, cwd=WORK)
    return result.returncode, result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace")


def docker(*words, **keywords):
    return call(options.theirs, list(words), **keywords)


def split(text):
    text = text.replace("IMAGE", options.image).replace("RUN", RUN).replace("WORK", WORK)
    return shlex.split(text)


# What may differ between two calls of the very same client.
UNSTABLE = [
    (re.compile(r"\b\d+ (seconds?|minutes?) ago|About a minute ago|Less than a second ago"), "TIME ago"),
    (re.compile(r"Up (\d+ seconds?|About a minute|\d+ minutes|Less than a second)"), "Up TIME"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "ID"),
]


def steady(text, sort=False):
    for pattern, replacement in UNSTABLE:
        text = pattern.sub(replacement, text)
    return "\n".join(sorted(text.split("\n"))) if sort else text


# Differences that are kept, each with its reason.
KEPT = {
    "images a b": "the original says 'SRun'",
    "version -f '{{.Nope'": "the original names its template 'version'",
    "context inspect": "the original escapes < and > in this one document",
    "context use nope": "the original adds the path that it did not find",
    "-c nope ps": "the original adds the path that it did not find",
    "printf": "the original stumbles over its own number type",
    "seccomp=WORK/bad.json": "the JSON parser's own words",
    "tag IMAGE 'A B'": "the original goes on about the repository's name",
    "stop -t 1 --time 2 x": "the original warns on standard output, which scripts read",
    "ps -h": "the original warns on standard output",
}

failures = []
count = 0


def compare(text, stdin=None, setup=None, ids=False, sort=False, stdout_only=False):
    """Runs a case with both clients; `setup` goes before each of the two."""
    global count
    if options.words and not any(word in text for word in options.words):
        return
    count += 1
    for attempt in range(2):  # a second passes between the two, and may be what differs
        results = []
        for program in (options.theirs, options.ours):
            if setup:
                setup()
            code, out, err = call(program, split(text), stdin)
            if ids:
                out = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", out)
            results.append((code, steady(out, sort), "" if stdout_only else steady(err)))
        theirs, ours = results
        if theirs == ours:
            break
    if theirs == ours:
        if options.verbose:
            print("same   ", text)
        return
    reason = next((reason for part, reason in KEPT.items() if part in text), None)
    if reason:
        print(f"kept    docker {text}: {reason}")
        return
    failures.append(text)
    print(f"DIFFERS docker {text}")
    for what, a, b in zip(("status", "stdout", "stderr"), theirs, ours):
        if a != b:
            a, b = str(a).splitlines(), str(b).splitlines()
            for line in list(difflib.unified_diff(a, b, f"theirs {what}", f"ours {what}", lineterm="", n=0))[:14]:
                print("   ", line)


NAMES = ["web", "job", "idle"]


def setup_objects():
    docker("rm", "-f", *[f"{RUN}-{name}" for name in NAMES])
    for words in [
        f"run -d --name RUN-web -p 127.0.0.1::80 -p 8125/udp --label a=b --label com.example.x-y=z -e X=1 "
        f"-v RUN-vol:/data --tmpfs /t IMAGE sleep 3600",
        f"run --name RUN-job IMAGE sh -c 'echo out; echo err >&2; exit 3'",
        f"create --name RUN-idle --network none IMAGE sh -c 'a very long command line'",
        f"volume create RUN-vol2 --label k=v",
        f"network create RUN-net --label k=v",
        f"tag IMAGE RUN-image:one",
        f"tag IMAGE RUN-image:two",
    ]:
        docker(*split(words))


def remove_objects():
    docker("rm", "-fv", *[f"{RUN}-{name}" for name in NAMES])
    docker("volume", "rm", "-f", f"{RUN}-vol", f"{RUN}-vol2")
    docker("network", "rm", f"{RUN}-net")
    docker("rmi", f"{RUN}-image:one", f"{RUN}-image:two")


def lists():
    mine = "--filter name=RUN"
    for flags in ["", "-a", "-aq", "-a --no-trunc", "-as", "-n 2", "-l", "-a --filter status=exited", "-aq --no-trunc",
                  "-a --format json", "-a --format raw", "-a --format 'table {{.Names}}\\t{{.Image}}'", "-a --format '{{.ID}}: {{.Labels}}'",
                  "-a --format '{{json .Names}} {{.Label \"a\"}}'", "-a --format 'table {{.Names}}\\t{{.Label \"com.example.x-y\"}}'",
                  "-a --format '{{.Nope}}'", "-a --format '{{.ID'", "-a --format '{{upper .Names}} {{.CreatedAt}} {{.Size}} {{.Mounts}} {{.Networks}} {{.LocalVolumes}} {{.State}}'",
                  "-a --format '{{range split .Names \"-\"}}<{{.}}>{{end}}{{println}}'", "-aq --format '{{.Names}}'", "--size=false -a --format '{{.Size}}'"]:
        compare(f"ps {flags} {mine}")
    for text in ["ps --filter foo=bar", "ps --filter foo", "ps x", "ps -n x", "container ls -a --filter name=RUN", "container ps -q --filter name=RUN"]:
        compare(text)
    for flags in ["", "-q", "--no-trunc", "--digests", "-a", "--format json", "--format '{{.Repository}}:{{.Tag}} {{.Size}}'", "--format 'table {{.ID}}\\t{{.CreatedAt}}\\t{{.Digest}}'", "--format raw", "-q --format '{{.Tag}}'", "--format '{{.VirtualSize}} {{.SharedSize}} {{.Containers}} {{.UniqueSize}}'"]:
        compare(f"images {flags}", sort=True)
    for text in ["images RUN-image", "images RUN-image:one", "images nope", "images ls", "image ls -q", "images --filter dangling=true", "images --filter foo=bar", "images a b"]:
        compare(text, sort=True)
    for text in ["history IMAGE", "history -q IMAGE", "history --no-trunc IMAGE", "history -H=false IMAGE", "history --format json IMAGE", "history nope"]:
        compare(text)
    for text in ["network ls", "network ls -q", "network ls --no-trunc", "network ls --filter name=RUN", "network ls --format json", "network ls --format '{{.Name}} {{.IPv4}} {{.IPv6}} {{.Internal}} {{.Labels}} {{.CreatedAt}} {{.Label \"k\"}}'", "network ls --format raw"]:
        compare(text)
    for text in ["volume ls --filter name=RUN", "volume ls -q --filter name=RUN", "volume ls --filter name=RUN --format json", "volume ls --filter name=RUN --format '{{.Name}} {{.Mountpoint}} {{.Labels}} {{.Links}} {{.Size}} {{.Scope}}'", "volume ls --filter name=RUN --format raw"]:
        compare(text)
    for text in ["system df", "system df --format json", "system df --format '{{.Type}} {{.Size}}'", "system df -v"]:
        compare(text, sort=True)
    for text in ["info", "info --format '{{.ServerVersion}} {{.NCPU}} {{.Driver}}'", "info -f '{{json .Plugins}}'", "system info"]:
        compare(text, sort=True)
    for text in ["version --format '{{.Server.Version}} {{.Server.APIVersion}} {{.Client.APIVersion}}'", "version -f '{{.Server.Os}}/{{.Server.Arch}}'", "version -f '{{.Nope'"]:
        compare(text)
    for text in ["context ls", "context show", "context inspect", "context use nope", "-c nope ps", "context ls -q", "context ls --format json"]:
        compare(text)
    for text in ["top RUN-web", "top RUN-web -o pid,comm", "top RUN-job", "port RUN-web", "port RUN-web 80", "port RUN-web 81", "port RUN-web x", "port nope", "diff RUN-job", "logs RUN-job", "logs -n 1 RUN-job", "logs -t RUN-job", "logs --since 1h RUN-job", "logs --since 2099-01-01 RUN-job", "logs nope", "logs --since bogus RUN-job", "wait RUN-job", "wait RUN-job RUN-job", "wait nope",
                 "stats --no-stream --format '{{.Name}} {{.PIDs}}' RUN-web", "stats --no-stream nope"]:
        compare(text)
    compare("events --since 1h --until 0s --filter container=RUN-job")
    compare("events --since 1h --until 0s --filter container=RUN-job --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'")
    compare("events --since 1h --until 0s --filter container=RUN-job --format json")


def documents():
    for text in ["inspect RUN-web", "inspect RUN-job RUN-web", "inspect -s RUN-job", "inspect nope", "inspect RUN-web nope", "container inspect RUN-web",
                 "inspect --type image RUN-image:one", "inspect --type volume RUN-vol", "inspect --type foo x", "inspect --type image nope", "inspect RUN-vol2", "inspect RUN-net", "network inspect bridge", "network inspect nope", "volume inspect RUN-vol", "volume inspect nope", "image inspect RUN-image:one", "image inspect nope", "inspect -f json RUN-job", "volume inspect -f json RUN-vol"]:
        compare(text)
    for template in ["{{.Id}}", "{{.State.Status}} {{.State.ExitCode}} {{.State.Running}}", "{{json .State}}", "{{.Config.Env}}", "{{.Config.Labels}}", "{{json .NetworkSettings.Ports}}", "{{.NetworkSettings.IPAddress}}",
                     "{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}", "{{.HostConfig.Binds}} {{.HostConfig.CapAdd}} {{.HostConfig.Memory}}", "{{if .State.Health}}x{{else}}none{{end}}", "{{.Nope}}", "{{.State.Nope}}", "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostIp}}",
                     "{{index .Config.Labels \"a\"}} {{index .Config.Labels \"nope\"}}|", "{{len .Mounts}} {{.Name}} {{.Config.Cmd}} {{.Path}} {{.Args}}", "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}", "{{printf \"%.5s|%5d|%-8s|%q\" .Id .RestartCount .Driver .Name}}", "{{.HostConfig.PortBindings}}", "{{.Config.ExposedPorts}}", "{{.NetworkSettings.Ports}}", "{{.HostConfig.LogConfig}}", "{{.Config.Entrypoint}} {{.Config.Volumes}} {{.HostConfig.Init}} {{.HostConfig.OomKillDisable}}", "{{.HostConfig.RestartPolicy}}", "{{.Created}} {{.Config.StopSignal}}|", "{{.State.StartedAt"]:
        compare(f"inspect -f '{template}' RUN-web")


def mistakes():
    for text in ["foo", "container foo", "run", "run --foo IMAGE", "run -Z IMAGE", "run -iZ IMAGE", "run --memory x IMAGE", "run --memory", "run -e", "run --rm=maybe IMAGE", "rm", "rename a", "kill", "exec x", "--foo ps", "-H a -H b ps", "network", "network foo", "volume --foo", "ps --format",
                 "run -p abc IMAGE", "run -p 1:2:3:4 IMAGE", "run --expose x IMAGE", "run -v a::b IMAGE", "run --mount type=bind IMAGE", "run --mount foo IMAGE", "run --mount type=bind,dst=/x,foo=1 IMAGE", "run --ulimit x IMAGE", "run --ulimit nofile=3:2 IMAGE", "run --device x:y:z IMAGE", "run --gpus x=y IMAGE", "run --env-file nope IMAGE", "run --env-file WORK/bad-env IMAGE", "run --add-host x IMAGE", "run --add-host x:y IMAGE", "run --dns x IMAGE", "run --dns-search '#' IMAGE", "run --link a:b:c IMAGE", "run --mac-address x IMAGE", "run --memory-swappiness 101 IMAGE", "run --pid x IMAGE", "run --uts x IMAGE", "run --userns x IMAGE", "run --cgroupns x IMAGE", "run --restart :1 IMAGE", "run --restart on-failure:x IMAGE", "run --rm --restart always IMAGE", "run --log-driver none --log-opt a=b IMAGE", "run --security-opt foo IMAGE", "run --security-opt seccomp=nope IMAGE", "run --security-opt seccomp=WORK/bad.json IMAGE" , "run --storage-opt x IMAGE", "run --no-healthcheck --health-cmd x IMAGE", "run --health-interval -1s IMAGE", "run --health-interval 5 IMAGE", "run --cpus x IMAGE", "run --sysctl x=1 IMAGE", "run --label ' =1' IMAGE", "run --attach foo IMAGE", "run -d -a stdout IMAGE", "run --pull x IMAGE", "run --blkio-weight x IMAGE", "run --blkio-weight-device x IMAGE", "run --device-read-bps /dev/x:y IMAGE", "run --device-cgroup-rule x IMAGE", "run --network a,b=c IMAGE", "run --network name=a,foo=1 IMAGE", "run --network bridge --network-alias x IMAGE", "run --tty -i IMAGE", "run --cidfile WORK/env IMAGE", "create --pull x IMAGE", "run --stop-timeout x IMAGE", "run --oom-score-adj 99999999999999999999 IMAGE",
                 "stop nope", "start nope", "start nope nope2", "start -a a b", "kill nope", "kill -s FOO RUN-web", "pause nope", "pause RUN-job", "unpause RUN-web", "rename nope x", "rename RUN-web RUN-job", "rm RUN-web", "rm nope", "rm -f nope", "restart nope", "attach nope", "attach RUN-job", "exec nope true", "exec RUN-job true", "update RUN-web", "update --memory 1 RUN-web", "update --restart foo RUN-web", "tag nope x", "tag IMAGE 'A B'", "rmi nope", "rmi -f nope", "load -i nope", "import nope", "save nope", "export nope", "pull -a x:y", "network rm nope", "network rm -f nope", "network create bridge", "network create --subnet x y", "network create --subnet 10.0.0.0/8 --gateway 11.0.0.1 y", "volume rm nope", "volume rm RUN-vol", "volume create --name a b", "stop -t 1 --time 2 x", "search", "wait", "cp a b", "cp RUN-web:/nope .", "cp nope:/x .", "logs", "inspect", "commit", "top", "port", "history", "import", "exec RUN-web", "events --since bogus", "volume prune --all --filter all=1 -f"]:
        compare(text)


def helps():
    for text in ["run", "create", "exec", "ps", "images", "rm", "rmi", "start", "stop", "restart", "kill", "pause", "unpause", "rename", "inspect", "logs", "attach", "wait", "top", "events", "load", "import", "tag", "history", "save", "info", "version", "port", "diff", "stats", "update", "pull", "commit", "export", "search", "cp",
                 "container ls", "container prune", "container rm", "container inspect", "image ls", "image rm", "image prune", "image inspect", "network ls", "network create", "network rm", "network connect", "network disconnect", "network inspect", "network prune", "volume ls", "volume rm", "volume inspect", "volume prune", "system df", "system prune", "context ls", "context use", "context show", "context inspect", "container"]:
        compare(f"{text} --help")
    compare("ps -h")
    compare("help ps")


def containers():
    compare("run --rm IMAGE echo hi")
    compare("run --rm IMAGE sh -c 'echo out; echo err >&2; exit 7'")
    compare("run --rm -i IMAGE cat", stdin=b"some input\n" * 50000)
    compare("run --rm -a stdin -a stdout -i IMAGE cat", stdin=b"x")
    compare("run --rm -a stderr IMAGE sh -c 'echo out; echo err >&2'")
    compare("run --rm -d IMAGE true")
    compare("run --rm --env-file WORK/env -e FROM_ENV -e C= IMAGE sh -c 'env | grep -v HOSTNAME | sort'")
    compare("run --rm --label-file WORK/labels -w /tmp -u 1:1 IMAGE sh -c 'pwd; id'")
    compare("run --rm IMAGE nosuchprogram", ids=True)
    compare("run --rm IMAGE /etc", ids=True)
    compare("run --rm IMAGE sh -c 'kill -9 $$'")
    compare("run --rm -v /nope-does-not-exist/x:/x:badmode IMAGE true")
    compare("run --rm --entrypoint '' IMAGE echo x")
    compare("run --rm --entrypoint echo IMAGE -n --rm x")
    compare("run --rm --init --read-only --tmpfs /x --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=WORK/seccomp.json --ulimit nofile=64 --memory 32m --pids-limit 20 IMAGE sh -c 'ulimit -n; touch /y; touch /x/y'")
    compare("run --rm --name RUN-web IMAGE true", ids=True)
    compare("run --rm --pull never nope:nope true")
    compare("run --rm -h name --domainname d --add-host a:1.2.3.4 IMAGE sh -c 'hostname; grep 1.2.3.4 /etc/hosts'")
    compare("run --rm --stop-signal FOO IMAGE true")
    compare("run --rm --cpus 99 IMAGE true")
    compare("run --rm --restart foo IMAGE true", stdout_only=False)
    compare("run --rm --cidfile WORK/cid IMAGE true", setup=lambda: os.path.exists(WORK + "/cid") and os.remove(WORK + "/cid"))
    compare("exec RUN-web echo hi")
    compare("exec -i RUN-web cat", stdin=b"input")
    compare("exec RUN-web sh -c 'echo out; echo err >&2; exit 9'")
    compare("exec -e A=1 -w /tmp -u 3 RUN-web sh -c 'echo $A; pwd; id -u'")
    compare("exec RUN-web nosuch", ids=True)
    compare("exec -d RUN-web true")
    compare("exec -it RUN-web true")
    compare("start -a RUN-job")
    compare("start RUN-job RUN-idle")
    for text in ["stop -t 0 RUN-web", "start RUN-web", "restart -t 0 RUN-web", "pause RUN-web", "unpause RUN-web", "kill RUN-web", "start RUN-web"]:
        docker("start", f"{RUN}-web")
        compare(text, setup=(lambda: docker("unpause", f"{RUN}-web")) if text.startswith("pause") else (lambda: docker("pause", f"{RUN}-web")) if text.startswith("unpause") else (lambda: docker("start", f"{RUN}-web")))
    docker("start", f"{RUN}-web")
    again = lambda name: (lambda: docker("create", "--name", f"{RUN}-x{name}", options.image))
    compare("rm RUN-xa nope", setup=again("a"))
    compare("update --memory 64m --memory-swap 64m RUN-web")
    compare("commit -m msg -a me RUN-job", ids=True)
    compare("cp RUN-web:/etc/passwd -", stdout_only=True)
    compare("save RUN-image:one -o WORK/image.tar")
    compare("load -i WORK/image.tar")
    compare("load -q -i WORK/image.tar")
    compare("import -c 'CMD [\"x\"]' -m msg WORK/image.tar RUN-imported:1", ids=True)
    compare("rmi RUN-imported:1", setup=lambda: docker("import", f"{WORK}/image.tar", f"{RUN}-imported:1"), ids=True)
    docker("rmi", f"{RUN}-imported:1")
    compare("volume create RUN-v3", setup=lambda: docker("volume", "rm", f"{RUN}-v3"))
    compare("volume rm RUN-v3", setup=lambda: docker("volume", "create", f"{RUN}-v3"))
    compare("network create -d bridge --subnet 10.213.7.0/24 --gateway 10.213.7.1 --ip-range 10.213.7.128/25 --label a=b -o x=y RUN-n3", setup=lambda: docker("network", "rm", f"{RUN}-n3"))
    compare("network rm RUN-n3", setup=lambda: docker("network", "create", f"{RUN}-n3"))
    compare("network connect --alias x RUN-net RUN-web", setup=lambda: docker("network", "disconnect", f"{RUN}-net", f"{RUN}-web"))
    compare("network disconnect RUN-net RUN-web", setup=lambda: docker("network", "connect", f"{RUN}-net", f"{RUN}-web"))
    compare("pull IMAGE")
    compare("pull -q IMAGE")
    compare("pull 127.0.0.1:5001/nope")
    compare("container prune", stdin=b"n\n")
    compare("volume prune", stdin=b"n\n")
    compare("system prune", stdin=b"n\n")
    compare("image prune -a", stdin=b"n\n")
    compare("network prune", stdin=b"n\n")


try:
    setup_objects()
    for part in (lists, documents, mistakes, helps, containers):
        part()
finally:
    remove_objects()
print(f"{count} cases, {len(failures)} differ")
sys.exit(1 if failures else 0)
