#!/usr/bin/env bash
# A real OpenStack control plane on this machine's loopback. See README.md.
set -eEuo pipefail
umask 077  # the database asks for no password
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./lib.sh
. ./install.sh
. ./configure.sh
. ./services.sh

usage() {
  cat >&2 <<X
usage: bed.sh up [hn|hcm|doi-chung] | down | wipe | status | env
X
  exit 2
}

# What a saved state depends on. The base is Keystone's content and every configuration file; a story
# is seeded on top of it.
base_id() {
  (echo "$ROOT $PORTS" && cat lib.sh configure.sh databases.py certificate.py cast.py base.py plugins/*.py requirements.lock) |
    sha256sum | cut -c 1-12
}
story_id() {
  if [ "$1" = doi-chung ]; then cat seed.py seed_pairs.py; else cat seed.py; fi | sha256sum | cut -c 1-12
}

save() {  # ARCHIVE : the services must be stopped
  mkdir -p "$(dirname "$1")"
  tar -C "$STATE" --sparse --xattrs -czf "$1.new" data etc
  mv "$1.new" "$1"
  say "saved $(basename "$1"): $(du -h "$1" | cut -f 1)"
}

restore() {  # ARCHIVE : the logs of the run before are kept aside
  rm -rf "$DATA" "$ETC" "$STATE/log.old"
  mv "$LOG" "$STATE/log.old"
  mkdir -p "$LOG" "$RUN"
  tar -C "$STATE" --xattrs -xzf "$1"
}

retime() { quietly retime "$VENV/bin/python" databases.py retime; }

make_base() {  # ARCHIVE
  local f
  say "new base"
  # Stories of another base have other project ids.
  rm -rf "$ARCHIVES" "$STATE"
  mkdir -p "$LOG" "$RUN" "$DATA" "$ETC"
  write_config
  init_mariadb
  start_mariadb
  make_databases
  start_keystone
  quietly base "$VENV/bin/python" base.py
  stop_all
  save "$1"
}

make_story() {  # STORY ARCHIVE
  local site=$1
  say "new story $1"
  if [ "$1" = doi-chung ]; then
    site=hn
    # Passwords that are given from now on expire, as those of the base do not.
    sed -i 's/^\[security_compliance\]$/&\npassword_expires_days = 3650/' "$ETC/keystone/keystone.conf"
  fi
  sed -i "s/^storage_availability_zone = .*/storage_availability_zone = $site-az1/" \
    "$ETC/cinder/cinder.conf" "$ETC/manila/manila.conf"
  start_all
  quietly ready "$VENV/bin/python" ready.py
  # The scheduler would look for new hosts itself, but not at once.
  nova_manage cell_v2 discover_hosts
  quietly designate-db "$VENV/bin/designate-manage" --config-file "$ETC/designate/designate.conf" pool update \
    --file "$ETC/designate/pools.yaml" --skip-verify-drivers
  say "services are up, seeding"
  { "$VENV/bin/python" seed.py "$1" && { [ "$1" != doi-chung ] || "$VENV/bin/python" seed_pairs.py; }; } 2>&1 |
    tee -a "$LOG/seed.out" >&2 || die "seeding failed" "$LOG/nova-conductor.log" "$LOG/cinder-volume.log"
  stop_all
  save "$2"
}

up() {
  local story=${1:-hn} base archive
  case $story in hn | hcm | doi-chung) ;; *) usage ;; esac
  # MariaDB's socket must fit into 107 bytes.
  [ ${#RUN} -le 90 ] || die "the path $RUN is too long for a unix socket: set CLOUDAUDIT_BEDS to a shorter one"
  mkdir -p "$LOG" "$RUN"
  if [ "$(cat "$RUN/story" 2>/dev/null || true)" = "$story" ] && [ "$(running)" = ${#SERVICES[@]} ]; then
    say "$story is up already"
    return
  fi
  stop_all
  ports_free
  trap '[ $? = 0 ] || stop_all' EXIT
  install_all
  base=$ARCHIVES/$(base_id)/base.tgz
  archive=$ARCHIVES/$(base_id)/$story-$(story_id "$story").tgz
  if [ ! -s "$archive" ]; then
    if [ -s "$base" ]; then restore "$base"; else make_base "$base"; fi
    make_story "$story" "$archive"
  fi
  restore "$archive"
  start_all
  retime
  quietly ready "$VENV/bin/python" ready.py
  "$VENV/bin/python" describe.py clouds >"$STATE/clouds.yaml"
  echo "$story" >"$RUN/story"
  say "$story is up: $KEYSTONE_URL"
}

status() {
  local s n
  n=$(running)
  if [ "$n" = 0 ]; then echo "down"; return 3; fi
  echo "story $(cat "$RUN/story" 2>/dev/null || echo '(not finished)'), $n of ${#SERVICES[@]} services run"
  for s in "${SERVICES[@]}"; do alive "$s" || echo "not running: $s"; done
  [ "$n" = ${#SERVICES[@]} ] || return 4
}

print_env() {
  [ -s "$RUN/story" ] || die "the bed is down"
  "$VENV/bin/python" describe.py env
}

lock() {
  mkdir -p "$ROOT"
  exec 9>"$ROOT/lock"
  flock -n 9 || { say "waiting for another bed.sh"; flock 9; }
}

trap 'die "failed at line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
case ${1:-} in
  up) lock; up "${2:-}" ;;
  down) lock; stop_all; say "down" ;;
  wipe) lock; stop_all; rm -rf "$STATE" "$ARCHIVES"; say "wiped" ;;
  status) trap - ERR; status ;;
  env) print_env ;;
  *) usage ;;
esac
