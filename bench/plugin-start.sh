#!/bin/sh
# Time from the start of `lamina plugin` to its answer to an engine's first question, with and without layers of an earlier
# engine; as root. usage: bench/plugin-start.sh [RUNS]
set -eu
home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
runs=${1:-5}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
command -v curl >/dev/null || { echo "plugin-start: curl is needed" >&2; exit 1; }
cat >"$scratch/settings" <<END
plugin.name = start
plugin.state = $scratch/state
plugin.runtime = $scratch/run
plugin.socket = $scratch/sockets/start.sock
plugin.client = embedded
END
ask() {
  curl -s --max-time 2 --unix-socket "$scratch/sockets/start.sock" -X POST "http://plugin/$1" -d "${2:-}"
}
now() { date +%s%N; }

"$home/lamina" --version >/dev/null # builds if it has to
for run in $(seq "$runs"); do
  rm -f "$scratch/sockets/start.sock"
  begin=$(now)
  LAMINA_LOG_LEVEL=WARN "$home/lamina" plugin --config "$scratch/settings" >/dev/null 2>"$scratch/log" &
  plugin=$!
  # No process is started while it starts, which would be part of what is measured.
  until [ -S "$scratch/sockets/start.sock" ]; do
    kill -0 "$plugin" 2>/dev/null || { cat "$scratch/log" >&2; exit 1; }
    sleep 0.01
  done
  until answer=$(ask Plugin.Activate 2>/dev/null) && [ -n "$answer" ]; do
    kill -0 "$plugin" 2>/dev/null || { cat "$scratch/log" >&2; exit 1; }
  done
  end=$(now)
  case $answer in *GraphDriver*) ;; *) echo "plugin-start: answered $answer" >&2; exit 1 ;; esac
  cpu=$(awk '{print $14 + $15}' "/proc/$plugin/stat")
  echo "run $run: $(((end - begin) / 1000000)) ms, $((cpu * 10)) ms of processor time, $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$plugin/status") MB"
  # From the second run on there are layers to be opened before the answer.
  ask GraphDriver.Init '{"Home":"/start","Opts":null,"UIDMaps":null,"GIDMaps":null}' >/dev/null
  kill "$plugin"
  wait "$plugin" || true
done
