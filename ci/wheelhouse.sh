#!/bin/sh
# Collect cloudaudit and everything it needs into one folder, from which a machine without network installs it:
#
#   sh ci/wheelhouse.sh FOLDER [EXTRA...]
#
# Run it from a checkout on a machine with network, the same operating system and the same Python minor version as
# the target's. What is downloaded must have the hashes of ci/requirements.lock. Packages of extras (pdf, docx, xlsx
# and the like) are not in that file: pip chooses them now. FOLDER/requirements.lock then holds the version and the
# hash of every file that was collected. PYTHON names another interpreter than python3.
#
# Exit codes: 0 made, 2 not made.
set -eu

die() {
  printf 'wheelhouse.sh: %s\n' "$1" >&2
  exit 2
}

[ "$#" -ge 1 ] || die 'usage: wheelhouse.sh FOLDER [EXTRA...]'
folder=$1
shift
extras=$(printf '%s,' "$@")
extras=${extras%,}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}

command -v "$python" >/dev/null || die "there is no $python; Python 3.11 or newer is needed, PYTHON names it"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "$python is too old: Python 3.11 or newer is needed, PYTHON names it"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
  die "$folder is not empty: give a new folder, so that nothing old is in it"
fi
mkdir -p "$folder" || exit 2
folder=$(CDPATH='' cd -- "$folder" && pwd)
work=$(mktemp -d)
trap 'code=$?; rm -rf "$work"; [ "$code" -eq 0 ] || [ "$code" -eq 130 ] || exit 2' EXIT
trap 'exit 130' INT TERM

"$python" -m venv "$work/env" || die 'no environment can be made: is python3-venv installed?'
pip() {
  "$work/env/bin/python" -m pip --disable-pip-version-check --quiet "$@" || die 'pip did not succeed: see above'
}

pip install --require-hashes --only-binary :all: -r "$here/build.lock"
# The same sources give the same wheel: hatchling takes this for the time of every file in it.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1580601600}
export SOURCE_DATE_EPOCH
pip wheel --no-deps --no-index --no-build-isolation --wheel-dir "$folder" "$(dirname "$here")"
pip download --require-hashes --only-binary :all: --no-deps --dest "$folder" -r "$here/requirements.lock"
if [ -n "$extras" ]; then
  # Constraints with hashes would make pip want them of the extras too.
  sed -n 's/^\([^ #]*==[^ ]*\).*/\1/p' "$here/requirements.lock" >"$work/constraints"
  set -- "$folder"/cloudaudit_vn-*.whl
  pip download --only-binary :all: --dest "$folder" --find-links "$folder" --constraint "$work/constraints" \
    "$1[$extras]"
fi
"$work/env/bin/python" "$here/locked.py" "$folder" >"$work/requirements.lock" || die 'the folder cannot be locked'
mv "$work/requirements.lock" "$folder/requirements.lock"
# What is missing is better known here than where there is no network.
pip install --dry-run --ignore-installed --no-index --find-links "$folder" --require-hashes \
  -r "$folder/requirements.lock"

cat <<END
$folder holds $(wc -l <"$folder/requirements.lock") packages. Where there is no network:
  python3 -m venv cloudaudit
  cloudaudit/bin/pip install --no-index --find-links FOLDER --require-hashes -r FOLDER/requirements.lock
END
