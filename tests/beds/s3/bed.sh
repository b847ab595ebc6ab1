#!/usr/bin/env bash
# Real S3 stores on loopback, seeded with buckets whose configuration is known.
#
#   bed.sh STORE COMMAND
#
#   STORE    ceph | swift | swift-acl | seaweedfs | juicefs | rclone | all
#   COMMAND  up      install what is missing, start, seed; may be repeated
#            down    stop the processes this bed started; the data stay
#            wipe    down, then delete the data, certificates and credentials
#            status  one line per process; exit code 0 only when all of them run
#            env     one JSON object: endpoints, credentials, path of truth.json
#            seed    put the seed in again and rewrite truth.json (bed must be up)
#            admin   (ceph only) radosgw-admin with the arguments that follow
#
# Variables:
#   CLOUDAUDIT_BEDS          state and caches (default: the user's cache directory)
#   CLOUDAUDIT_S3_BED_PORT   first of the 100 ports used (default 21400)
#   PYTHON                   interpreter the virtual environments are made from
#
# Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not up, or something is missing
# that only root may install.
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stores="ceph swift swift-acl seaweedfs juicefs rclone"

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
[ $# -ge 2 ] || usage
store=$1 command=$2
shift 2

if [ "$store" = all ]; then
  worst=0
  case $command in
    up|down|wipe|status|seed) ;;
    *) usage ;;
  esac
  for one in $stores; do
    [ "$command" != status ] || echo "$one:"
    "$here/bed.sh" "$one" "$command" || worst=$?
  done
  exit "$worst"
fi

case " $stores " in *" $store "*) ;; *) usage ;; esac
. "$here/lib.sh"
# shellcheck disable=SC1090
. "$here/${store%-acl}.sh"                      # the two of Swift differ in one setting

# Each store file supplies: NAME, PROCESSES (in starting order), store_install,
# store_start and store_facts; lib.sh does the rest.
STATE=$BEDS/$NAME
case $command in
  up)     bed_up ;;
  down)   bed_down ;;
  wipe)   bed_wipe ;;
  status) bed_status ;;
  env)    bed_env ;;
  seed)   bed_reseed ;;
  admin)  [ "$store" = ceph ] || usage
          store_admin "$@" ;;
  *)      usage ;;
esac
