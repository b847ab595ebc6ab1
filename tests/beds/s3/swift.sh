# OpenStack Swift, all in one: proxy (http and https), account, container and
# object server, one replica, s3api over tempauth.  memcached holds the tokens
# of the native API, which is the only way to see some of what the S3 one hides.
# Two stores: swift, and swift-acl with s3api's s3_acl switched on.
# shellcheck shell=bash

NAME=$store
case $NAME in
  swift)     S3_ACL=false SWIFT_PORT=$((FIRST_PORT + 40)) ;;
  swift-acl) S3_ACL=true SWIFT_PORT=$((FIRST_PORT + 50)) ;;
esac
PROCESSES="memcached account container object proxy proxy-tls"

store_install() {
  need_commands memcached=memcached
  venv swift
}

# Log lines go to the standard output (-v); the copy for syslog goes to a loopback
# port where nobody listens, not to the log of the machine.
quiet="log_udp_host = 127.0.0.1
log_udp_port = $((SWIFT_PORT + 9))"

proxy_conf() { # PORT [EXTRA LINES]
  cat <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = $(id -un)
swift_dir = $STATE/etc
$quiet
${2:-}

[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk ratelimit s3api tempauth copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-logging proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true

[filter:s3api]
use = egg:swift#s3api
location = vn-hn-1
s3_acl = $S3_ACL
dns_compliant_bucket_names = true
storage_domain = localhost

[filter:tempauth]
use = egg:swift#tempauth
user_congtya_chu = $(secret_of owner) .admin
user_congtya_doc = $(secret_of reader)
user_congtyb_chu = $(secret_of other) .admin
user_congtyc_chu = $(secret_of empty) .admin

[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((SWIFT_PORT + 5))

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true

C
  local f
  for f in catch_errors gatekeeper healthcheck proxy-logging listing_formats bulk ratelimit copy \
           container-quotas account-quotas slo dlo symlink; do
    printf '[filter:%s]\nuse = egg:swift#%s\n\n' "$f" "${f//-/_}"
  done
}

store_configure() {
  local etc=$STATE/etc bin=$BEDS/venv-swift/bin port=$((SWIFT_PORT + 2)) part
  mkdir -p "$etc" "$STATE/srv/sd1"
  certificates
  credential owner congtya:chu "administrator of the account congtya, owns the seeded buckets"
  credential reader congtya:doc "user of the account congtya without any right"
  credential other congtyb:chu "administrator of the account congtyb"
  credential empty congtyc:chu "administrator of the account congtyc, which has no buckets"
  credential unknown congtya:khong-co "no such user"
  credential wrong_secret congtya:chu "the owner's access key with a wrong secret"
  printf '[swift-hash]\nswift_hash_path_prefix = bed\nswift_hash_path_suffix = bed\n\n[storage-policy:0]\nname = chuan\ndefault = yes\n' \
    >"$etc/swift.conf"
  for part in account container object; do
    cat >"$etc/$part.conf" <<C
[DEFAULT]
devices = $STATE/srv
mount_check = false
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
user = $(id -un)
swift_dir = $etc
$quiet
fallocate_reserve = 0
db_preallocation = off
recon_cache_path = $STATE/run

[pipeline:main]
pipeline = $part-server

[app:$part-server]
use = egg:swift#$part
C
    if [ ! -s "$etc/$part.ring.gz" ]; then
      ( cd "$etc"; rm -f "$part.builder"
        "$bin/swift-ring-builder" $part.builder create 4 1 1
        "$bin/swift-ring-builder" $part.builder add "r1z1-127.0.0.1:$port/sd1" 1
        "$bin/swift-ring-builder" $part.builder rebalance ) >>"$STATE/log/ring.out" 2>&1 || true
      [ -s "$etc/$part.ring.gz" ] || die "no $part ring, see $STATE/log/ring.out"
    fi
    port=$((port + 1))
  done
  proxy_conf "$SWIFT_PORT" >"$etc/proxy.conf"
  proxy_conf $((SWIFT_PORT + 1)) "cert_file = $STATE/tls/server.pem
key_file = $STATE/tls/server.key" >"$etc/proxy-tls.conf"
}

store_start() {
  local p=$SWIFT_PORT bin=$BEDS/venv-swift/bin n who
  store_configure
  for n in $PROCESSES; do running "$n" && break; done \
    || free_port "$p" $((p + 1)) $((p + 2)) $((p + 3)) $((p + 4)) $((p + 5))
  spawn memcached memcached -l 127.0.0.1 -p $((p + 5)) -U 0 -m 16 -u "$(id -un)"
  for n in account container object proxy; do
    spawn $n "$bin/swift-$n-server" "$STATE/etc/$n.conf" -v
  done
  spawn proxy-tls "$bin/swift-proxy-server" "$STATE/etc/proxy-tls.conf" -v
  wait_for 60 proxy answers -f "http://127.0.0.1:$p/healthcheck"
  wait_for 60 proxy-tls answers -f --cacert "$STATE/tls/ca.pem" "https://127.0.0.1:$((p + 1))/healthcheck"
  # Answering /healthcheck needs no storage server: a HEAD of the account does,
  # and with account_autocreate it also makes the account.
  for who in owner other empty; do
    wait_for 60 proxy account_ready "$(access_of $who)" "$(secret_of $who)"
  done
}

account_ready() { # USER KEY
  local url=http://127.0.0.1:$SWIFT_PORT token
  token=$(curl -s --noproxy '*' --max-time 5 -D - -o /dev/null -H "X-Auth-User: $1" -H "X-Auth-Key: $2" "$url/auth/v1.0" \
    | tr -d '\r' | sed -n 's/^[Xx]-[Aa]uth-[Tt]oken: //p')
  [ -n "$token" ] && answers -f -I -H "X-Auth-Token: $token" "$url/v1/AUTH_${1%%:*}"
}

store_facts() {
  printf '%s\t%s\n' \
    store $NAME \
    version "$("$BEDS/venv-swift/bin/python" -c 'import importlib.metadata as m; print(m.version("swift"))')" \
    s3_acl "$S3_ACL" \
    endpoints.http "http://127.0.0.1:$SWIFT_PORT" \
    endpoints.https "https://127.0.0.1:$((SWIFT_PORT + 1))" \
    ca "$STATE/tls/ca.pem" \
    region vn-hn-1 \
    location_constraint vn-hn-1 \
    reader_principal arn:aws:iam::congtya:user/doc \
    native.auth "http://127.0.0.1:$SWIFT_PORT/auth/v1.0" \
    native.storage "http://127.0.0.1:$SWIFT_PORT/v1/AUTH_congtya"
}
