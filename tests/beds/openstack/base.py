"""Fill a new Keystone: catalogue, regions, projects, roles, users. Saved before any story is seeded,
so that both stories have the same project and user ids."""

import json

from cast import APPLICATION_CREDENTIAL_SECRET, DATA, PROJECTS, USERS, connect, env

HOST = "http://127.0.0.1:"
SERVICES = [  # user, type, name, address
    ("glance", "image", "glance", HOST + env["P_GLANCE"]),
    ("placement", "placement", "placement", HOST + env["P_PLACEMENT"]),
    ("nova", "compute", "nova", HOST + env["P_NOVA"] + "/v2.1"),
    ("neutron", "network", "neutron", HOST + env["P_NEUTRON"]),
    ("cinder", "block-storage", "cinder", HOST + env["P_CINDER"] + "/v3"),
    ("swift", "object-store", "swift", HOST + env["P_SWIFT"] + "/v1/AUTH_%(project_id)s"),
    ("manila", "shared-file-system", "manila", HOST + env["P_MANILA"] + "/v2"),
    ("heat", "orchestration", "heat", HOST + env["P_HEAT"] + "/v1/%(project_id)s"),
    ("designate", "dns", "designate", HOST + env["P_DESIGNATE"]),
    ("octavia", "load-balancer", "octavia", HOST + env["P_OCTAVIA"]),
    ("barbican", "key-manager", "barbican", HOST + env["P_BARBICAN"]),
]
REGIONS = [env["REGION_HN"], env["REGION_HCM"]]

i = connect().identity

# --- regions and catalogue -----------------------------------------------------
i.create_region(id=env["REGION_ROOT"], description="Việt Nam")
i.update_region(REGIONS[0], description="Hà Nội", parent_region_id=env["REGION_ROOT"])
i.create_region(id=REGIONS[1], description="TP. Hồ Chí Minh", parent_region_id=env["REGION_ROOT"])
keystone = next(s for s in i.services() if s.type == "identity")
for interface in ("public", "internal"):
    i.create_endpoint(
        service_id=keystone.id, interface=interface, region_id=REGIONS[1], url=env["KEYSTONE_URL"]
    )
service_project = i.create_project(name="service", domain_id="default", description="Services of the cloud")
role = {r.name: r for r in i.roles()}
for name in ("service", "creator", "swift_auditor", "deny_block_storage", "ResellerAdmin"):
    if name not in role:
        role[name] = i.create_role(name=name)
for user, kind, name, url in SERVICES:
    u = i.create_user(name=user, password=env["SERVICE_PASSWORD"], domain_id="default")
    for r in ("admin", "service"):
        i.assign_project_role_to_user(service_project, u, role[r])
    s = i.create_service(name=name, type=kind)
    for region in REGIONS:
        for interface in ("public", "internal"):
            i.create_endpoint(service_id=s.id, interface=interface, region_id=region, url=url)

# --- projects and users -----------------------------------------------------------
projects = {
    name: i.create_project(name=name, domain_id="default", description=text)
    for name, text in PROJECTS.items()
}
users = {}
for name, plan in USERS.items():
    first = next(iter(plan["projects"]), None)
    u = users[name] = i.create_user(
        name=name,
        password=plan["password"],
        domain_id="default",
        description=plan["description"],
        **({"default_project_id": projects[first].id} if first else {}),
    )
    for project, roles in plan["projects"].items():
        for r in roles:
            i.assign_project_role_to_user(projects[project], u, role[r])
    for r in plan.get("system", ()):
        i.assign_system_role_to_user(u, role[r], "all")
    if "mfa_rules" in plan:
        i.create_credential(type="totp", user_id=u.id, blob=plan["totp_seed"])
        i.patch(
            f"/users/{u.id}",
            json={
                "user": {
                    "options": {
                        "multi_factor_auth_enabled": True,
                        "multi_factor_auth_rules": plan["mfa_rules"],
                    }
                }
            },
        ).raise_for_status()

# A credential that may only read Nova. Only its owner can make it.
auditor = connect("audit", "cong-dich-vu")
credential = auditor.identity.create_application_credential(
    user=users["audit"].id,
    name="audit-compute-only",
    secret=APPLICATION_CREDENTIAL_SECRET,
    description="Chỉ GET của dịch vụ máy chủ",
    roles=[{"name": "reader"}],
    access_rules=[{"service": "compute", "method": "GET", "path": "/v2.1/**"}],
)

facts = {
    "domain": "Default",
    "regions": [env["REGION_ROOT"], *REGIONS],
    "projects": {name: p.id for name, p in projects.items()},
    "admin_project": i.find_project("admin").id,
    "users": {
        name: {
            "id": users[name].id,
            "password": plan["password"],
            "projects": plan["projects"],
            "system": plan.get("system", []),
            **(
                {"mfa_rules": plan["mfa_rules"], "totp_seed": plan["totp_seed"]}
                if "mfa_rules" in plan
                else {}
            ),
        }
        for name, plan in USERS.items()
    },
    "application_credential": {
        "user": "audit",
        "project": "cong-dich-vu",
        "id": credential.id,
        "name": credential.name,
        "secret": APPLICATION_CREDENTIAL_SECRET,
        "access_rules": [{"service": "compute", "method": "GET", "path": "/v2.1/**"}],
    },
    "service_users": [s[0] for s in SERVICES],
    # Those with an admin role on a project or the system, and whether a second factor is asked of them.
    "admins": {
        "admin": {"mfa": False},
        "ops-admin": {"mfa": True},
        "ops-backup": {"mfa": False},
        **{s[0]: {"mfa": False, "service": True} for s in SERVICES},
    },
    "endpoints": len(list(i.endpoints())),
}
facts["users"]["admin"] = {
    "id": i.find_user("admin").id,
    "password": env["ADMIN_PASSWORD"],
    "projects": {"admin": ["admin"]},
    "system": ["admin"],
}
DATA.joinpath("base.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
print(facts["endpoints"], "endpoints,", len(facts["users"]), "users")
