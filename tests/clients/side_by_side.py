"""Two engines side by side: the same docker command lines on both, every difference printed.

    side_by_side.py OURS THEIRS --root BUSYBOX.tar [--debian ROOT.tar] [--shared DIR] [--only GLOB]
                    [--jobs N] [--heavy] [--later] [--registries OURS THEIRS] [--record FILE]

OURS and THEIRS are addresses for `docker -H`. The calls stand in side_by_side_cases.txt: a case per `== name`,
a shell line per call, each run on both with DOCKER_HOST set; exit code, stdout and stderr are compared after
ids, times, process ids and addresses are taken out. $I is the busybox image, $D the Debian one, $N a name for the
case's containers, volumes and tags, $S a directory that both engines see at the same path (an engine in a mount
namespace of its own needs --shared), $A a directory with archives of both images, saved by the other engine, $PTY
runs a command on a terminal and $FLAT prints JSON one leaf a line. Cases marked `later` are about what our engine
does not do yet; those marked `registry` move images between the engine, its registry $R (--registries), skopeo,
podman ($PODMAN, with a store of its own) and docker-py ($PY). What the others said can be kept (--record FILE) and stand in for
them later: THEIRS is recorded:FILE then. Differences that are kept stand in side_by_side_kept.py with their reasons. Exits 1 when others are
left, or when one that is kept is no longer seen.
"""

import argparse
import concurrent.futures
import difflib
import fnmatch
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import fcntl

CURSOR = b"\x1b[6n"
HERE = pathlib.Path(__file__).resolve()
PATTERNS = [(re.compile(pattern), text) for pattern, text in [
    (r"\b[0-9a-f]{64}\b", "<ID>"),
    (r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b", "<id>"),
    (r"\b[1-9]\d{11}\b", "<id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", "<time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+( m=\S+)?", "<time>"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) .\d \d\d:\d\d:\d\d (UTC )?\d{4}", "<time>"),
    (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d( \d\d:\d\d|  \d{4})\b", "<time>"),
    (r"(About an?|Less than a|\d+) (second|minute|hour)s?( ago)?", "<ago>"),
    (r"\b17\d{8}\.\d{9}\b|\b1[78]\d{8}\b", "<epoch>"),
    (r"\b1[78]\d{17}\b", "<nanos>"),
    (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<mac>"),
    (r"\b(10|172|192)\.\d+\.\d+\.\d+(/\d+)?\b", "<addr>"),
]]


class Side:
    def __init__(self, name, host, registry, options, temporary):
        self.name, self.host, self.registry = name, host, registry
        self.scratch = pathlib.Path(temporary) / name
        (self.scratch / "config").mkdir(parents=True)
        (self.scratch / "config/config.json").write_text("{}\n")  # podman wants one
        self.environment = dict(
            os.environ, DOCKER_HOST=host, I="sbsroot-busybox:1", D="sbsroot-debian:1", T=str(self.scratch), ROOT=options.root,
            DEBIAN=options.debian or "", PTY=f"{sys.executable} {HERE} --pty", FLAT=f"{sys.executable} {HERE} --flat",
            A=str(pathlib.Path(temporary) / "archives"), LC_ALL="C", TZ="UTC", DOCKER_CLI_HINTS="false", DOCKER_CONFIG=str(self.scratch / "config"),
            R=registry, PY=options.python, PODMAN=f"podman --root {self.scratch}/podman --runroot {self.scratch}/podman-run --storage-driver vfs")

    def call(self, case, line, shared, limit):
        environment = dict(self.environment, N="sbs-" + case, S=str(shared / self.name / case))
        began = time.monotonic()
        process = subprocess.Popen(["bash", "-c", line], env=environment, cwd=self.scratch, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=limit)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            code = "no end within %d s" % limit
        text = [self.normal(part.decode("utf-8", "backslashreplace"), case) for part in (out, err)]
        return code, *text, time.monotonic() - began

    def normal(self, text, case):
        if self.registry:
            text = text.replace(self.registry, "<registry>")
        text = text.replace(self.host, "<host>").replace(f"/{self.name}/{case}", "/<shared>").replace(str(self.scratch), "<scratch>")
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def clean(self, case):
        name = "sbs-" + case
        self.call(case, f"docker ps -aq --filter name='^/?{name}(-.*)?$' | xargs -r docker rm -fv; "
                  f"docker volume ls -q | grep -E '^{name}(-.*)?$' | xargs -r docker volume rm -f; "
                  f"docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep -E '^{name}(-[a-z0-9]*)?:' | grep -v none | xargs -r docker rmi -f", pathlib.Path("/"), 60)


class Recorded:
    """What an engine said once."""

    def __init__(self, path):
        self.name = "them"
        self.said = json.loads(pathlib.Path(path).read_text())

    def call(self, case, line, shared, limit):
        if case == "setup":
            return 0, "", "", 0.0
        said, code, out, err = self.said[case].pop(0) if self.said.get(case) else ("", "never recorded", "", "")
        return code if said == line else "recorded for another line", out, err, 0.0

    def clean(self, case):
        pass


def cases(only, marked):
    name, lines, wanted = None, [], False
    for line in (HERE.parent / "side_by_side_cases.txt").read_text().splitlines():
        if line.startswith("== "):
            if name and wanted:
                yield name, lines
            name, *marks = line[3:].split()
            wanted = any(fnmatch.fnmatch(name, glob) for glob in only.split(",")) and marked.issuperset(marks)
            lines = []
        elif line and not line.startswith("#"):
            lines.append(line)
    if name and wanted:
        yield name, lines


def differences(line, ours, theirs):
    found = []
    if ours[0] != theirs[0]:
        found.append(f"exit: ours {ours[0]} theirs {theirs[0]}")
    for label, left, right in (("out", theirs[1], ours[1]), ("err", theirs[2], ours[2])):
        if left != right:
            diff = difflib.unified_diff(left.splitlines(), right.splitlines(), n=0, lineterm="")
            found += [f"{label} {text}" for text in diff if not text.startswith(("---", "+++", "@@"))]
            if not any(f.startswith(label) for f in found):
                found.append(f"{label} differs in line ends")
    return found


def run_case(sides, shared, case, lines):
    for side in sides:
        side.clean(case)
        (shared / side.name / case).mkdir(parents=True, exist_ok=True)
    results = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for line in lines:
            ours, theirs = pool.map(lambda side: side.call(case, line, shared, 40), sides)
            results.append((line, differences(line, ours, theirs), ours, theirs))
        list(pool.map(lambda side: side.clean(case), sides))
    return case, results


def compare(options):
    from side_by_side_kept import CHANCE, patterns
    kept = [(case, re.compile(pattern), reason) for case, pattern, reason in patterns()]
    temporary = tempfile.mkdtemp(prefix="side-by-side-")
    shared = pathlib.Path(options.shared or temporary)
    registries = options.registries or ["", ""]
    sides = [Side("ours", options.ours, registries[0], options, temporary),
             Recorded(options.theirs[len("recorded:"):]) if options.theirs.startswith("recorded:")
             else Side("them", options.theirs, registries[1], options, temporary)]
    (pathlib.Path(temporary) / "archives").mkdir()
    change = "--change 'ENV PATH=/bin:/usr/bin:/sbin:/usr/sbin' --change 'CMD [\"sh\"]'"
    for side in sides:
        code, _, err, _ = side.call("setup", f"docker import {change} {options.root} $I", shared, 60)
        if code == 0 and options.debian:
            code, _, err, _ = side.call("setup", f"docker import {change} {options.debian} $D", shared, 300)
        if code != 0:
            sys.exit(f"{side.name}: {err}")
    for image, case, name in () if isinstance(sides[1], Recorded) else (("$I", "load", "busybox"), ("$D", "debian", "debian")):
        if name == "busybox" or options.debian:
            tag = f"sbs-{case}:" + ("s" if case == "load" else "save")
            code, _, err, _ = sides[1].call(
                "setup", f"docker tag {image} {tag} && docker save {tag} -o $A/{name}.tar && docker rmi {tag}", shared, 300)
            if code != 0:
                sys.exit(f"them: {err}")
    calls = unexplained = explained = 0
    used, spent, said = set(), [0.0, 0.0], {}
    marked = {mark for mark, wanted in (("heavy", options.heavy), ("later", options.later), ("registry", options.registries)) if wanted}
    light = list(cases(options.only, marked - {"heavy"}))
    heavy = [case for case in cases(options.only, marked) if case not in light]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, concurrent.futures.ThreadPoolExecutor(1) as after:
        todo = [pool.submit(run_case, sides, shared, *case) for case in light]
        concurrent.futures.wait(todo)
        todo += [after.submit(run_case, sides, shared, *case) for case in heavy]
        for future in concurrent.futures.as_completed(todo):
            case, results = future.result()
            for line, found, ours, theirs in results:
                calls += 1
                said.setdefault(case, []).append([line, *theirs[:3]])
                spent[0] += ours[3]
                spent[1] += theirs[3]
                left = []
                for text in found:
                    reason = next((k for k, (name, pattern, _) in enumerate(kept)
                                   if fnmatch.fnmatch(case, name) and pattern.search(text)), None)
                    if reason is None:
                        left.append(text)
                    else:
                        used.add(reason)
                        explained += 1
                unexplained += len(left)
                if left or options.verbose:
                    print(f"\n[{case}] {line}")
                    print("\n".join("    " + text for text in left[:options.lines]), flush=True)
                if options.verbose:
                    print(f"    ours: {ours[0]}\n{ours[1]}{ours[2]}")
    for side in sides:
        side.call("setup", "for i in $I $D; do docker ps -aq --filter ancestor=$i; done | xargs -r docker rm -fv; docker rmi -f $I $D", shared, 60)
    shutil.rmtree(temporary, ignore_errors=True)
    for case in (shared / "ours", shared / "them"):
        shutil.rmtree(case, ignore_errors=True)
    if options.record:
        pathlib.Path(options.record).write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")
    whole = options.only == "*" and options.heavy
    stale = [index for index, (_, _, reason) in enumerate(kept) if whole and index not in used and reason != CHANCE]
    for index in stale:
        name, pattern, reason = kept[index]
        print(f"no longer seen: {name} {pattern.pattern} ({reason})")
    print(f"\n{calls} calls on both sides; {unexplained} lines of difference unexplained, {explained} kept for a reason; "
          f"{spent[0]:.0f} s ours, {spent[1]:.0f} s theirs")
    sys.exit(1 if unexplained or stale else 0)


def flat():
    """JSON documents of stdin, one leaf a line, so that a difference names its field."""
    def walk(value, path):
        if isinstance(value, dict) and value:
            for key in sorted(value):
                walk(value[key], f"{path}.{key}")
        elif isinstance(value, list) and value:
            for index, item in enumerate(value):
                walk(item, f"{path}[{index}]")
        else:
            print(f"{path} = {json.dumps(value, sort_keys=True)}")
    decoder, text = json.JSONDecoder(), sys.stdin.read().strip()
    while text:
        value, end = decoder.raw_decode(text)
        walk(value, "")
        text = text[end:].strip()


def terminal(steps, command):
    """Run a command on a terminal. Steps, parted by `;;`: `~text` waits for it, `#ROWSxCOLS` resizes, others are typed."""
    child, master = pty.fork()
    if child == 0:
        time.sleep(0.05)
        os.execvp(command[0], command)
    size(master, 30, 90)
    seen, shown, ended = b"", b"", False

    def read(limit):
        nonlocal seen, shown, ended
        if ended or not select.select([master], [], [], limit)[0]:
            return
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        ended = not data
        if CURSOR in data:
            os.write(master, b"\x1b[1;1R")  # the shell asks where the cursor is
        seen += data
        shown += data

    for step in filter(None, steps.split(";;")):
        end = time.monotonic() + 15
        if step.startswith("~"):
            want = step[1:].encode()
            while want not in seen and not ended and time.monotonic() < end:
                read(0.2)
            if want not in seen:
                print(f"never saw {step[1:]!r}")
            seen = seen.partition(want)[2]
        elif step.startswith("#"):
            size(master, *map(int, step[1:].split("x")))
        else:
            os.write(master, step.encode().decode("unicode_escape").encode("latin1"))
    end = time.monotonic() + 15
    while not ended and time.monotonic() < end:
        read(0.2)
    if not ended:
        print("did not end")
        os.kill(child, 9)
    for asked in (CURSOR, b"\x1b[J"):
        shown = shown.replace(asked, b"")
    print(shown.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)


def size(master, rows, cols):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def main():
    if sys.argv[1:2] == ["--flat"]:
        return flat()
    if sys.argv[1:2] == ["--pty"]:
        return terminal(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours")
    parser.add_argument("theirs")
    parser.add_argument("--root", required=True, help="archive of a root with busybox")
    parser.add_argument("--debian", help="archive of a Debian root")
    parser.add_argument("--shared", help="directory that both engines see")
    parser.add_argument("--only", default="*", help="cases whose name matches one of these globs, parted by commas")
    parser.add_argument("--registries", nargs=2, metavar="HOST:PORT", help="registries for the cases marked registry")
    parser.add_argument("--python", default=sys.executable, help="a Python with docker-py, for the cases marked registry")
    parser.add_argument("--record", metavar="FILE", help="keep what the others said")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--lines", type=int, default=40, help="lines of difference shown for a call")
    parser.add_argument("--heavy", action="store_true", help="also the cases marked heavy")
    parser.add_argument("--later", action="store_true", help="also the cases about what our engine does not do yet")
    parser.add_argument("--verbose", action="store_true")
    return compare(parser.parse_args())


if __name__ == "__main__":
    main()
