# Starting and stopping. Sourced by bed.sh.
# shellcheck shell=bash

# The order of starting; stopping goes the other way round.
SERVICES=(mariadb epmd rabbit keystone placement glance neutron cinder-api nova-api barbican
  swift-account swift-container swift-object swift-proxy
  nova-conductor nova-scheduler nova-compute-1 nova-compute-2 cinder-scheduler cinder-volume cinder-backup
  octavia octavia-worker manila-api manila-scheduler manila-share heat-api heat-engine designate designate-central)

# One process with a few threads each. Connections are closed after each answer: uWSGI's plain HTTP
# socket does not keep them, and without the header clients that try to see resets.
UWSGI=(--processes 1 --threads 4 --enable-threads --single-interpreter --need-app --die-on-term
  --buffer-size 65535 --disable-logging --add-header "Connection: close")

services_env() {
  export HOME=$ETC/home PYTHONPATH=$HERE/plugins
  export OS_KEYSTONE_CONFIG_DIR=$ETC/keystone OS_PLACEMENT_CONFIG_DIR=$ETC/placement
  export OS_GLANCE_CONFIG_DIR=$ETC/glance OS_NOVA_CONFIG_DIR=$ETC/nova
  export OS_DESIGNATE_CONFIG_DIR=$ETC/designate
  export OS_NEUTRON_CONFIG_DIR=$ETC/neutron OS_NEUTRON_CONFIG_FILES=neutron.conf
}

mariadb_args() {
  local share=$DEB/usr/share/mysql
  # Durability is off: the state can always be restored from its archive.
  MARIADB=("$DEB/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --datadir="$DATA/mariadb"
    --lc-messages-dir="$share" --character-sets-dir="$share/charsets" --character-set-server=utf8mb3
    --tmpdir="$DATA" --innodb-buffer-pool-size=96M --innodb-log-file-size=16M
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-flush-method=nosync
    --skip-log-bin --performance-schema=off --key-buffer-size=1M --aria-pagecache-buffer-size=1M
    --plugin-maturity=unknown --skip-grant-tables)
  LIBS=$(echo "$DEB"/usr/lib/*-linux-gnu)
}

init_mariadb() {
  local share=$DEB/usr/share/mysql
  mariadb_args
  mkdir -p "$DATA/mariadb"
  {
    printf 'create database if not exists mysql;\nuse mysql;\n'
    cat "$share"/mysql_system_tables.sql "$share"/mysql_performance_tables.sql "$share"/mysql_system_tables_data.sql
  } | LD_LIBRARY_PATH=$LIBS quietly mariadb-init "${MARIADB[@]}" --bootstrap
}

start_mariadb() {
  mariadb_args
  rm -f "$RUN/mariadb.sock"
  # A unix socket only: no port at all.
  spawn mariadb env LD_LIBRARY_PATH="$LIBS" "${MARIADB[@]}" --skip-networking --max-connections=400 \
    --socket="$RUN/mariadb.sock" --pid-file="$RUN/mariadbd.own"
  wait_for mariadb 60 test -S "$RUN/mariadb.sock"
}

start_rabbit() {
  mkdir -p "$DATA/rabbit/home" "$LOG/rabbit"
  echo '[].' >"$DATA/rabbit/enabled_plugins"
  # Erlang's port mapper is a process of its own, on loopback: left to itself the broker would start
  # one that outlives it and listens everywhere. With RUNNING_UNDER_SYSTEMD the server script becomes
  # the broker, so the pid is the right one.
  local erlang=(env HOME="$DATA/rabbit/home" PATH="$DEB/usr/lib/erlang/bin:$PATH" LD_LIBRARY_PATH="$LIBS"
    ERL_EPMD_PORT="$P_EPMD" ERL_EPMD_ADDRESS=127.0.0.1 ERL_CRASH_DUMP="$LOG/rabbit/erl_crash.dump"
    RABBITMQ_NODENAME=bed@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$P_RABBIT"
    RABBITMQ_DIST_PORT="$P_RABBIT_DIST" RABBITMQ_MNESIA_BASE="$DATA/rabbit/mnesia"
    RABBITMQ_LOG_BASE="$LOG/rabbit" RABBITMQ_ENABLED_PLUGINS_FILE="$DATA/rabbit/enabled_plugins"
    RABBITMQ_CONFIG_FILE="$ETC/rabbitmq.conf" RABBITMQ_CONF_ENV_FILE=/dev/null
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none"
    RUNNING_UNDER_SYSTEMD=true RABBITMQ_ALLOW_INPUT=)
  spawn epmd "${erlang[@]}" "$(echo "$DEB"/usr/lib/erlang/erts-*/bin/epmd)" -address 127.0.0.1 -port "$P_EPMD"
  wait_for epmd 30 answers "$P_EPMD"
  (cd "$DATA/rabbit" && spawn rabbit "${erlang[@]}" "$DEB/usr/lib/rabbitmq/bin/rabbitmq-server" -noinput)
}

api() {  # NAME PORT MODULE [ARGS]
  local name=$1 port=$2 module=$3
  shift 3
  spawn "$name" "$VENV/bin/uwsgi" --http-socket "127.0.0.1:$port" --module "$module:application" \
    "${UWSGI[@]}" --procname "bed-$name" "$@"
}

start_keystone() {
  api keystone "$P_KEYSTONE" keystone.wsgi.api
  wait_for keystone 120 answers_http "$P_KEYSTONE" /v3
}

ports_free() {
  local p
  for p in ${!P_*}; do
    ! answers "${!p}" || die "port ${!p} on 127.0.0.1 is taken by something else: see CLOUDAUDIT_BED_PORTS"
  done
}

start_all() {
  local s
  mkdir -p "$LOG" "$RUN"
  services_env
  start_mariadb
  start_rabbit
  start_keystone
  wait_for rabbit 120 answers "$P_RABBIT"

  api placement "$P_PLACEMENT" placement.wsgi.api
  api glance "$P_GLANCE" glance.wsgi.api
  api neutron "$P_NEUTRON" neutron.wsgi.api
  api cinder-api "$P_CINDER" cinder.wsgi.api \
    --pyargv "--config-file $ETC/cinder/cinder.conf --log-file $LOG/cinder-api.log"
  api nova-api "$P_NOVA" nova.wsgi.osapi_compute
  api octavia "$P_OCTAVIA" bed_octavia --pyargv "--config-file $ETC/octavia/octavia.conf --log-file $LOG/octavia.log"
  api manila-api "$P_MANILA" manila.wsgi.api \
    --pyargv "--config-file $ETC/manila/manila.conf --log-file $LOG/manila-api.log"
  api heat-api "$P_HEAT" heat.wsgi.api
  api designate "$P_DESIGNATE" designate.wsgi.api
  # Barbican's module has its configuration's place written in; its paste file has not.
  spawn barbican "$VENV/bin/uwsgi" --http-socket "127.0.0.1:$P_BARBICAN" \
    --paste "config:$ETC/barbican-api-paste.ini" "${UWSGI[@]}" --procname bed-barbican
  for s in account container object proxy; do
    spawn "swift-$s" "$VENV/bin/swift-$s-server" "$ETC/swift/$s.conf"
  done
  for s in conductor scheduler; do
    spawn "nova-$s" "$VENV/bin/nova-$s" --config-file "$ETC/nova/nova.conf" --log-file "$LOG/nova-$s.log"
  done
  for s in scheduler volume backup; do
    spawn "cinder-$s" "$VENV/bin/cinder-$s" --config-file "$ETC/cinder/cinder.conf" --log-file "$LOG/cinder-$s.log"
  done

  spawn octavia-worker "$VENV/bin/python" -m bed_octavia --config-file "$ETC/octavia/octavia.conf" \
    --log-file "$LOG/octavia-worker.log"
  for s in scheduler share; do
    spawn "manila-$s" "$VENV/bin/manila-$s" --config-file "$ETC/manila/manila.conf" --log-file "$LOG/manila-$s.log"
  done
  spawn heat-engine "$VENV/bin/heat-engine" --config-file "$ETC/home/.heat/heat.conf" --log-file "$LOG/heat-engine.log"
  spawn designate-central "$VENV/bin/designate-central" --config-file "$ETC/designate/designate.conf" \
    --log-file "$LOG/designate-central.log"

  # A compute that does not reach Placement at its start tries again only a minute later.
  wait_for placement 120 answers_http "$P_PLACEMENT" /
  for s in 1 2; do
    spawn "nova-compute-$s" "$VENV/bin/nova-compute" --config-file "$ETC/nova/nova-compute-$s.conf" \
      --log-file "$LOG/nova-compute-$s.log"
  done
  wait_for glance 120 answers_http "$P_GLANCE" /
  wait_for neutron 120 answers_http "$P_NEUTRON" /
  wait_for cinder-api 120 answers_http "$P_CINDER" /
  wait_for nova-api 120 answers_http "$P_NOVA" /
  wait_for barbican 120 answers_http "$P_BARBICAN" /
  wait_for manila-api 120 answers_http "$P_MANILA" /
  wait_for heat-api 120 answers_http "$P_HEAT" /
  wait_for designate 120 answers_http "$P_DESIGNATE" /
  wait_for octavia 120 answers_http "$P_OCTAVIA" /
  wait_for swift-proxy 120 answers_http "$P_SWIFT" /healthcheck
  for s in "${SERVICES[@]}"; do
    alive "$s" || die "$s ended" "$LOG/$s.log" "$LOG/$s.out"
  done
}

# end NAME... : ask all of them, then wait for each. Only pids from the bed's own pid files.
end() {
  local n pid i ours=()
  for n in "$@"; do
    if alive "$n"; then
      ours+=("$n")
      read -r pid _ <"$RUN/$n.pid"
      kill -TERM "$pid" 2>/dev/null || true
    else
      rm -f "$RUN/$n.pid"
    fi
  done
  for n in "${ours[@]}"; do
    read -r pid _ <"$RUN/$n.pid"
    for ((i = 0; i < 100; i++)); do
      alive "$n" || break
      sleep 0.2
    done
    # Each service leads a process group, so workers that outlived it are ended with it.
    kill -KILL -- "-$pid" 2>/dev/null || true
    rm -f "$RUN/$n.pid"
  done
}

stop_all() {
  local s rest=()
  rm -f "$RUN/story"
  for s in "${SERVICES[@]}"; do
    case $s in mariadb | rabbit | epmd) ;; *) rest=("$s" "${rest[@]}") ;; esac
  done
  end "${rest[@]}"
  end rabbit mariadb
  end epmd
}

running() {  # how many of the services live
  local s n=0
  for s in "${SERVICES[@]}"; do
    if alive "$s"; then n=$((n + 1)); fi
  done
  echo $n
}
