# Configuration files and databases of a new cloud. Sourced by bed.sh.
# shellcheck shell=bash

database() { echo "mysql+pymysql://root@/$1?unix_socket=$RUN/mariadb.sock&charset=utf8mb3"; }

as_user() {  # how a service logs in to Keystone
  cat <<X
auth_type = password
auth_url = $KEYSTONE_URL
username = $1
password = $SERVICE_PASSWORD
user_domain_name = Default
project_domain_name = Default
project_name = service
region_name = $REGION_HN
X
}

authtoken() {  # USER TYPE : how a service checks the tokens it is given
  # Without service_type every token with access rules is refused.
  cat <<X
[keystone_authtoken]
$(as_user "$1")
www_authenticate_uri = $KEYSTONE_URL
service_token_roles = service
service_token_roles_required = true
service_type = $2
X
}

common() {
  cat <<X
log_file = $LOG/$1.log
use_stderr = false
graceful_shutdown_timeout = 3
transport_url = $TRANSPORT_URL
X
}

locks() { printf '[oslo_concurrency]\nlock_path = %s/locks\n' "$DATA"; }

write_config() {
  local kind port n
  mkdir -p "$ETC"/{keystone,glance,nova,neutron,placement,cinder,octavia,manila,designate,swift} \
    "$ETC"/home/{.barbican,.heat} \
    "$DATA"/{nova,neutron,manila,designate,locks} "$DATA"/cinder/{volumes,backups} "$DATA"/glance/{images,staging,tasks} \
    "$DATA/swift/sdb1"

  cat >"$ETC/rabbitmq.conf" <<X
listeners.tcp.1 = 127.0.0.1:$P_RABBIT
vm_memory_high_watermark.absolute = 512MiB
log.console = false
X

  cat >"$ETC/keystone/keystone.conf" <<X
[DEFAULT]
log_file = $LOG/keystone.log
use_stderr = false
[database]
connection = $(database keystone)
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = $ETC/keystone/fernet-keys
[fernet_receipts]
key_repository = $ETC/keystone/fernet-receipts
[credential]
key_repository = $ETC/keystone/credential-keys
[auth]
methods = password,token,application_credential,totp,mapped
[cache]
enabled = true
backend = oslo_cache.dict
[security_compliance]
lockout_failure_attempts = 6
lockout_duration = 1800
unique_last_password_count = 3
password_regex = ^(?=.*\d)(?=.*[a-zA-Z]).{12,}$
password_regex_description = at least 12 characters with a letter and a digit
X

  cat >"$ETC/glance/glance-api.conf" <<X
[DEFAULT]
$(common glance)
enabled_backends = file:file
[database]
connection = $(database glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $DATA/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $DATA/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $DATA/glance/tasks
[paste_deploy]
flavor = keystone
config_file = $VENV/etc/glance/glance-api-paste.ini
$(authtoken glance image)
$(locks)
X

  cat >"$ETC/placement/placement.conf" <<X
[DEFAULT]
log_file = $LOG/placement.log
use_stderr = false
[placement_database]
connection = $(database placement)
[api]
auth_strategy = keystone
$(authtoken placement placement)
X

  cp "$VENV/etc/nova/api-paste.ini" "$ETC/nova/"
  cat >"$ETC/nova/nova.conf" <<X
[DEFAULT]
$(common nova)
state_path = $DATA/nova
my_ip = 127.0.0.1
host = controller
# The plain FakeDriver is another node at each start, which its own manager then refuses.
compute_driver = fake.FakeDriverWithoutFakeNodes
# After a restart the driver has forgotten its servers: do not let the records follow it.
sync_power_state_interval = -1
# Nothing is ever plugged, so no event will come from Neutron.
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
osapi_compute_workers = 1
rpc_response_timeout = 60
[api_database]
connection = $(database nova_api)
[database]
connection = $(database nova_cell1)
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 5
[filter_scheduler]
track_instance_changes = false
[vnc]
enabled = false
[glance]
$(as_user nova)
[neutron]
$(as_user nova)
[placement]
$(as_user nova)
[cinder]
$(as_user nova)
catalog_info = block-storage::publicURL
[service_user]
send_service_user_token = true
$(as_user nova)
$(authtoken nova compute)
$(locks)
X
  # Two hypervisors, or servers of an anti-affinity group could not be apart. nova-compute refuses to
  # run where it can see the databases.
  for n in 1 2; do
    mkdir -p "$DATA/nova-compute-$n"
    sed -e '/^\[\(api_\)\?database\]/,/^connection/d' -e "s/^host = .*/host = compute-$n/" \
      -e "s#^state_path = .*#state_path = $DATA/nova-compute-$n#" \
      "$ETC/nova/nova.conf" >"$ETC/nova/nova-compute-$n.conf"
  done

  cp "$VENV/etc/neutron/api-paste.ini" "$ETC/neutron/"
  cat >"$ETC/neutron/neutron.conf" <<X
[DEFAULT]
$(common neutron)
state_path = $DATA/neutron
api_paste_config = $ETC/neutron/api-paste.ini
core_plugin = ml2
service_plugins = router,qos,trunk,log,vpnaas
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
# Nobody serves DHCP, so there is nobody to tell about it.
dhcp_agent_notification = false
allow_automatic_dhcp_failover = false
rpc_workers = 0
api_workers = 1
[database]
connection = $(database neutron)
[service_providers]
service_provider = VPN:strongswan:neutron_vpnaas.services.vpn.service_drivers.ipsec.IPsecVPNDriver:default
$(authtoken neutron network)
[nova]
$(as_user neutron)
[placement]
$(as_user neutron)
$(locks)
[ml2]
type_drivers = flat,vlan,vxlan
tenant_network_types = vxlan
mechanism_drivers = openvswitch
extension_drivers = port_security,qos
[ml2_type_flat]
flat_networks = public
[ml2_type_vxlan]
vni_ranges = 1:1000
[securitygroup]
enable_security_group = true
X

  # The pipeline gets one more filter, for the listings that Cinder has no policy for.
  sed -e 's/ apiv3$/ bed_deny apiv3/' "$VENV/etc/cinder/api-paste.ini" >"$ETC/cinder/api-paste.ini"
  printf '\n[filter:bed_deny]\npaste.filter_factory = bed_cinder:deny_factory\n' >>"$ETC/cinder/api-paste.ini"
  cp "$VENV/etc/cinder/resource_filters.json" "$ETC/cinder/"
  PYTHONPATH=$HERE/plugins "$VENV/bin/python" "$HERE/plugins/bed_cinder.py" >"$ETC/cinder/policy.yaml" 2>>"$LOG/configure.out"
  cat >"$ETC/cinder/cinder.conf" <<X
[DEFAULT]
$(common cinder)
state_path = $DATA/cinder
host = bed
my_ip = 127.0.0.1
api_paste_config = $ETC/cinder/api-paste.ini
resource_query_filters_file = $ETC/cinder/resource_filters.json
rootwrap_config = $VENV/etc/cinder/rootwrap.conf
auth_strategy = keystone
# Rewritten for each story.
storage_availability_zone = nova
enabled_backends = file1
default_volume_type = standard
volume_clear = none
backup_driver = cinder.backup.drivers.posix.PosixBackupDriver
backup_posix_path = $DATA/cinder/backups
backup_workers = 1
# The scheduler knows no backend until cinder-volume reports, which is once a minute by default.
backend_stats_polling_interval = 5
periodic_interval = 5
# A chunk is held in memory whole, and the default is about 2 GB.
backup_file_size = 33554432
backup_compression_algorithm = none
osapi_volume_workers = 1
[file1]
volume_driver = bed_cinder.FileDriver
volume_backend_name = file1
bed_volume_dir = $DATA/cinder/volumes
[oslo_policy]
policy_file = $ETC/cinder/policy.yaml
[database]
connection = $(database cinder)
[key_manager]
backend = barbican
[barbican]
auth_endpoint = $KEYSTONE_URL
barbican_endpoint_type = public
barbican_region_name = $REGION_HN
[service_user]
send_service_user_token = true
$(as_user cinder)
[nova]
interface = public
$(as_user cinder)
# Nothing here needs a privilege: the helper keeps none, so that the bed also runs without root.
[cinder_sys_admin]
capabilities =
helper_command = $VENV/bin/privsep-helper --config-file $ETC/cinder/cinder.conf
[privsep_osbrick]
capabilities =
helper_command = $VENV/bin/privsep-helper --config-file $ETC/cinder/cinder.conf
$(authtoken cinder block-storage)
$(locks)
[coordination]
backend_url = file://$DATA/locks
X

  # Made once and saved with the rest: with another key the stored secrets could not be read.
  cat >"$ETC/home/.barbican/barbican.conf" <<X
[DEFAULT]
$(common barbican)
sql_connection = $(database barbican)
db_auto_create = true
host_href = http://127.0.0.1:$P_BARBICAN
[database]
connection = $(database barbican)
[queue]
enable = false
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = '$(head -c 32 /dev/urandom | base64)'
$(authtoken barbican key-manager)
X
  sed "s#%(here)s#$ETC#" "$VENV/etc/barbican/barbican-api-paste.ini" >"$ETC/barbican-api-paste.ini"

  # The amphora provider with its own no-op drivers. Its worker reads both authorities all the same.
  quietly configure "$VENV/bin/python" "$HERE/certificate.py" "$ETC/octavia/ca"
  cat >"$ETC/octavia/octavia.conf" <<X
[DEFAULT]
$(common octavia)
[database]
connection = $(database octavia)
[api_settings]
enabled_provider_drivers = amphora:amphora
default_provider_driver = amphora
allow_tls_terminated_listeners = true
[controller_worker]
workers = 1
amphora_driver = amphora_noop_driver
compute_driver = compute_noop_driver
network_driver = network_noop_driver
volume_driver = volume_noop_driver
image_driver = image_noop_driver
client_ca = $ETC/octavia/ca.pem
amp_image_tag = amphora
amp_flavor_id = 1
amp_boot_network_list = 00000000-0000-4000-8000-000000000003
loadbalancer_topology = SINGLE
[certificates]
cert_generator = local_cert_generator
cert_manager = barbican_cert_manager
ca_certificate = $ETC/octavia/ca.pem
ca_private_key = $ETC/octavia/ca.key
region_name = $REGION_HN
endpoint_type = public
[health_manager]
heartbeat_key = bed
[oslo_messaging]
topic = octavia_prov
[service_auth]
$(as_user octavia)
$(authtoken octavia load-balancer)
X

  # Manila's own dummy driver: shares without servers, replicas and backups.
  cat >"$ETC/manila/manila.conf" <<X
[DEFAULT]
$(common manila)
state_path = $DATA/manila
host = bed
my_ip = 127.0.0.1
api_paste_config = $VENV/etc/manila/api-paste.ini
rootwrap_config = $VENV/etc/manila/rootwrap.conf
auth_strategy = keystone
# Rewritten for each story.
storage_availability_zone = nova
enabled_share_backends = dummy1
enabled_share_protocols = NFS
default_share_type = default
osapi_share_workers = 1
periodic_interval = 5
[dummy1]
share_driver = manila.tests.share.drivers.dummy.DummyDriver
share_backend_name = dummy1
driver_handles_share_servers = false
replication_domain = dummy
[database]
connection = $(database manila)
$(authtoken manila shared-file-system)
$(locks)
[coordination]
backend_url = file://$DATA/locks
X

  cat >"$ETC/home/.heat/heat.conf" <<X
[DEFAULT]
$(common heat)
plugin_dirs =
environment_dir = $VENV/etc/heat/environment.d
template_dir = $VENV/etc/heat/templates
num_engine_workers = 1
region_name_for_services = $REGION_HN
auth_encryption_key = $(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
# No stack here has users of its own, so there is no domain for them.
stack_domain_admin = heat
[database]
connection = $(database heat)
[trustee]
$(as_user heat)
[clients_keystone]
auth_uri = $KEYSTONE_URL
[clients]
endpoint_type = publicURL
[heat_api]
workers = 1
[paste_deploy]
api_paste_config = $VENV/etc/heat/api-paste.ini
$(authtoken heat orchestration)
$(locks)
X

  cp "$VENV/etc/designate/api-paste.ini" "$ETC/designate/"
  cat >"$ETC/designate/designate.conf" <<X
[DEFAULT]
$(common designate)
state_path = $DATA/designate
[service:api]
auth_strategy = keystone
api_base_uri = http://127.0.0.1:$P_DESIGNATE/
[service:central]
workers = 1
[storage:sqlalchemy]
connection = $(database designate)
$(authtoken designate dns)
$(locks)
X
  cat >"$ETC/designate/pools.yaml" <<X
- name: default
  description: No server behind it
  attributes: {}
  ns_records:
    - hostname: ns1.example.
      priority: 1
  nameservers: []
  targets:
    - type: fake
      description: none
      masters:
        - host: 127.0.0.1
          port: 5354
      options: {}
X

  cat >"$ETC/swift/swift.conf" <<X
[swift-hash]
swift_hash_path_suffix = bed
swift_hash_path_prefix = bed
[storage-policy:0]
name = Policy-0
default = yes
X
  cat >"$ETC/swift/container-sync-realms.conf" <<X
[sg-realm]
key = $SYNC_REALM_KEY
cluster_sg-cluster = http://127.0.0.1:$P_SWIFT/v1/
X
  for kind in account container object; do
    port=P_SWIFT_${kind^^}
    cat >"$ETC/swift/$kind.conf" <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${!port}
workers = 0
user = $(id -un)
swift_dir = $ETC/swift
devices = $DATA/swift
mount_check = false
disable_fallocate = true
log_udp_host =
log_address = /dev/null
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
X
    (
      cd "$ETC/swift" || exit 1
      quietly configure "$VENV/bin/swift-ring-builder" "$kind.builder" create 4 1 0
      quietly configure "$VENV/bin/swift-ring-builder" "$kind.builder" add "r1z1-127.0.0.1:${!port}/sdb1" 1
      quietly configure "$VENV/bin/swift-ring-builder" "$kind.builder" rebalance
    )
  done
  cat >"$ETC/swift/proxy.conf" <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $P_SWIFT
workers = 0
user = $(id -un)
swift_dir = $ETC/swift
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats copy container_sync bulk tempurl ratelimit authtoken keystoneauth container-quotas account-quotas slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:copy]
use = egg:swift#copy
[filter:container_sync]
use = egg:swift#container_sync
current = //sg-realm/sg-cluster
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:ratelimit]
use = egg:swift#ratelimit
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
$(as_user swift)
www_authenticate_uri = $KEYSTONE_URL
delay_auth_decision = true
service_token_roles_required = true
service_type = object-store
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member, swiftoperator
project_reader_roles = swift_auditor
reseller_admin_role = ResellerAdmin
X
}

keystone_manage() { quietly keystone-db "$VENV/bin/keystone-manage" --config-file "$ETC/keystone/keystone.conf" "$@"; }
nova_manage() { quietly nova-db "$VENV/bin/nova-manage" --config-file "$ETC/nova/nova.conf" "$@"; }

# Needs MariaDB running.
make_databases() {
  local me group
  me=$(id -un) group=$(id -gn)
  services_env
  quietly databases "$VENV/bin/python" "$HERE/databases.py" create keystone glance placement nova_api nova_cell0 \
    nova_cell1 neutron cinder barbican octavia manila heat designate
  say "databases: keystone, glance, placement"
  keystone_manage db_sync
  keystone_manage fernet_setup --keystone-user "$me" --keystone-group "$group"
  keystone_manage credential_setup --keystone-user "$me" --keystone-group "$group"
  keystone_manage bootstrap --bootstrap-password "$ADMIN_PASSWORD" --bootstrap-region-id "$REGION_HN" \
    --bootstrap-admin-url "$KEYSTONE_URL" --bootstrap-public-url "$KEYSTONE_URL" \
    --bootstrap-internal-url "$KEYSTONE_URL"
  quietly glance-db "$VENV/bin/glance-manage" --config-file "$ETC/glance/glance-api.conf" db_sync
  quietly placement-db "$VENV/bin/placement-manage" --config-file "$ETC/placement/placement.conf" db sync
  say "databases: nova, cinder"
  nova_manage api_db sync
  nova_manage cell_v2 map_cell0 --database_connection "$(database nova_cell0)"
  nova_manage cell_v2 create_cell --name=cell1 --database_connection "$(database nova_cell1)" \
    --transport-url "$TRANSPORT_URL"
  nova_manage db sync
  quietly cinder-db "$VENV/bin/cinder-manage" --config-file "$ETC/cinder/cinder.conf" db sync
  quietly octavia-db "$VENV/bin/octavia-db-manage" --config-file "$ETC/octavia/octavia.conf" upgrade head
  say "databases: manila, heat, designate"
  quietly manila-db "$VENV/bin/manila-manage" --config-file "$ETC/manila/manila.conf" db sync
  quietly heat-db "$VENV/bin/heat-manage" --config-file "$ETC/home/.heat/heat.conf" db_sync
  quietly designate-db "$VENV/bin/designate-manage" --config-file "$ETC/designate/designate.conf" database sync
  say "databases: neutron"
  quietly neutron-db "$VENV/bin/neutron-db-manage" --config-file "$ETC/neutron/neutron.conf" upgrade heads
  quietly databases "$VENV/bin/python" "$HERE/databases.py" switch compute-1 compute-2
}
