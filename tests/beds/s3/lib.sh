# Parts common to the stores.  Sourced by bed.sh; "store files" are ceph.sh, swift.sh,
# seaweedfs.sh, juicefs.sh and rclone.sh.
# shellcheck shell=bash

BEDS=${CLOUDAUDIT_BEDS:-${XDG_CACHE_HOME:-$HOME/.cache}/cloudaudit/beds}/s3
FIRST_PORT=${CLOUDAUDIT_S3_BED_PORT:-21400}
PYTHON=${PYTHON:-python3}
PATH=$PATH:/usr/sbin:/sbin
case $BEDS in /*) ;; *) BEDS=$PWD/$BEDS ;; esac

log() { echo "s3 bed $NAME: $*" >&2; }
die() { log "$1"; exit "${2:-1}"; }

# ---------------------------------------------------------------- installing

# need_commands COMMAND=PACKAGE...   Install the Debian packages of the commands
# that are missing.  Services that a package would start are held back: the bed
# starts its own, with its own configuration.
need_commands() {
  local pair missing=() policy=/usr/sbin/policy-rc.d mine=no ok=no
  for pair; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]} (no apt-get here)" 3
  [ "$(id -u)" = 0 ] || die "missing Debian packages: ${missing[*]} (install them as root)" 3
  exec 7>"$BEDS/apt.lock"
  flock 7
  log "installing ${missing[*]}"
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    mine=yes
  fi
  # another apt may hold the locks: wait for it
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if ( umask 022; export DEBIAN_FRONTEND=noninteractive
         apt-get -qq update && apt-get -qq -y -o DPkg::Lock::Timeout=300 \
           install --no-install-recommends "${missing[@]}" </dev/null ) >"$BEDS/apt.log" 2>&1
    then ok=yes; break; fi
    sleep 6
  done
  [ $mine = no ] || rm -f $policy
  exec 7>&-
  [ $ok = yes ] || { tail -5 "$BEDS/apt.log" >&2; die "apt-get failed, see $BEDS/apt.log"; }
}

# venv NAME   Make the virtual environment NAME from requirements/NAME.txt, once;
# made anew when that file changes.  Sets VENV to its directory.
venv() {
  local want=$here/requirements/$1.txt
  VENV=$BEDS/venv-$1
  (
    flock 8
    cmp -s "$want" "$VENV/installed.txt" && exit 0
    log "making the virtual environment $1"
    rm -rf "$VENV"
    if ! "$PYTHON" -m venv "$VENV" >/dev/null 2>&1; then
      rm -rf "$VENV"                              # Debian packs ensurepip apart
      need_commands no-such-command=python3-venv
      "$PYTHON" -m venv "$VENV"
    fi
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check -r "$want" >"$VENV/pip.log" 2>&1 \
      || { tail -5 "$VENV/pip.log" >&2; die "pip failed, see $VENV/pip.log"; }
    cp "$want" "$VENV/installed.txt"
  ) 8>"$BEDS/venv-$1.lock"
}

# ------------------------------------------------------------------- secrets

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# credential NAME ACCESS_KEY NOTE [SECRET]   Remember a credential; its secret is
# drawn once and stays the same until the bed is wiped.
credential() {
  touch "$STATE/credentials.tsv"
  cut -f1 "$STATE/credentials.tsv" | grep -qx -- "$1" \
    || printf '%s\t%s\t%s\t%s\n' "$1" "$2" "${4:-$(random_hex 20)}" "$3" >>"$STATE/credentials.tsv"
}
access_of() { awk -F '\t' -v n="$1" '$1 == n {print $2}' "$STATE/credentials.tsv"; }
secret_of() { awk -F '\t' -v n="$1" '$1 == n {print $3}' "$STATE/credentials.tsv"; }

# A private authority and one server certificate for localhost and 127.0.0.1.
# Made anew when less than 400 days are left.  The key of the authority is thrown
# away after signing.
certificates() {
  local t=$STATE/tls
  if [ -s "$t/server.pem" ] && openssl x509 -in "$t/server.pem" -noout -checkend $((400 * 86400)) >/dev/null; then
    return 0
  fi
  mkdir -p "$t"
  openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 1500 -subj "/CN=cloudaudit S3 test bed $NAME" \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$t/ca.key" -out "$t/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$t/server.key" -out "$t/server.csr" 2>/dev/null
  openssl x509 -req -in "$t/server.csr" -CA "$t/ca.pem" -CAkey "$t/ca.key" -CAcreateserial -sha256 -days 1400 \
    -out "$t/server.pem" 2>/dev/null -extfile /dev/stdin <<X
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost,IP:127.0.0.1
X
  cat "$t/server.pem" "$t/server.key" >"$t/server-with-key.pem"
  rm -f "$t/ca.key" "$t/ca.srl" "$t/server.csr"
}

# ----------------------------------------------------------------- processes

# When a process began, in clock ticks since boot.  Kept beside the pid, so that
# a number the system has given to another process is never signalled.
birth_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

pid_of() { # NAME -> the pid, or failure when that process does not run
  local pid birth
  [ -s "$STATE/run/$1.pid" ] || return 1
  read -r pid birth <"$STATE/run/$1.pid"
  [ -n "$birth" ] && [ "$(birth_of "$pid")" = "$birth" ] || return 1
  case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in Z*|'') return 1 ;; esac
  echo "$pid"
}
running() { pid_of "$1" >/dev/null; }

spawn() { # NAME COMMAND...   Start a daemon that stays in the foreground
  local name=$1
  shift
  running "$name" && return 0
  mkdir -p "$STATE/run" "$STATE/log"
  setsid "$@" >>"$STATE/log/$name.out" 2>&1 </dev/null 8>&- 9>&- &
  echo "$! $(birth_of $!)" >"$STATE/run/$name.pid"
}

halt() { # NAME [SECONDS]   Ask a process to end; insist after SECONDS
  local pid tenths=$((${2:-15} * 10))
  if pid=$(pid_of "$1"); then
    kill "$pid" || true
    while running "$1" && [ $tenths -gt 0 ]; do sleep 0.1; tenths=$((tenths - 1)); done
    if running "$1"; then kill -9 "$pid" || true; sleep 0.2; fi
  fi
  rm -f "$STATE/run/$1.pid"
}

wait_for() { # SECONDS PROCESS COMMAND...   Until COMMAND succeeds
  local end=$((SECONDS + $1)) name=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    running "$name" || { tail -5 "$STATE/log/$name.out" >&2; die "$name ended, see $STATE/log/$name.out"; }
    [ $SECONDS -lt $end ] || die "$name does not answer, see $STATE/log"
    sleep 0.2
  done
}

answers() { curl -s -o /dev/null --noproxy '*' --max-time 2 "$@"; }

free_port() { # PORT...   Fail when somebody else listens there already
  local port
  for port; do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null \
      || die "port $port is taken; set CLOUDAUDIT_S3_BED_PORT to another range"
  done
}

# ------------------------------------------------------------------ commands

locked() { mkdir -p "$BEDS"; exec 9>"$BEDS/$NAME.lock"; flock 9; }

all_running() { local p; for p in $PROCESSES; do running "$p" || return 1; done; }

describe() { # yes|no -> the JSON object of `env`
  local python=$BEDS/venv-client/bin/python
  [ -x "$python" ] || python=$PYTHON
  "$python" "$here/describe.py" "$STATE" "$1"
}

bed_up() {
  local began=$SECONDS
  locked
  need_commands openssl=openssl curl=curl
  store_install
  venv client
  mkdir -p "$STATE/run" "$STATE/log"
  all_running || store_start
  store_facts >"$STATE/facts.tsv"
  describe yes >/dev/null
  bed_seed
  log "up after $((SECONDS - began)) s"
}

bed_reseed() {
  locked
  bed_seed again
}

bed_seed() { # [again]
  all_running || die "not up" 3
  # an empty environment: no AWS set-up of the caller, no proxy on the way to loopback
  describe yes | env -i HOME="$STATE" PATH="$PATH" LC_ALL=C.UTF-8 NO_PROXY='*' \
    "$BEDS/venv-client/bin/python" "$here/seed.py" "$STATE/truth.json" "$@"
}

bed_down() {
  locked
  stop_all
}

stop_all() {
  local p reverse=
  for p in $PROCESSES; do reverse="$p $reverse"; done
  for p in $reverse; do store_stop "$p"; done
}

bed_wipe() {
  bed_down
  rm -rf "$STATE"
}

bed_status() {
  local p pid code=0
  for p in $PROCESSES; do
    if pid=$(pid_of "$p"); then
      echo "$p up pid=$pid $(awk '/^VmRSS/ {printf "%d MB", $2 / 1024}' "/proc/$pid/status")"
    else
      echo "$p down"
      code=3
    fi
  done
  return $code
}

bed_env() {
  [ -s "$STATE/facts.tsv" ] || die "never started here: run 'bed.sh $store up' first" 3
  if all_running; then describe yes; else describe no; fi
}

store_stop() { halt "$1"; }
