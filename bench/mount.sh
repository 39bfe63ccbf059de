#!/bin/sh
# Compares reading a tree from a local folder with reading it from a mounted repository, cold and warm, and with the original client where it is installed.
#   bench/mount.sh REPO KEY NAME [PATH]
# REPO: the repository's folder or web address; KEY: its public key; PATH: the directory to read (default: all). As root.
# Rows: find (every entry's status), small (every file up to 64 kB), large (the largest file). Columns: seconds on the clock, processor seconds of the reader,
# processor seconds of the client. cold: empty cache; disk: full cache, new mount; kernel: once more in the same mount.
set -eu
[ $# -ge 3 ] || { sed -n 2,7p "$0" >&2; exit 2; }
repo=$1 key=$(readlink -f "$2") name=$3 path=${4:-}
home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lamina-mount-bench.XXXXXX")
client=
mkdir "$work/mnt" "$work/cache" "$work/local"
finish() {
  umount "$work/mnt" 2>/dev/null || umount -l "$work/mnt" 2>/dev/null || true
  [ -z "$client" ] || wait "$client" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# processor seconds of a process so far; its command may hold blanks, so count behind the bracket
cpu_of() {
  [ -n "$1" ] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f", ($12 + $13) / hz }' || echo 0
}

# row WHAT STATE DIRECTORY COMMAND…: runs the command in the directory
row() {
  what=$1 state=$2 folder=$3
  shift 3
  before=$(cpu_of "$pid")
  # shellcheck disable=SC2016 # for the inner shell
  times=$(cd "$folder" && bash -c 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null' bench "$@" 2>&1 | tail -1)
  after=$(cpu_of "$pid")
  echo "$what $state $times $before $after" | awk '{ printf "%-10s %-8s %8.3f %8.2f %8.2f\n", $1, $2, $3, $4 + $5, $7 - $6 }'
}

rows() {
  row "$1-find" "$2" "$3" find . -printf '%s %m %U %T@\n'
  row "$1-small" "$2" "$3" sh -c 'find . -type f -size -65k -print0 | xargs -0 cat'
  row "$1-large" "$2" "$3" cat "$large"
}

mounted() {
  i=0
  until mountpoint -q "$work/mnt"; do
    i=$((i + 1))
    [ $i -lt 600 ] || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
}

# mount_lamina: sets pid to the JVM, which the launcher becomes
mount_lamina() {
  "$home/lamina" mount "$repo" "$work/mnt" --key "$key" --name "$name" --cache "$work/cache" --cache-size 100g >"$work/log" 2>&1 &
  client=$!
  pid=$client
  mounted
}

unmount() {
  umount "$work/mnt"
  [ -z "$client" ] || wait "$client" || true
  client=
  i=0
  while [ -n "$pid" ] && [ -d "/proc/$pid" ] && [ $i -lt 100 ]; do
    sleep 0.1
    i=$((i + 1))
  done
}

pid=
mount_lamina
echo "copying the tree (it fills the first cache, which is thrown away)" >&2
cp -a "$work/mnt/$path/." "$work/local/"
unmount
rm -rf "$work/cache" && mkdir "$work/cache"
large=$(cd "$work/local" && find . -type f -printf '%s %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
echo "entries $(find "$work/local" | wc -l), files $(find "$work/local" -type f | wc -l), MB $(du -sm "$work/local" | cut -f1), largest MB $(du -m "$work/local/$large" | cut -f1); load $(cut -d' ' -f1 /proc/loadavg)"
echo "row        state         s  reader s client s"
pid=
rows local warm "$work/local"
mount_lamina
rows lamina cold "$work/mnt/$path"
rows lamina kernel "$work/mnt/$path"
unmount
mount_lamina
rows lamina disk "$work/mnt/$path"
unmount

original=$(command -v cvmfs2 || ls /opt/cvmfs/bin/cvmfs2 2>/dev/null || true)
if [ -n "$original" ]; then
  server=$repo
  [ ! -d "$repo" ] || server="file://$(readlink -f "$repo")"
  mkdir "$work/original"
  chmod 755 "$work"
  {
    echo "CVMFS_CACHE_BASE=$work/original"
    echo "CVMFS_RELOAD_SOCKETS=$work/original"
    echo "CVMFS_SERVER_URL=$server"
    echo "CVMFS_HTTP_PROXY=DIRECT"
    echo "CVMFS_PUBLIC_KEY=$key"
    echo "CVMFS_CLAIM_OWNERSHIP=no"
    echo "CVMFS_QUOTA_LIMIT=-1"
  } >"$work/conf"
  mount_original() {
    "$original" -o "config=$work/conf,disable_watchdog,simple_options_parsing,system_mount" "$name" "$work/mnt" >"$work/log" 2>&1 ||
      "$original" -o "config=$work/conf,disable_watchdog,simple_options_parsing" "$name" "$work/mnt" >"$work/log" 2>&1
    mounted
    pid=$(pgrep -f -n "config=$work/conf" || true)
  }
  mount_original
  rows original cold "$work/mnt/$path"
  rows original kernel "$work/mnt/$path"
  unmount
  mount_original
  rows original disk "$work/mnt/$path"
  unmount
fi
