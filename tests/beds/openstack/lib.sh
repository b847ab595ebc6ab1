# Settings and helpers of the OpenStack bed. Sourced by bed.sh, never run by itself.
# shellcheck shell=bash

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=${CLOUDAUDIT_BEDS:-${XDG_CACHE_HOME:-$HOME/.cache}/cloudaudit/beds}/openstack
VENV=$ROOT/venv             # every Python service, one environment
DEB=$ROOT/deb               # Debian packages, unpacked and not installed
ARCHIVES=$ROOT/archives     # saved states
STATE=$ROOT/state           # the running cloud: all that a saved state brings back, and its logs
ETC=$STATE/etc DATA=$STATE/data LOG=$STATE/log RUN=$STATE/run

# Two regions, but one set of services: the second is a catalogue entry with the same addresses.
REGION_ROOT=vn REGION_HN=vn-hn-1 REGION_HCM=vn-hcm-1

# All ports are below the range from which the system takes ports for outgoing connections
# (32768 and up on Linux): a port in that range can be busy at the moment a service starts.
# A second bed on one machine has its own folder and an offset to every port.
PORTS=${CLOUDAUDIT_BED_PORTS:-0}
if ! [[ $PORTS =~ ^(0|[1-9][0-9]{0,3})$ ]] || ((PORTS > 2800)); then
  echo "CLOUDAUDIT_BED_PORTS must be a number from 0 to 2800" >&2
  exit 2
fi
P_KEYSTONE=$((25000 + PORTS))
P_GLANCE=$((29292 + PORTS))
P_NEUTRON=$((29696 + PORTS))
P_PLACEMENT=$((28778 + PORTS))
P_NOVA=$((28774 + PORTS))
P_CINDER=$((28776 + PORTS))
P_BARBICAN=$((29311 + PORTS))
P_OCTAVIA=$((29876 + PORTS))
P_MANILA=$((28786 + PORTS))
P_HEAT=$((28004 + PORTS))
P_DESIGNATE=$((29001 + PORTS))
P_SWIFT=$((28080 + PORTS))
P_SWIFT_ACCOUNT=$((26202 + PORTS))
P_SWIFT_CONTAINER=$((26201 + PORTS))
P_SWIFT_OBJECT=$((26200 + PORTS))
P_RABBIT=$((25672 + PORTS))
P_RABBIT_DIST=$((25673 + PORTS))
P_EPMD=$((24369 + PORTS))

KEYSTONE_URL=http://127.0.0.1:$P_KEYSTONE/v3
TRANSPORT_URL=rabbit://guest:guest@127.0.0.1:$P_RABBIT/

# Passwords are planted strings as well: an audit that shows one of them has leaked it.
ADMIN_PASSWORD=PLANTED-pw-admin-5f0c1
SERVICE_PASSWORD=PLANTED-pw-service-8d27e
SYNC_REALM_KEY=PLANTED-swift-realm-key-b3a94

export ROOT STATE ETC DATA LOG RUN REGION_ROOT REGION_HN REGION_HCM ADMIN_PASSWORD SERVICE_PASSWORD
export SYNC_REALM_KEY KEYSTONE_URL
# shellcheck disable=SC2086,SC2163
export ${!P_*}

# Nothing of the caller's own cloud or Python may reach the services.
unset ${!OS_@} PYTHONPATH PYTHONHOME
export PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1
# A client of the loopback must not go through a proxy.
export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost

# Progress goes to stderr; stdout belongs to the answer of `env`.
say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

# die MESSAGE [LOGFILE...] : the last lines of the logs, the message, and out.
die() {
  local message=$1 f
  shift
  for f in "$@"; do
    [ -s "$f" ] || continue
    printf -- '--- end of %s\n' "$f" >&2
    tail -n 30 "$f" | cut -c 1-500 >&2
  done
  printf 'bed.sh: %s\n' "$message" >&2
  trap - ERR
  exit 1
}

# quietly NAME COMMAND... : run it with its output in a log of its own; on failure show the end of that log.
quietly() {
  local log=$LOG/$1.out
  shift
  "$@" >>"$log" 2>&1 || die "failed: $*" "$log"
}

# A pid file holds the pid and the time the process started, so that a pid taken over by another
# program (after a reboot, say) is never mistaken for the bed's.
started() { { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null || true; } | cut -d ' ' -f 20; }
alive() {
  local pid since
  [ -s "$RUN/$1.pid" ] && read -r pid since <"$RUN/$1.pid" && [ -n "$since" ] && [ "$(started "$pid")" = "$since" ]
}

# spawn NAME COMMAND... : in the background, in a process group of its own, with a log and a pid file.
spawn() {
  local name=$1
  shift
  alive "$name" && return 0
  setsid "$@" >>"$LOG/$name.out" 2>&1 </dev/null 9>&- &
  echo "$! $(started $!)" >"$RUN/$name.pid"
  disown
}

answers() {  # PORT : something accepts connections there
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

answers_http() {  # PORT PATH : something speaks HTTP there, whatever its status
  local line
  (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3 &&
    read -r -t 5 line <&3 && [[ $line == HTTP/* ]]) 2>/dev/null
}

# wait_for NAME SECONDS CONDITION... : until the condition holds, as long as the process of NAME lives.
wait_for() {
  local name=$1 end=$((SECONDS + $2))
  shift 2
  until "$@"; do
    alive "$name" || die "$name ended" "$LOG/$name.log" "$LOG/$name.out"
    [ $SECONDS -lt $end ] || die "$name does not answer" "$LOG/$name.log" "$LOG/$name.out"
    sleep 0.3
  done
}
