"""A real OpenStack control plane: every type that can be collected, against what was seeded.

No profile asks for all of them. Here everything is asked for: by an administrator for all projects, by a
reader of one project, and by those whom a service shows what it refuses to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from audits import TYPES, Audit, leaks
from beds import OpenStackBed
from declared import HANOI

from cloudaudit.model import Reason, Resource

WHOLE = ("whole_operator", "whole_system", "whole_reader", "whole_owner")
SHOP = "cong-dich-vu"


def facts(resource: Resource, *names: str) -> dict[str, Any]:
    return {name: resource.facts.get(name) for name in names}


def of_seed(audit: Audit, bed: OpenStackBed, kind: str) -> dict[str, tuple[Resource, Mapping[str, Any]]]:
    """What was seeded of a kind with what was seen of it, by name. The same things, no more and no fewer."""
    seen = {resource.id: resource for resource in audit.resources(f"openstack.{kind}")}
    seeded = {thing["id"]: thing for thing in bed.things(kind)}
    assert seen.keys() == seeded.keys() != set()
    assert {id_: one.name for id_, one in seen.items()} == {id_: one["name"] for id_, one in seeded.items()}
    return {thing["name"]: (seen[id_], thing) for id_, thing in seeded.items()}


def proven(audit: Audit, kind: str) -> bool:
    """Whether the list of a type is known to be whole, in every scope it was asked for in."""
    type_ = f"openstack.{kind}"
    return audit.gaps(type_) == [] and audit.listings(type_) != []


def refusals(audit: Audit, kind: str) -> set[Reason]:
    return {gap.reason for gap in audit.gaps(f"openstack.{kind}")}


# --- of all -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", WHOLE)
def test_every_type_ends_in_a_list_or_a_gap(made: str, request: pytest.FixtureRequest) -> None:
    audit: Audit = request.getfixturevalue(made)
    types = {name for name in TYPES if name.startswith("openstack.")}
    assert audit.snapshot.types == types
    assert {type_ for type_ in types if not audit.listings(type_) and not audit.gaps(type_)} == set()


@pytest.mark.parametrize("made", WHOLE)
def test_no_answer_of_a_real_service_is_misunderstood(made: str, request: pytest.FixtureRequest) -> None:
    """What the services answer is what the collectors take it for."""
    audit: Audit = request.getfixturevalue(made)
    odd = {Reason.INVALID_ANSWER, Reason.TIMEOUT, Reason.NOT_COLLECTED}
    assert [gap for gap in audit.snapshot.gaps() if gap.reason in odd] == []
    unseen = {
        (type_, fact, why.reason, why.detail)
        for type_ in audit.snapshot.types
        for resource in audit.resources(type_)
        for fact, why in resource.unseen.items()
    }
    assert {entry for entry in unseen if entry[2] in odd} == set()


@pytest.mark.parametrize("made", WHOLE)
def test_no_secret_is_written_whatever_is_asked_for(
    made: str, request: pytest.FixtureRequest, cloud: OpenStackBed
) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert leaks(audit.written(), cloud.secrets) == []
    asked = audit.requests()
    assert not [request for request in asked if "/payload" in request or "/template" in request]
    assert {request.partition(" ")[0] for request in asked} == {"GET", "HEAD", "POST"}
    assert {request for request in asked if request.startswith("POST")} == {"POST /v3/auth/tokens"}


# --- Keystone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["whole_operator", "whole_system"])
def test_what_keystone_knows(made: str, request: pytest.FixtureRequest, cloud: OpenStackBed) -> None:
    audit: Audit = request.getfixturevalue(made)
    for kind in ("domain", "role", "group", "application_credential", "trust", "identity_provider", "limit"):
        assert proven(audit, kind), kind
    domains = {domain.name: domain for domain in audit.resources("openstack.domain")}
    assert facts(domains["doi-tac"], "enabled", "immutable") == {"enabled": False, "immutable": False}
    assert domains["doi-tac"].unseen["password"].reason is Reason.NOT_IMPLEMENTED
    assert domains["Default"].facts["password.regex"] == r"^(?=.*\d)(?=.*[a-zA-Z]).{12,}$"
    roles = {role.name: role for role in audit.resources("openstack.role")}
    assert roles["kiem-dinh"].facts["domain"] == cloud.thing("role", "kiem-dinh")["domain"]
    assert {name: roles[name].facts["immutable"] for name in ("admin", "reader", "creator")} == {
        "admin": True,
        "reader": True,
        "creator": False,
    }
    group, seeded = of_seed(audit, cloud, "group")["to-kiem-toan"]
    assert group.facts["domain"] == seeded["domain"]
    members = {(m.facts["group"], m.facts["user"]) for m in audit.resources("openstack.group_member")}
    assert members == {(group.id, user) for user in seeded["members"]}
    provider, seeded = of_seed(audit, cloud, "identity_provider")["dang-nhap-mot-lan"]
    assert facts(provider, "enabled", "domain") == facts_of(seeded, "enabled", "domain")
    assert list(provider.facts["remote_ids"]) == seeded["remote_ids"]
    seeded = cloud.thing("trust", "")
    trusts = {trust.id: trust for trust in audit.resources("openstack.trust")}
    trust = trusts.pop(seeded["id"])
    assert facts(
        trust, "trustor", "trustee", "project_id", "impersonation", "expires_at", "remaining_uses"
    ) == {
        **facts_of(seeded, "trustor", "trustee", "project_id", "impersonation"),
        "expires_at": None,
        "remaining_uses": None,
    }
    assert list(trust.facts["roles"]) == seeded["roles"]
    # Heat has itself trusted by whoever makes a stack.
    users = {user.id: user.name for user in audit.resources("openstack.user")}
    assert [users[other.facts["trustee"]] for other in trusts.values()] == ["heat"]
    (limit,) = audit.resources("openstack.limit")
    seeded = cloud.thing("limit", "")
    told = ("service_id", "region_id", "project_id", "resource", "limit")
    assert (limit.id, facts(limit, *told)) == (seeded["id"], facts_of(seeded, *told))
    given = cloud.truth["base"]["application_credential"]
    # Identities that other tests make have some, too.
    kept = [c for c in audit.resources("openstack.application_credential") if c.id == given["id"]]
    (credential,) = kept
    assert (credential.id, credential.name) == (given["id"], given["name"])
    assert facts(credential, "user", "project_id", "unrestricted", "expires_at") == {
        "user": cloud.truth["base"]["users"][given["user"]]["id"],
        "project_id": cloud.projects[given["project"]],
        "unrestricted": False,
        "expires_at": None,
    }
    assert [dict(rule) for rule in credential.facts["access_rules"]] == given["access_rules"]
    assert list(credential.facts["roles"]) == ["reader"]


def facts_of(thing: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: thing[name] for name in names}


def test_a_reader_of_a_project_is_refused_by_keystone(whole_reader: Audit) -> None:
    for kind in ("domain", "role", "group", "group_member", "trust", "identity_provider"):
        assert (whole_reader.resources(f"openstack.{kind}"), refusals(whole_reader, kind)) == (
            [],
            {Reason.NO_PERMISSION},
        )
    assert not whole_reader.listings("openstack.application_credential")
    assert not whole_reader.listings("openstack.limit")
    # A project is shown its own limits, and they prove nothing of those of others.
    assert [limit.facts["limit"] for limit in whole_reader.resources("openstack.limit")] == [7]


# --- Nova and Placement -------------------------------------------------------------------------------


def test_what_nova_offers_and_runs(whole_operator: Audit, cloud: OpenStackBed) -> None:
    audit = whole_operator
    for kind in ("flavor", "keypair", "hypervisor", "aggregate", "compute_service", "resource_provider"):
        assert proven(audit, kind), kind
    for flavor, seeded in of_seed(audit, cloud, "flavor").values():
        assert facts(flavor, "vcpus", "ram_mb", "disk_gb", "is_public", "extra_specs") == {
            "vcpus": seeded["vcpus"],
            "ram_mb": seeded["ram"],
            "disk_gb": seeded["disk"],
            "is_public": seeded.get("is_public", True),
            "extra_specs": seeded.get("extra_specs", {}),
        }
    (pair,) = audit.resources("openstack.keypair")
    seeded = cloud.thing("keypair", "trien-khai")
    assert (pair.name, pair.id) == ("trien-khai", f"{seeded['user']}:trien-khai")
    assert facts(pair, "user", "type", "fingerprint") == {
        "user": seeded["user"],
        "type": "ssh",
        "fingerprint": seeded["fingerprint"],
    }
    assert "created_at" in pair.facts
    hosts = {"compute-1", "compute-2"}
    hypervisors = audit.resources("openstack.hypervisor")
    assert {h.facts["host"] for h in hypervisors} == hosts
    assert {(h.facts["state"], h.facts["status"], h.facts["type"]) for h in hypervisors} == {
        ("up", "enabled", "fake")
    }
    assert sum(h.facts["servers"] for h in hypervisors) == len(cloud.things("server"))
    (aggregate,) = audit.resources("openstack.aggregate")
    assert (aggregate.name, aggregate.facts["zone"], set(aggregate.facts["hosts"])) == (
        "hn-az1",
        "hn-az1",
        hosts,
    )
    services = audit.resources("openstack.compute_service")
    assert {(s.facts["binary"], s.facts["host"]) for s in services} == {
        ("nova-conductor", "controller"),
        ("nova-scheduler", "controller"),
        *(("nova-compute", host) for host in hosts),
    }
    assert {(s.facts["state"], s.facts["status"], s.facts["forced_down"]) for s in services} == {
        ("up", "enabled", False)
    }
    providers = audit.resources("openstack.resource_provider")
    assert {p.name for p in providers} == {h.name for h in hypervisors}
    assert {(p.facts["parent"], p.facts["root"] == p.id) for p in providers} == {(None, True)}


@pytest.mark.parametrize("made", ["whole_system", "whole_reader", "whole_owner"])
def test_nova_shows_its_hosts_to_administrators_only(made: str, request: pytest.FixtureRequest) -> None:
    audit: Audit = request.getfixturevalue(made)
    for kind in ("hypervisor", "aggregate", "compute_service", "resource_provider"):
        assert audit.resources(f"openstack.{kind}") == []
        assert refusals(audit, kind) == {Reason.NO_PERMISSION}


def test_a_private_flavor_is_seen_by_the_project_that_may_use_it(
    whole_system: Audit, whole_reader: Audit
) -> None:
    public = {"s1.small", "s1.medium"}
    assert {f.name for f in whole_reader.resources("openstack.flavor")} == public
    assert {f.name for f in whole_system.resources("openstack.flavor")} == {*public, "s1.rieng"}
    assert proven(whole_reader, "flavor")
    assert proven(whole_system, "flavor")


def test_key_pairs_of_others_are_refused(whole_system: Audit, whole_owner: Audit) -> None:
    assert not proven(whole_system, "keypair")
    assert [pair.name for pair in whole_owner.resources("openstack.keypair")] == ["trien-khai"]
    assert not proven(whole_owner, "keypair")


# --- quotas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", WHOLE)
def test_quotas_are_those_that_were_set(
    made: str, request: pytest.FixtureRequest, cloud: OpenStackBed
) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert proven(audit, "quota")
    quotas = {quota.id: quota for quota in audit.resources("openstack.quota")}
    for seeded in cloud.things("quota"):
        quota = quotas[f"{seeded['project_id']}/{seeded['service']}/{seeded['name']}"]
        assert facts(quota, "service", "limit", "in_use", "reserved") == {
            **facts_of(seeded, "service", "limit", "in_use"),
            "reserved": 0,
        }


# --- Cinder -------------------------------------------------------------------------------------------


def test_what_cinder_runs_and_hands_over(whole_operator: Audit, cloud: OpenStackBed) -> None:
    audit = whole_operator
    for kind in ("volume_transfer", "storage_pool", "block_storage_service"):
        assert proven(audit, kind), kind
    transfer, seeded = of_seed(audit, cloud, "volume_transfer")["tt-cho-vb"]
    assert transfer.facts["volume_id"] == seeded["volume_id"]
    assert transfer.scope.project == seeded["project_id"]
    (pool,) = audit.resources("openstack.storage_pool")
    assert facts(pool, "backend", "protocols", "replication_enabled") == {
        "backend": "file1",
        "protocols": ("local",),
        "replication_enabled": False,
    }
    services = {s.facts["binary"]: s for s in audit.resources("openstack.block_storage_service")}
    assert {(name, s.facts["state"], s.facts["status"], s.facts["zone"]) for name, s in services.items()} == {
        (f"cinder-{name}", "up", "enabled", "hn-az1") for name in ("scheduler", "volume", "backup")
    }
    assert services["cinder-volume"].facts["frozen"] is False


def test_a_project_sees_its_own_transfers(
    whole_system: Audit, whole_reader: Audit, cloud: OpenStackBed
) -> None:
    assert proven(whole_system, "volume_transfer")
    of_seed(whole_system, cloud, "volume_transfer")
    assert proven(whole_reader, "volume_transfer")
    assert whole_reader.resources("openstack.volume_transfer") == []
    for kind in ("storage_pool", "block_storage_service"):
        assert whole_reader.resources(f"openstack.{kind}") == []
        assert refusals(whole_reader, kind) == {Reason.NO_PERMISSION}


# --- Neutron ------------------------------------------------------------------------------------------


def test_what_the_extensions_of_neutron_bring(whole_operator: Audit, cloud: OpenStackBed) -> None:
    audit = whole_operator
    kinds = ("address_group", "rbac_policy", "trunk", "qos_policy", "network_log", "network_agent", "bgpvpn")
    for kind in kinds:
        assert proven(audit, kind), kind
    for kind in ("address_group", "trunk", "qos_policy", "network_log"):
        for resource, seeded in of_seed(audit, cloud, kind).values():
            assert resource.scope.project == seeded["project_id"]
    group, seeded = of_seed(audit, cloud, "address_group")["cdv-tru-so"]
    assert sorted(group.facts["addresses"]) == sorted(seeded["addresses"])
    assert group.unseen["shared"].reason is Reason.NOT_IMPLEMENTED
    policies = {policy.id: policy for policy in audit.resources("openstack.rbac_policy")}
    seeded = cloud.thing("rbac_policy", "")
    told = ("object_type", "object_id", "action", "target_tenant")
    assert facts(policies[seeded["id"]], *told) == facts_of(seeded, *told)
    # Neutron makes one itself for every external network.
    (public,) = [network for network in cloud.things("network") if network["external"]]
    assert {
        (p.facts["object_id"], p.facts["action"]) for id_, p in policies.items() if id_ != seeded["id"]
    } == {(public["id"], "access_as_external")}
    trunk, seeded = of_seed(audit, cloud, "trunk")["nt-trunk"]
    assert trunk.facts["port"] == seeded["port"]
    assert [dict(port) for port in trunk.facts["sub_ports"]] == [
        {"port": seeded["sub_port"], "segmentation_type": "vlan", "segmentation_id": 101}
    ]
    policy, seeded = of_seed(audit, cloud, "qos_policy")["nt-bang-thong"]
    assert facts(policy, "shared", "is_default") == facts_of(seeded, "shared", "is_default")
    assert list(policy.facts["rule_kinds"]) == seeded["rule_kinds"]
    log, seeded = of_seed(audit, cloud, "network_log")["cdv-web-bi-chan"]
    assert facts(log, "resource_type", "resource_id", "target_id", "event", "enabled") == {
        **facts_of(seeded, "resource_type", "resource_id", "event"),
        "target_id": None,
        "enabled": True,
    }
    agents = audit.resources("openstack.network_agent")
    assert {(a.facts["agent_type"], a.facts["host"], a.facts["alive"]) for a in agents} == {
        ("Open vSwitch agent", "compute-1", True),
        ("Open vSwitch agent", "compute-2", True),
    }
    (absent,) = audit.listings("openstack.bgpvpn")
    assert (absent.count, "extensions has no bgpvpn" in absent.proof) == (0, True)


def test_a_reader_sees_what_its_project_has_of_them(whole_reader: Audit, cloud: OpenStackBed) -> None:
    group, seeded = of_seed(whole_reader, cloud, "address_group")["cdv-tru-so"]
    assert group.scope.project == seeded["project_id"]
    assert proven(whole_reader, "address_group")
    for kind in ("trunk", "qos_policy", "bgpvpn"):
        assert proven(whole_reader, kind)
        assert whole_reader.resources(f"openstack.{kind}") == []


def test_what_another_project_shares_is_no_view_of_all(whole_guest: Audit, cloud: OpenStackBed) -> None:
    """A reader of `van-ban` is shown the group of `cong-dich-vu`, and nothing else that is not its own."""
    assert [group.name for group in whole_guest.resources("openstack.address_group")] == ["cdv-tru-so"]
    for kind in ("address_group", "trunk", "qos_policy", "rbac_policy", "router", "floating_ip"):
        assert whole_guest.listings(f"openstack.{kind}") == []
        assert refusals(whole_guest, kind) == {Reason.PARTIAL}
    by_others = [one for one in whole_guest.snapshot.listings() if "items of other projects" in one.proof]
    assert by_others == []


@pytest.mark.parametrize("made", ["whole_system", "whole_reader", "whole_owner"])
def test_what_neutron_shows_to_administrators_only_is_no_empty_list(
    made: str, request: pytest.FixtureRequest
) -> None:
    """Neutron answers 200 with nothing."""
    audit: Audit = request.getfixturevalue(made)
    for kind in ("network_log", "network_agent"):
        assert audit.resources(f"openstack.{kind}") == []
        assert audit.listings(f"openstack.{kind}") == []
        assert refusals(audit, kind) == {Reason.PARTIAL}


# --- Glance and Swift ---------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["whole_operator", "whole_system", "whole_reader", "whole_owner"])
def test_with_whom_images_are_shared(made: str, request: pytest.FixtureRequest, cloud: OpenStackBed) -> None:
    audit: Audit = request.getfixturevalue(made)
    (member,) = audit.resources("openstack.image_member")
    (seeded,) = cloud.things("image_member")
    assert facts(member, "image", "member", "status") == facts_of(seeded, "image", "member", "status")
    assert member.scope.project == seeded["project_id"]
    assert proven(audit, "image_member")


@pytest.mark.parametrize("made", WHOLE)
def test_what_the_services_of_images_and_objects_offer(made: str, request: pytest.FixtureRequest) -> None:
    audit: Audit = request.getfixturevalue(made)
    for kind in ("image_store", "image_service", "object_service"):
        assert proven(audit, kind), kind
    (store,) = audit.resources("openstack.image_store")
    assert (store.id, store.facts["default"], store.facts["read_only"]) == ("file", True, False)
    if made == "whole_operator":
        assert store.facts["type"] == "file"
    else:
        assert store.unseen["type"].reason is Reason.NO_PERMISSION
    (images,) = audit.resources("openstack.image_service")
    assert set(images.facts["import_methods"]) >= {"web-download"}
    (objects,) = audit.resources("openstack.object_service")
    told = ("slo", "tempurl", "s3api", "object_versioning", "container_sync_realms")
    assert facts(objects, *told) == {
        "slo": True,
        "tempurl": True,
        "s3api": False,
        "object_versioning": True,
        "container_sync_realms": True,
    }


def test_accounts_are_counted_and_keys_are_only_known_to_be_there(
    whole_owner: Audit, cloud: OpenStackBed
) -> None:
    accounts = {account.id: account for account in whole_owner.resources("openstack.object_account")}
    assert accounts.keys() == set(cloud.projects.values())
    assert proven(whole_owner, "object_account")
    for name, id_ in cloud.projects.items():
        seeded = [c for c in cloud.things("container") if c["project"] == name]
        account = accounts[id_]
        assert account.name == name
        # Backups lie on a disk of the bed; versions of objects in a container that is not listed.
        assert account.facts["container_count"] >= len(seeded)
        assert account.facts["quota_bytes"] is None
        if name == SHOP:
            assert facts(account, "temp_url_key_present", "acl_present") == {
                "temp_url_key_present": True,
                "acl_present": False,
            }
        else:
            # A member owns the account in this bed; without a key nothing in the answer shows it.
            assert account.unseen["temp_url_key_present"].reason is Reason.NO_PERMISSION


def test_keys_of_accounts_are_hidden_from_readers(whole_system: Audit, whole_reader: Audit) -> None:
    for account in whole_system.resources("openstack.object_account"):
        assert account.unseen["temp_url_key_present"].reason is Reason.NO_PERMISSION
    assert whole_reader.resources("openstack.object_account") == []
    assert refusals(whole_reader, "object_account") == {Reason.NO_PERMISSION}


# --- Octavia and Barbican -----------------------------------------------------------------------------


def test_load_balancers_with_listeners_and_pools(whole_operator: Audit, cloud: OpenStackBed) -> None:
    audit = whole_operator
    balancer, seeded = of_seed(audit, cloud, "loadbalancer")["cdv-lb"]
    assert balancer.scope.project == seeded["project_id"]
    assert facts(
        balancer, "provisioning_status", "vip_address", "vip_subnet", "provider", "admin_state_up"
    ) == {
        **facts_of(seeded, "vip_address", "vip_subnet", "provider"),
        "provisioning_status": "ACTIVE",
        "admin_state_up": True,
    }
    for listener, seeded in of_seed(audit, cloud, "listener").values():
        assert facts(
            listener, "protocol", "port", "default_tls_container", "sni_count", "load_balancers"
        ) == {
            **facts_of(seeded, "protocol", "port"),
            "default_tls_container": seeded["certificate"],
            "sni_count": 0,
            "load_balancers": (balancer.id,),
        }
        assert set(listener.facts["tls_versions"] or ()) == set(seeded["tls_versions"])
        allowed = listener.facts["allowed_cidrs"]
        assert (None if allowed is None else list(allowed)) == seeded["allowed_cidrs"]
    pool, seeded = of_seed(audit, cloud, "lb_pool")["cdv-may-chu"]
    assert facts(pool, "protocol", "lb_algorithm", "session_persistence", "tls_enabled") == {
        **facts_of(seeded, "protocol", "lb_algorithm", "session_persistence"),
        "tls_enabled": False,
    }
    assert {(m["address"], m["port"]) for m in pool.facts["members"]} == {
        (at, 80) for at in seeded["members"]
    }
    assert {name: pool.facts[f"monitor.{name}"] for name in seeded["monitor"]} == seeded["monitor"]


def test_secrets_are_known_by_their_description_alone(whole_owner: Audit, cloud: OpenStackBed) -> None:
    secrets = {secret.id: secret for secret in whole_owner.resources("openstack.secret")}
    for seeded in cloud.things("secret"):
        secret = secrets.pop(seeded["id"])
        assert (secret.name, secret.scope.project) == (seeded["name"], seeded["project_id"])
        assert facts(secret, "status", "secret_type", "creator") == {
            "status": "ACTIVE",
            **facts_of(seeded, "secret_type", "creator"),
        }
    # What is left are the keys that Cinder made, one for each encrypted volume and each backup of one.
    assert {secret.facts["secret_type"] for secret in secrets.values()} == {"symmetric"}
    assert {secret.facts["algorithm"] for secret in secrets.values()} == {"aes"}
    assert {secret.facts["bit_length"] for secret in secrets.values()} == {256}
    encrypted = [volume for volume in cloud.things("volume") if volume["encrypted"]]
    assert len(secrets) >= len(encrypted) > 0
    assert proven(whole_owner, "secret")


@pytest.mark.parametrize("made", ["whole_system", "whole_reader"])
def test_barbican_refuses_readers(made: str, request: pytest.FixtureRequest) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert audit.resources("openstack.secret") == []
    assert refusals(audit, "secret") == {Reason.NO_PERMISSION}
    assert audit.listings("openstack.secret") == []


# --- Manila, Heat, Designate --------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["whole_operator", "whole_system"])
def test_shares_with_their_replicas_and_backups(
    made: str, request: pytest.FixtureRequest, cloud: OpenStackBed
) -> None:
    audit: Audit = request.getfixturevalue(made)
    for kind in ("share", "share_replica", "share_backup"):
        assert proven(audit, kind)
        assert {one.scope.project for one in audit.resources(f"openstack.{kind}")} == {
            cloud.projects["van-ban"]
        }
    share, seeded = of_seed(audit, cloud, "share")["vb-chia-se"]
    assert facts(share, "status", "protocol", "size_gb", "zone") == {
        **facts_of(seeded, "status", "protocol"),
        "size_gb": seeded["size"],
        "zone": seeded["availability_zone"],
    }
    (replica,) = audit.resources("openstack.share_replica")
    seeded = cloud.thing("share_replica", "")
    assert (replica.id, facts(replica, "share", "replica_state")) == (
        seeded["id"],
        facts_of(seeded, "share", "replica_state"),
    )
    backup, seeded = of_seed(audit, cloud, "share_backup")["vb-chia-se-sao-luu"]
    assert facts(backup, "share_id", "status") == {"share_id": seeded["share"], "status": "available"}


def test_stacks_without_what_they_were_given(whole_system: Audit, cloud: OpenStackBed) -> None:
    stack, seeded = of_seed(whole_system, cloud, "stack")["tt-ngan-xep"]
    assert stack.scope.project == seeded["project_id"]
    assert facts(stack, "action", "status", "parent", "updated_at", "labels", "label_names") == {
        **facts_of(seeded, "action", "status"),
        "parent": None,
        "updated_at": None,
        "labels": {"system_id": "trang-tin"},
        "label_names": ("system_id", "thu"),
    }
    assert proven(whole_system, "stack")


@pytest.mark.parametrize("made", ["whole_operator", "whole_system"])
def test_zones_of_names(made: str, request: pytest.FixtureRequest, cloud: OpenStackBed) -> None:
    audit: Audit = request.getfixturevalue(made)
    zone, seeded = of_seed(audit, cloud, "dns_zone")["tin.example."]
    assert zone.scope.project == seeded["project_id"]
    # Nothing serves the zone, so it never becomes active.
    assert facts(zone, "type", "status", "ttl", "shared") == {
        "type": "PRIMARY",
        "status": "PENDING",
        "ttl": seeded["ttl"],
        "shared": False,
    }
    assert proven(audit, "dns_zone")


# --- where everything is ------------------------------------------------------------------------------


@pytest.mark.parametrize("made", WHOLE)
def test_what_is_a_projects_own_is_in_a_region_and_of_that_project(
    made: str, request: pytest.FixtureRequest, cloud: OpenStackBed
) -> None:
    audit: Audit = request.getfixturevalue(made)
    for kind in ("volume_transfer", "address_group", "trunk", "image_member", "loadbalancer", "secret"):
        for resource in audit.resources(f"openstack.{kind}"):
            assert resource.scope.region == HANOI
            assert resource.scope.project in cloud.projects.values()
