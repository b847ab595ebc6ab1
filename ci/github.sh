#!/bin/sh
# The steps of action.yml, apart from it so that tests run them in a shell as a runner does:
#
#   github.sh install   makes an environment with cloudaudit in it; output `command`
#   github.sh audit     audits, shows what was found, and ends with the exit code of cloudaudit
#
# Everything comes in through AUDIT_* variables and the runner's own, and is never put into a script's text.
# Set-up that does not succeed ends with 2: 1 is for violations only.
set -eu

newline='
'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# Whatever of this script itself does not succeed is no violation, either.
finished=
trap 'code=$?; [ -n "$finished" ] || [ "$code" -eq 0 ] || exit 2' EXIT

# What stands in a message of ours, written as the runner's commands want it.
escaped() {
  printf '%s' "$1" | tr -d '\r' | sed 's/%/%25/g' | awk 'NR > 1 { printf "%%0A" } { printf "%s", $0 }'
}

die() {
  printf '::error title=cloudaudit::%s\n' "$(escaped "$1")"
  exit 2
}

output() {
  case $2 in
    *"$newline"*) die "the output $1 would hold more than one line" ;;
    *) ;;
  esac
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

install() {
  if [ -n "${AUDIT_COMMAND:-}" ]; then
    command -v "$AUDIT_COMMAND" >/dev/null || die "command: there is no $AUDIT_COMMAND on this runner"
    output command "$AUDIT_COMMAND"
    return
  fi
  home=$(mktemp -d "$RUNNER_TEMP/cloudaudit.XXXXXX")
  wheels=${AUDIT_WHEELHOUSE:-}
  if [ -z "$wheels" ]; then
    wheels=$home/wheels
    sh "$here/wheelhouse.sh" "$wheels" || die 'cloudaudit could not be fetched or built: the log says why'
  fi
  [ -f "$wheels/requirements.lock" ] || die "wheelhouse: there is no requirements.lock in $wheels"
  {
    "${PYTHON:-python3}" -m venv "$home/env" &&
      "$home/env/bin/python" -m pip --quiet --disable-pip-version-check install --no-index \
        --find-links "$wheels" --require-hashes -r "$wheels/requirements.lock" &&
      "$home/env/bin/cloudaudit" --version
  } || die 'cloudaudit could not be installed: the log says why'
  output command "$home/env/bin/cloudaudit"
}

audit() {
  report=${AUDIT_REPORT:-cloudaudit-report}
  # Of an earlier run in a workspace that was kept, of subjects that may be gone.
  rm -f -- "$report"/sarif/cloudaudit*.sarif "$report"/junit/cloudaudit*.xml "$report"/summary/summary*.md \
    "$report"/report.html "$report"/report.json "$report"/*/report.html "$report"/*/report.json
  set -- run --targets "${AUDIT_TARGETS:-targets.yaml}" --output "$report" --format github \
    --export "sarif=$report/sarif/cloudaudit.sarif" --export "junit=$report/junit/cloudaudit.xml" \
    --export "github-summary=$report/summary/summary.md"
  [ -z "${AUDIT_PROFILE:-}" ] || set -- "$@" --profile "$AUDIT_PROFILE"
  [ -z "${AUDIT_REGISTERS:-}" ] || set -- "$@" --registers "$AUDIT_REGISTERS"
  [ -z "${AUDIT_FAIL_ON:-}" ] || set -- "$@" --fail-on "$AUDIT_FAIL_ON"
  [ -z "${AUDIT_BASELINE:-}" ] || set -- "$@" --baseline "$AUDIT_BASELINE"
  [ -z "${AUDIT_LANG:-}" ] || set -- "$@" --lang "$AUDIT_LANG"
  case ${AUDIT_ALLOW_INCOMPLETE:-false} in
    true) set -- "$@" --allow-incomplete ;;
    false) ;;
    *) die "allow-incomplete: '$AUDIT_ALLOW_INCOMPLETE' is neither true nor false" ;;
  esac
  # One on each line, so that nothing has to be quoted and nothing is taken apart.
  while IFS= read -r line; do
    [ -z "$line" ] || set -- "$@" --controls "$line"
  done <<END
${AUDIT_CONTROLS:-}
END
  while IFS= read -r line; do
    [ -z "$line" ] || set -- "$@" "$line"
  done <<END
${AUDIT_ARGUMENTS:-}
END

  shown=$(mktemp "$RUNNER_TEMP/cloudaudit.XXXXXX")
  # NOTE: The runner obeys commands in all that a step prints, stderr too, and old ones (##[…]) in the middle of a
  # line. Messages may quote what a cloud or a file says; only what the format `github` escaped is let be obeyed.
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$token"
  code=0
  "${AUDIT_COMMAND:-cloudaudit}" "$@" >"$shown" || code=$?
  printf '\n::%s::\n' "$token"
  cat "$shown"
  rm -f "$shown"

  output exit-code "$code"
  summarise "$code" "$report"
  case $code in
    0 | 1 | 3)
      output report "$report"
      output sarif "$report/sarif"
      output junit "$report/junit"
      ;;
    *) printf '::error title=cloudaudit::no result: exit code %s, the log says why\n' "$code" ;;
  esac
  finished=yes
  return "$code"
}

# The summary of the job. NOTE: over 1 MiB GitHub drops all of a step's, so that more of several subjects is left out.
summarise() {
  if [ "$1" -eq 2 ] || [ "$1" -ge 4 ]; then
    printf '**cloudaudit**: no result, exit code %s; the log says why.\n' "$1" >>"$GITHUB_STEP_SUMMARY"
    return
  fi
  room=1000000
  for one in "$2"/summary/*.md; do
    [ -f "$one" ] || continue
    size=$(wc -c <"$one")
    if [ "$size" -gt "$room" ]; then
      printf '\n%s: too long to show here, see the report.\n' "${one##*/}" >>"$GITHUB_STEP_SUMMARY"
    else
      cat "$one" >>"$GITHUB_STEP_SUMMARY"
      printf '\n' >>"$GITHUB_STEP_SUMMARY"
      room=$((room - size - 100))
    fi
  done
}

case ${1:-} in
  install) install ;;
  audit) audit ;;
  *) die 'usage: github.sh install|audit' ;;
esac
