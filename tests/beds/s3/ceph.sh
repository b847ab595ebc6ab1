# Ceph RADOS Gateway: one monitor, one OSD that keeps its objects in memory, two
# gateways; no manager.  One realm "vn" with two zonegroups: vn-hn (master) and
# vn-hcm, so that a bucket can be "elsewhere".
# shellcheck shell=bash

NAME=ceph
PROCESSES="mon osd rgw-hn rgw-hcm"
MON_PORT=$FIRST_PORT
RGW_PORT=$((FIRST_PORT + 10))
BUILT=built.3                                   # another name whenever what is built changes
TOTP_SERIAL=khoa-xoa
HN=http://127.0.0.1:$RGW_PORT
HCM=http://127.0.0.1:$((RGW_PORT + 2))

store_install() {
  need_commands radosgw=radosgw ceph-mon=ceph-mon ceph-osd=ceph-osd ceph=ceph-common
}

c() { local program=$1; shift; "$program" --conf "$STATE/ceph.conf" "$@"; }
store_admin() { c radosgw-admin "$@"; }

store_configure() {
  mkdir -p "$STATE/mon" "$STATE/osd"
  [ -s "$STATE/fsid" ] || cat /proc/sys/kernel/random/uuid >"$STATE/fsid"
  certificates
  credential owner VNOWNER0000000000BED "ordinary user that owns the seeded buckets"
  credential reader VNREADER000000000BED "another user, let in by bucket policies"
  credential other VNOTHER0000000000BED "another user, owns the bucket khach-khac only"
  credential empty VNEMPTY0000000000BED "another user, owns nothing"
  credential caps VNCAPS00000000000BED "another user, with read caps of the admin API for all that it tells"
  credential few_caps VNFEWCAPS00000000BED "another user, with the caps buckets=read and metadata=read only"
  credential unknown VNUNKNOWN00000000BED "no such access key"
  credential wrong_secret VNOWNER0000000000BED "the owner's access key with a wrong secret"
  [ -s "$STATE/sync-secret" ] || random_hex 20 >"$STATE/sync-secret"
  [ -s "$STATE/totp-seed" ] || random_hex 20 >"$STATE/totp-seed"
  # Why some lines are there:
  #   osd fast shutdown       a memstore OSD writes its objects to disk only when it ends in good order
  #   one placement group and one index shard per pool or bucket: quick start, little memory
  #   mon max pg per osd      the two zones make some thirty pools
  #   tcp_nodelay             without it every answer on a kept connection takes 40 ms more
  #   rgw sync lease period   after a restart the second zonegroup waits for the old lease to end (120 s)
  #   admin socket            off: the path of a socket may not exceed 107 bytes
  cat >"$STATE/ceph.conf" <<C
[global]
fsid = $(cat "$STATE/fsid")
mon host = [v2:127.0.0.1:$MON_PORT,v1:127.0.0.1:$((MON_PORT + 1))]
mon initial members = a
auth allow insecure global id reclaim = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = $((FIRST_PORT + 20))
ms bind port max = $((FIRST_PORT + 39))
run dir = $STATE/run
admin socket =
log file = $STATE/log/\$name.log
crash dir = $STATE/log
keyring = $STATE/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
mon data avail warn = 2
mon data avail crit = 1
mon warn on pool no redundancy = false

[mon]
mon data = $STATE/mon

[osd]
osd data = $STATE/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd class load list = *
osd class default list = *
osd memory target = 939524096
osd op num shards = 2
osd fast shutdown = false

[client]
rgw thread pool size = 32
rgw override bucket index max shards = 1
rgw gc max objs = 2
rgw lc max objs = 2
rgw usage max shards = 2
rgw md log max shards = 4
rgw data log num shards = 4
rgw enable usage log = true
rgw sync lease period = 10

[client.rgw.hn]
rgw frontends = beast endpoint=127.0.0.1:$RGW_PORT ssl_endpoint=127.0.0.1:$((RGW_PORT + 1)) ssl_certificate=$STATE/tls/server-with-key.pem tcp_nodelay=1
rgw realm = vn
rgw zonegroup = vn-hn
rgw zone = vn-hn-1
rgw dns name = localhost

[client.rgw.hcm]
rgw frontends = beast endpoint=127.0.0.1:$((RGW_PORT + 2)) ssl_endpoint=127.0.0.1:$((RGW_PORT + 3)) ssl_certificate=$STATE/tls/server-with-key.pem tcp_nodelay=1
rgw realm = vn
rgw zonegroup = vn-hcm
rgw zone = vn-hcm-1
rgw dns name = localhost
C
}

keyring() {
  # One keyring with every key and its rights, handed to the monitor when it is
  # made: nothing needs to be registered afterwards.
  local k=(ceph-authtool "$STATE/keyring" --gen-key) r
  rm -f "$STATE/keyring"
  ceph-authtool --create-keyring "$STATE/keyring"
  "${k[@]}" -n mon. --cap mon 'allow *'
  "${k[@]}" -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  "${k[@]}" -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
  for r in hn hcm; do
    "${k[@]}" -n client.rgw.$r --cap mon 'allow rwx' --cap osd 'allow rwx' --cap mgr 'allow rw'
  done
}

mon_answers() { c ceph --connect-timeout 3 mon stat; }
osd_is_up() { c ceph --connect-timeout 3 osd stat | grep -q '1 up'; }

cluster() {
  local uuid
  if [ ! -e "$STATE/$BUILT" ]; then
    keyring
    monmaptool --create --clobber --fsid "$(cat "$STATE/fsid")" \
      --addv a "[v2:127.0.0.1:$MON_PORT,v1:127.0.0.1:$((MON_PORT + 1))]" "$STATE/monmap"
    c ceph-mon --mkfs -i a --monmap "$STATE/monmap" --keyring "$STATE/keyring"
  fi >>"$STATE/log/build.out" 2>&1
  spawn mon ceph-mon --conf "$STATE/ceph.conf" -f -i a --pid-file ""
  wait_for 60 mon mon_answers
  if [ ! -e "$STATE/$BUILT" ]; then
    uuid=$(cat /proc/sys/kernel/random/uuid)
    c ceph osd new "$uuid" 0
    c ceph-osd -i 0 --mkfs --osd-uuid "$uuid"
    c ceph osd crush add osd.0 1.0 root=default host=bed
  fi >>"$STATE/log/build.out" 2>&1
  rm -f "$STATE/osd-saved"
  spawn osd ceph-osd --conf "$STATE/ceph.conf" -f -i 0 --keyring "$STATE/keyring" --pid-file ""
  wait_for 60 osd osd_is_up
}

user() { # CREDENTIAL NAME [OPTIONS]
  local who=$1 name=$2
  shift 2
  store_admin user create --uid="$who" --display-name="$name" \
    --access-key="$(access_of "$who")" --secret="$(secret_of "$who")" "$@"
}

realm() {
  local sync=(--access-key=VNSYNC00000000000BED --secret="$(cat "$STATE/sync-secret")")
  store_admin realm create --rgw-realm=vn --default
  store_admin zonegroup create --rgw-zonegroup=vn-hn --rgw-realm=vn --endpoints="$HN" --master --default
  store_admin zone create --rgw-zonegroup=vn-hn --rgw-zone=vn-hn-1 --endpoints="$HN" --master --default "${sync[@]}"
  store_admin period update --commit
  store_admin user create --uid=sync --display-name=sync --system "${sync[@]}"
  store_admin zonegroup create --rgw-zonegroup=vn-hcm --rgw-realm=vn --endpoints="$HCM"
  store_admin zone create --rgw-zonegroup=vn-hcm --rgw-zone=vn-hcm-1 --endpoints="$HCM" --master "${sync[@]}"
  # PutBucketReplication answers 405 unless the zonegroup has a sync policy
  store_admin sync group create --group-id=nhom --status=allowed
  store_admin sync group flow create --group-id=nhom --flow-id=luong --flow-type=symmetrical --zones=vn-hn-1
  store_admin sync group pipe create --group-id=nhom --pipe-id=ong \
    --source-zones='*' --source-bucket='*' --dest-zones='*' --dest-bucket='*'
  store_admin period update --commit
  user owner "Chủ tài khoản"
  user reader "Kiểm toán chỉ đọc"
  user other "Khách hàng khác"
  user empty "Người dùng trống"
  user caps "Kiểm toán vận hành" \
    --caps="zone=read;metadata=read;users=read;buckets=read;usage=read;mdlog=read;datalog=read"
  user few_caps "Kiểm toán hạn mức" --caps="buckets=read;metadata=read"
  # users without a credential: what is told of them is not what is told of every user
  store_admin user create --uid=chi-doc --tenant=congtya --display-name="Chỉ đọc" --op-mask=read --max-buckets=-1
  store_admin user create --uid=da-ngung --display-name="Đã ngừng"
  store_admin user suspend --uid=da-ngung
  store_admin quota set --quota-scope=user --uid=other --max-size=1073741824 --max-objects=10000
  store_admin quota enable --quota-scope=user --uid=other
  store_admin quota set --quota-scope=bucket --uid=other --max-objects=500
  store_admin mfa create --uid=owner --totp-serial="$TOTP_SERIAL" --totp-seed="$(cat "$STATE/totp-seed")" \
    --totp-seed-type=hex
}

store_start() {
  if [ -d "$STATE/mon" ] && { [ ! -e "$STATE/$BUILT" ] || { ! running osd && [ ! -e "$STATE/osd-saved" ]; }; }; then
    # half built, or by an older file than this, or the OSD did not end in good order (power cut, kill -9): its
    # objects are gone, and a gateway started over them hangs
    log "the objects were not saved when this bed last ended: building it anew"
    stop_all
    rm -rf "$STATE/mon" "$STATE/osd" "$STATE/fsid" "$STATE/$BUILT" "$STATE/truth.json"
  fi
  running mon || free_port "$MON_PORT" $((MON_PORT + 1))
  running rgw-hn || free_port "$RGW_PORT" $((RGW_PORT + 1))
  running rgw-hcm || free_port $((RGW_PORT + 2)) $((RGW_PORT + 3))
  store_configure
  cluster
  if [ ! -e "$STATE/$BUILT" ]; then
    realm >>"$STATE/log/build.out" 2>&1
    touch "$STATE/$BUILT"
  fi
  local r
  for r in hn hcm; do
    spawn rgw-$r radosgw --conf "$STATE/ceph.conf" -f -n client.rgw.$r --keyring "$STATE/keyring" --pid-file ""
  done
  wait_for 90 rgw-hn answers "$HN"
  wait_for 90 rgw-hcm answers "$HCM"
}

store_stop() {
  local was=no
  if [ "$1" = osd ] && running osd; then was=yes; touch "$STATE/osd-stopping"; fi
  halt "$1" 30
  # the list of collections is what an OSD in memory saves last
  if [ $was = yes ] && [ "$STATE/osd/collections" -nt "$STATE/osd-stopping" ]; then touch "$STATE/osd-saved"; fi
}

store_facts() {
  printf '%s\t%s\n' \
    store ceph \
    version "$(radosgw --version | awk '{print $3}')" \
    endpoints.http "$HN" \
    endpoints.https "https://127.0.0.1:$((RGW_PORT + 1))" \
    second.http "$HCM" \
    second.https "https://127.0.0.1:$((RGW_PORT + 3))" \
    second.region vn-hcm \
    ca "$STATE/tls/ca.pem" \
    region vn-hn \
    location_constraint vn-hn \
    totp.serial "$TOTP_SERIAL" \
    totp.seed "$(cat "$STATE/totp-seed")" \
    reader_principal arn:aws:iam:::user/reader
}
