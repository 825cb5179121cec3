"""What users of docker-py do, once around: images, containers, streams, execs, events, errors.

    docker_py.py IMAGE.tar ROOT.tar       DOCKER_HOST names the engine; prints "all done" at the end
"""

import sys
import threading

import docker
import docker.errors


def images(client, archive, root):
    with open(archive, "rb") as file:
        loaded = client.images.load(file)
    assert loaded[0].tags == ["busybox:latest"], loaded
    image = client.images.get("busybox")
    assert image.tag("py-test", "v1")
    assert "py-test:v1" in client.images.get("py-test:v1").tags
    client.images.remove("py-test:v1")
    client.api.import_image_from_file(root, repository="py-root", tag="1")
    assert client.containers.run("py-root:1", ["/bin/echo", "x"], remove=True) == b"x\n"
    client.images.remove("py-root:1")
    try:
        client.images.get("nothing-like-it")
        raise AssertionError("found an image that is not there")
    except docker.errors.ImageNotFound:
        pass


def runs(client):
    assert client.containers.run("busybox", "echo hi", remove=True) == b"hi\n"
    output = client.containers.run("busybox", ["sh", "-c", "echo o; echo e >&2"], stderr=True, remove=True)
    assert sorted(output.split()) == [b"e", b"o"], output
    try:
        client.containers.run("busybox", ["sh", "-c", "echo why >&2; exit 3"], remove=True)
        raise AssertionError("a failing command succeeded")
    except docker.errors.ContainerError as error:
        assert error.exit_status == 3, error
        assert b"why" in error.stderr


def life(client):
    container = client.containers.run(
        "busybox",
        ["sh", "-c", "trap 'exit 4' TERM; while :; do echo tick; sleep 0.05; done"],
        detach=True,
        name="py",
        environment={"A": "1"},
        labels={"made": "by-py"},
        tmpfs={"/scratch": "size=1m"},
    )
    container.reload()
    assert container.status == "running"
    assert container.attrs["Config"]["Labels"]["made"] == "by-py"
    assert [c.name for c in client.containers.list(filters={"label": "made=by-py"})] == ["py"]
    code, output = container.exec_run(["sh", "-c", "echo $A; exit 9"])
    assert (code, output) == (9, b"1\n"), (code, output)
    code, (out, err) = container.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True)
    assert (out, err) == (b"o\n", b"e\n")
    assert next(iter(container.logs(stream=True, follow=True))).startswith(b"tick")
    container.pause()
    container.reload()
    assert container.status == "paused"
    container.unpause()
    assert container.top()["Titles"][0] == "UID"
    assert container.stats(stream=False)["name"] == "/py"
    container.rename("py2")
    container.stop()
    assert container.wait()["StatusCode"] == 4
    container.start()
    container.kill("KILL")
    assert container.wait()["StatusCode"] == 137
    container.remove()
    try:
        client.containers.get("py2")
        raise AssertionError("found a container that was removed")
    except docker.errors.NotFound:
        pass


def streams(client):
    container = client.containers.create("busybox", "cat", stdin_open=True, name="py-cat")
    socket = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    container.start()
    socket._sock.sendall(b"through\n")
    header = read(socket, 8)
    assert header[0] == 1, header
    assert read(socket, int.from_bytes(header[4:], "big")) == b"through\n"
    socket.close()
    container.remove(force=True)


def read(socket, count):
    data = b""
    while len(data) < count:
        data += socket.read(count - len(data))
    return data


def events(client):
    seen = []
    stream = client.events(decode=True, filters={"type": "container", "label": "watch=me"})
    thread = threading.Thread(target=lambda: seen.extend(take(stream)))
    thread.start()
    client.containers.run("busybox", "true", remove=True, labels={"watch": "me"})
    thread.join(20)
    stream.close()
    actions = [event["Action"] for event in seen]
    for action in ("create", "start", "die", "destroy"):
        assert action in actions, actions


def take(stream):
    for event in stream:
        yield event
        if event["Action"] == "destroy":
            return


def volumes(client):
    volume = client.volumes.create("py-volume", labels={"a": "b"})
    mounts = {"py-volume": {"bind": "/v", "mode": "rw"}}
    client.containers.run("busybox", "touch /v/kept", volumes=mounts, remove=True)
    assert client.containers.run("busybox", "ls /v", volumes=mounts, remove=True) == b"kept\n"
    volume.remove()


def main():
    client = docker.from_env(timeout=60)
    assert client.ping()
    assert client.version()["Os"] == "linux"
    assert client.info()["OSType"] == "linux"
    archive, root = sys.argv[1:]
    images(client, archive, root)
    for part in (runs, life, streams, events, volumes):
        part(client)
        print(part.__name__)
    print("all done")


main()
