# The S3 gateway of JuiceFS: MinIO's front end over a file system whose metadata are
# in SQLite and whose data are in a directory.  Two gateways, http and https, over one volume.
# shellcheck shell=bash

NAME=juicefs
PROCESSES="gateway gateway-tls"
JFS_PORT=$((FIRST_PORT + 60))

store_install() { venv juicefs; }

store_configure() {
  mkdir -p "$STATE/data" "$STATE/home" "$STATE/home-tls/.minio/certs"
  certificates
  cp "$STATE/tls/server.pem" "$STATE/home-tls/.minio/certs/public.crt"
  cp "$STATE/tls/server.key" "$STATE/home-tls/.minio/certs/private.key"
  credential owner VNJFSOWNER000000BED "the root user: everything is allowed to it, whatever the policies say"
  credential reader VNJFSREADER00000BED "another user; its policy lets it list and read all buckets but nhan-ban and nhan-ban-dich, and denies s3:Get* in bi-tu-choi"
  credential other VNJFSOTHER000000BED "another user, whose policy allows everything in the bucket khach-khac only"
  credential empty VNJFSEMPTY000000BED "another user, without a policy: nothing is allowed to it"
  credential unknown VNJFSUNKNOWN0000BED "no such access key"
  credential wrong_secret VNJFSOWNER000000BED "the owner's access key with a wrong secret"
}

gateway() { # PROCESS PORT METRICS_PORT HOME   TLS is spoken where HOME has MinIO's certificates
  spawn "$1" env HOME="$4" MINIO_ROOT_USER="$(access_of owner)" MINIO_ROOT_PASSWORD="$(secret_of owner)" \
    MINIO_REGION_NAME=vn-hn-1 \
    "$BEDS/venv-juicefs/bin/juicefs" gateway --multi-buckets --keep-etag --object-tag --object-meta \
    --no-banner --no-usage-report --backup-meta 0 --metrics "127.0.0.1:$3" \
    --cache-dir "$STATE/cache" --log "$STATE/log/$1.log" "sqlite3://$STATE/meta.db" "127.0.0.1:$2"
}

store_start() {
  local p=$JFS_PORT
  store_configure
  running gateway || free_port "$p" $((p + 2))
  running gateway-tls || free_port $((p + 1)) $((p + 3))
  if [ ! -e "$STATE/built" ]; then
    rm -f "$STATE/meta.db"
    "$BEDS/venv-juicefs/bin/juicefs" format --storage file --bucket "$STATE/data" --trash-days 0 \
      "sqlite3://$STATE/meta.db" bed >"$STATE/log/format.out" 2>&1 || die "no volume, see $STATE/log/format.out"
    touch "$STATE/built"
  fi
  gateway gateway "$p" $((p + 2)) "$STATE/home"
  wait_for 60 gateway answers "http://127.0.0.1:$p/"
  gateway gateway-tls $((p + 1)) $((p + 3)) "$STATE/home-tls"
  wait_for 60 gateway-tls answers --cacert "$STATE/tls/ca.pem" "https://127.0.0.1:$((p + 1))/"
  env -i PATH="$PATH" NO_PROXY='*' "$BEDS/venv-juicefs/bin/python" "$here/juicefs_users.py" "127.0.0.1:$p" \
    <"$STATE/credentials.tsv" || die "the users could not be made"
}

# Nobody who signs is weighed by bucket policies here: they are for strangers, and the principal
# is only there because the seed names one.
store_facts() {
  printf '%s\t%s\n' \
    store juicefs \
    version "$("$BEDS/venv-juicefs/bin/juicefs" version | sed 's/.*version \([0-9.]*\).*/\1/')" \
    endpoints.http "http://127.0.0.1:$JFS_PORT" \
    endpoints.https "https://127.0.0.1:$((JFS_PORT + 1))" \
    ca "$STATE/tls/ca.pem" \
    region vn-hn-1 \
    location_constraint vn-hn-1 \
    reader_principal arn:aws:iam:::user/reader
}
