# What the machine does between two cuts: looks at the store, then does what the host planned. Sourced by its init.
# Lines that the host reads: name, content, pushed, repaired, fault, note, ready, begin, done, refused.
export PATH=/usr/local/bin:$PATH
root=/var/lib/container-runtime
cr() { container-runtime "$@"; }
fault() { echo "fault $*"; }
log_of_daemon() { tail -n 15 /tmp/daemon.log | while read -r line; do echo "note daemon: $line"; done; }
# The digest of all files of an image, in $content.
look_at() {
    rm -rf /tmp/files && mkdir /tmp/files
    { cr create --name look $1 >/dev/null && cr export look >/tmp/export; } 2>/tmp/said || fault "export of $1: $(cat /tmp/said)"
    tar -x -C /tmp/files data </tmp/export || fault "the archive of $1"
    cr rm look >/dev/null 2>&1
    content=$(cd /tmp/files/data && find . -type f | sort | xargs sha256sum | sha256sum)
    content=${content%% *}
}
# A deed: its actor and number, then what to run.
deed() {
    echo "begin $1 $2"
    if sh -c "cr() { container-runtime \"\$@\"; }; $3" >/tmp/deed.$1 2>&1; then
        echo "done $1 $2"
    elif grep -q 'has dependent child images' /tmp/deed.$1; then
        # As docker does.
        echo "refused $1 $2"
    else
        fault "deed $1 $2: $3: $(tail -n 3 /tmp/deed.$1 | tr '\n' ' ')"
    fi
}

grep -q " $root ext4 " /proc/mounts || { fault "the disk cannot be mounted"; exit 1; }
# What nobody flushed begins to go to the disk soon, so that a cut finds it half-way.
echo 20 >/proc/sys/vm/dirty_writeback_centisecs
echo 20 >/proc/sys/vm/dirty_expire_centisecs
container-runtime registry serve --listen 127.0.0.1:5000 --storage /vm/registry -l warn >/tmp/registry.log 2>&1 &
# Pushes go to one that is cut with everything else.
container-runtime registry serve --listen 127.0.0.1:5001 --storage $root/pushed -l warn >/tmp/pushed.log 2>&1 &
container-runtime daemon >/tmp/daemon.log 2>&1 &
tries=0
until container-runtime images -q >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { fault "the daemon does not answer"; log_of_daemon; exit 1; }
    usleep 100000
done

for container in $(cr ps -aq); do cr rm -f $container >/dev/null || fault "rm $container"; done
cr images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' >/tmp/images || fault "images"
while read -r name id; do
    # The latter is what pushes and this look give, and take away if they can.
    case $name in *'<none>'* | 127.0.0.1:5001/*) ;; *) echo "name $name $id" ;; esac
done </tmp/images
ids=$(cr images -aq --no-trunc | sort -u)
for id in $ids; do
    look_at $id
    echo "content $id $content"
    cr run --rm $id sh -c : >/tmp/said 2>&1 || fault "run of $id: $(cat /tmp/said)"
done
[ -z "$ids" ] || cr save $ids >/dev/null 2>/tmp/said || fault "save: $(cat /tmp/said)"
for tag in $root/pushed/repositories/*/_tags/*; do
    [ -e $tag ] || continue
    repository=${tag%/_tags/*}
    name=127.0.0.1:5001/${repository##*/}:${tag##*/}
    cr pull $name >/dev/null 2>/tmp/said || { fault "pull of $name: $(cat /tmp/said)"; continue; }
    look_at $name
    echo "pushed $name $content"
    cr rmi $name >/dev/null 2>&1
done
for blob in $(find $root -path '*/blobs/sha256/*' -type f); do
    digest=$(sha256sum <$blob)
    [ ${digest%% *} = ${blob##*/} ] || fault "the blob $blob holds something else, $(wc -c <$blob) bytes"
done
if ! cr system check >/tmp/said 2>&1; then
    echo "repaired $(tr '\n' ' ' </tmp/said)"
    { cr system check --repair && cr system check; } >/tmp/said 2>&1 || fault "system check: $(tr '\n' ' ' </tmp/said)"
fi
echo ready
# Behind what the kernel looks at when it finds a disk.
read -r go </dev/ttyS1
dd if=/dev/vdc bs=1M skip=1 2>/dev/null | tr -d '\0' >/tmp/deeds
. /tmp/deeds
wait
