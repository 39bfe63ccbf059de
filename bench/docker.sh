#!/bin/sh
# Compares Docker on lamina's storage driver with the same engine on overlay2.
#   bench/docker.sh [ROUNDS]      (default 3; as root, with docker.io, docker-registry; about 4 GB of disk)
# run: `docker run --rm IMAGE true` of an ordinary image that both have. start: from a command to its output for an image that the host does not
# have: pulled from a registry by overlay2, as thin image with an empty cache by lamina; over loopback, and over a line of 10 ms in each direction
# and 100 Mbit/s that registry and repository share. Medians; bytes are what the line carried to the host.
set -eu
rounds=${1:-3}
home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "bench/docker.sh: mounts need root" >&2; exit 2; }
for need in dockerd docker docker-registry curl; do
  command -v "$need" >/dev/null || { echo "bench/docker.sh: $need is missing" >&2; exit 2; }
done
"$home/lamina" --version >/dev/null
classes="$home/bench/target/classes"
java=$("$home/bin/jdk25")/bin/java

work=$(mktemp -d "${TMPDIR:-/tmp}/lb.XXXX")
name=lamina-bench-$$
repository=bench.lamina.test
link= plugin= engines= others=
stop() {
  for pid in "$@"; do
    kill "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
}
finish() {
  # shellcheck disable=SC2086 # words are process ids
  stop $engines $plugin $link $others
  for mount in $(awk -v w="$work/" 'index($2, w) == 1 { print $2 }' /proc/mounts | sort -r); do umount -l "$mount" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# until COMMAND…: waits for it to succeed
until_ok() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { echo "bench/docker.sh: waited in vain for: $*; see $work" >&2; trap - EXIT; exit 1; }
    sleep 0.2
  done
}

free_port() {
  while true; do
    port=$(shuf -i 20000-32000 -n 1)
    code=0
    curl -s -o /dev/null "http://127.0.0.1:$port/" || code=$?
    [ $code != 7 ] || break # refused: nobody is there
  done
  echo "$port"
}

# engine NAME DRIVER: an engine with folders of its own; sets pid
engine() {
  mkdir -p "$work/$1"
  echo '{}' >"$work/$1/daemon.json"
  dockerd --experimental --storage-driver "$2" --data-root "$work/$1/root" --exec-root "$work/$1/exec" --pidfile "$work/$1/pid" \
    --config-file "$work/$1/daemon.json" --host "unix://$work/$1/sock" --bridge none --iptables=false --ip6tables=false >>"$work/$1/log" 2>&1 &
  pid=$!
  engines="$engines $pid"
  until_ok on "$1" version
}

on() {
  where=$1
  shift
  DOCKER_BUILDKIT=0 docker --host "unix://$work/$where/sock" "$@"
}

start_plugin() {
  "$home/lamina" plugin --name "$name" --state "$work/state" --client embedded \
    --repository "$repository=http://127.0.0.1:$repository_link/cvmfs/$repository,$work/data/keys/$repository.pub" >>"$work/plugin.log" 2>&1 &
  plugin=$!
  until_ok test -S "/run/docker/plugins/$name.sock"
}

# line MILLISECONDS MEGABITS: the line between host and registry and repository
start_line() {
  rm -f "$work/down"
  "$java" -Xmx256m -cp "$classes" io.lamina.bench.SlowLink "$work/down" "$1" "$2" "$registry_link=$registry" "$repository_link=$gateway" &
  link=$!
  until_ok test -s "$work/down"
}

seconds() { date +%s.%N; }

# timed OUT COMMAND…: adds seconds and bytes to OUT
timed() {
  out=$1
  shift
  bytes=$(cat "$work/down" 2>/dev/null || echo 0)
  begin=$(seconds)
  "$@" >"$work/output"
  end=$(seconds)
  sleep 0.2
  echo "$begin $end $bytes $(cat "$work/down" 2>/dev/null || echo 0)" | awk '{ printf "%.3f %.0f\n", $2 - $1, $4 - $3 }' >>"$out"
}

# median FILE COLUMN
median() { sort -n -k "$2,$2" "$1" | awk -v c="$2" '{ v[NR] = $c } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

registry=$(free_port) registry_link=$(free_port) gateway=$(free_port) repository_link=$(free_port)
cat >"$work/registry.yml" <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$registry"}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
others="$others $!"
"$home/lamina" up --data "$work/data" --port "$gateway" >"$work/up.log" 2>&1 &
others="$others $!"

echo "making an image of this machine's programs and libraries…" >&2
engine overlay2 overlay2
overlay2=$pid
mkdir "$work/context"
# pack FILE: a layer of the paths on standard input
pack() { tar -C / --numeric-owner --null --no-recursion -T - -cf "$work/context/$1"; }
cd /
find bin sbin lib lib64 -maxdepth 0 -type l -print0 2>/dev/null | sort -z >"$work/links"
{ cat "$work/links"; find usr/bin usr/sbin ! -type d -size -5M -print0 | sort -z; } | pack programs.tar
find usr/lib/*-linux-gnu usr/lib64 -maxdepth 1 ! -type d -name '*.so*' -print0 2>/dev/null | sort -z | pack libraries.tar
find usr/lib/*-linux-gnu/perl* usr/share/perl* usr/lib/python3 -print0 2>/dev/null | sort -z | pack data.tar
cd "$home"
printf 'FROM scratch\nADD programs.tar /\nADD libraries.tar /\nADD data.tar /\nCMD ["true"]\n' >"$work/context/Dockerfile"
direct=127.0.0.1:$registry/bench image=127.0.0.1:$registry_link/bench
on overlay2 build -q -t "$direct:1" "$work/context" >/dev/null
rm -r "$work/context"
size=$(on overlay2 image inspect --format '{{.Size}}' "$direct:1")
until_ok curl -fsS "http://127.0.0.1:$registry/v2/"
on overlay2 push -q "$direct:1" >/dev/null
until_ok curl -fsS "http://127.0.0.1:$gateway/health/ready"
export LAMINA_GATEWAY="http://127.0.0.1:$gateway"
"$home/lamina" repo create "$repository" >/dev/null
echo "converting it…" >&2
"$home/lamina" convert "$direct:1" --repo "$repository" --thin "$direct:thin" --wait >/dev/null
mkdir -p /run/docker/plugins
start_line 0 0
start_plugin
engine lamina "$name"
lamina=$pid

echo "an image of $((size / 1000000)) MB unpacked; medians of $rounds starts, of $((rounds * 5)) runs"
on lamina pull -q "$direct:1" >/dev/null
i=0
while [ $i -lt $((rounds * 5 + 2)) ]; do
  i=$((i + 1))
  for where in overlay2 lamina; do
    file=$work/run.$where
    [ $i -gt 2 ] || file=/dev/null # the first runs only warm up
    timed "$file" on "$where" run --rm --network none "$direct:1" true
  done
done
a=$(median "$work/run.overlay2" 1) b=$(median "$work/run.lamina" 1)
echo "run        overlay2 $a s   lamina $b s   ratio $(echo "$a $b" | awk '{ printf "%.2f", $2 / $1 }')"
on overlay2 rmi -f "$direct:1" >/dev/null
on lamina rmi -f "$direct:1" >/dev/null
stop "$link"

for line in "loopback 0 0" "20ms-100Mbit 10 100"; do
  set -- $line
  start_line "$2" "$3"
  i=0
  while [ $i -lt "$rounds" ]; do
    i=$((i + 1))
    timed "$work/$1.overlay2" on overlay2 run --rm --network none "$image:1" perl -MPOSIX -e 'print "up\n"'
    on overlay2 rmi -f "$image:1" >/dev/null
    stop "$lamina" "$plugin"
    rm -rf "$work/state/cvmfs"
    start_plugin
    engine lamina "$name"
    lamina=$pid
    timed "$work/$1.lamina" on lamina run --rm --network none "$image:thin" perl -MPOSIX -e 'print "up\n"'
    grep -qx up "$work/output"
    on lamina rmi -f "$image:thin" >/dev/null
  done
  stop "$link"
  for where in overlay2 lamina; do
    echo "$1 $where $(median "$work/$1.$where" 1) $(median "$work/$1.$where" 2)"
  done | awk '{ t[NR] = $3; b[NR] = $4; line = $1 } END {
    printf "start, %-13s overlay2 %.2f s, %.1f MB   lamina %.2f s, %.1f MB   time %.2f, bytes %.1f %%\n", line, t[1], b[1] / 1e6, t[2], b[2] / 1e6, t[2] / t[1], 100 * b[2] / b[1] }'
done
