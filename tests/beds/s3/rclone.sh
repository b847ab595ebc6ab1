# rclone serve s3: a directory as an object store, which knows nothing of settings and answers
# questions about them with a listing of the bucket.  Two processes, http and https, over one directory.
# shellcheck shell=bash

NAME=rclone
PROCESSES="rclone rclone-tls"
RCLONE_PORT=$((FIRST_PORT + 70))

store_install() { venv rclone; }

store_configure() {
  mkdir -p "$STATE/data" "$STATE/cache"
  certificates
  credential owner VNRCLONEOWNER "one of three keys of equal right: the store knows no users"
  credential reader VNRCLONEREADER "another key of the same right"
  credential other VNRCLONEOTHER "another key of the same right"
  credential unknown VNRCLONEUNKNOWN "no such access key"
  credential wrong_secret VNRCLONEOWNER "the owner's access key with a wrong secret"
}

serve() { # PROCESS PORT [OPTIONS]
  local name=$1 port=$2 keys=() who
  shift 2
  for who in owner reader other; do keys+=("\"$(access_of $who),$(secret_of $who)\""); done
  # What one process writes the other one sees a second later.
  # NOTE: with --dir-cache-time 1s each directory ever listed has a timer of no length, which takes a whole core.
  spawn "$name" env RCLONE_AUTH_KEY="$(IFS=,; echo "${keys[*]}")" HOME="$STATE" \
    "$BEDS/venv-rclone/bin/rclone" serve s3 "$STATE/data" --config /dev/null --cache-dir "$STATE/cache" \
    --dir-cache-time 1s --addr "127.0.0.1:$port" "$@"
}

store_start() {
  local p=$RCLONE_PORT
  store_configure
  running rclone || free_port "$p"
  running rclone-tls || free_port $((p + 1))
  serve rclone "$p"
  serve rclone-tls $((p + 1)) --cert "$STATE/tls/server.pem" --key "$STATE/tls/server.key"
  wait_for 30 rclone answers "http://127.0.0.1:$p/"
  wait_for 30 rclone-tls answers --cacert "$STATE/tls/ca.pem" "https://127.0.0.1:$((p + 1))/"
}

store_facts() {
  printf '%s\t%s\n' \
    store rclone \
    version "$("$BEDS/venv-rclone/bin/rclone" version | sed -n '1s/^rclone v//p')" \
    endpoints.http "http://127.0.0.1:$RCLONE_PORT" \
    endpoints.https "https://127.0.0.1:$((RCLONE_PORT + 1))" \
    ca "$STATE/tls/ca.pem" \
    region us-east-1 \
    reader_principal arn:aws:iam:::user/reader
}
