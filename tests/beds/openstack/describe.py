"""describe.py env | clouds : what a test needs to know of the running bed, from its saved facts."""

import json
import os
import sys
from pathlib import Path

env = os.environ
TRUTH = Path(env["DATA"]) / "truth.json"
truth = json.loads(TRUTH.read_text())
base = truth["base"]


def show_env():
    ports = {
        name[2:].lower(): int(value)
        for name, value in env.items()
        if name.startswith("P_") and value.isdigit()
    }
    return {
        "bed": "openstack",
        "story": truth["story"],
        "site": truth["site"],
        "region": truth["region"],
        "az": truth["az"],
        "auth_url": env["KEYSTONE_URL"],
        "domain": base["domain"],
        "regions": base["regions"],
        "projects": base["projects"],
        "users": base["users"],
        "application_credential": base["application_credential"],
        "ports": dict(sorted(ports.items())),
        "truth": str(TRUTH),
        "clouds_yaml": str(Path(env["STATE"]) / "clouds.yaml"),
        "state": env["STATE"],
        "logs": env["LOG"],
    }


def show_clouds():
    """clouds.yaml, written as JSON, which YAML readers read. One entry a user and scope."""
    common = {"auth_url": env["KEYSTONE_URL"], "user_domain_name": "Default"}
    clouds = {}

    def add(name, auth, **more):
        clouds[name] = {
            "auth": {"auth_url": env["KEYSTONE_URL"], **auth},
            "region_name": truth["region"],
            "identity_api_version": 3,
            **more,
        }

    for user, facts in base["users"].items():
        if "mfa_rules" in facts:
            continue  # a password alone is refused
        auth = {**common, "username": user, "password": facts["password"]}
        for n, project in enumerate(facts["projects"]):
            scoped = {**auth, "project_name": project, "project_domain_name": "Default"}
            if n == 0:
                add(user, scoped)
            add(f"{user}-{project}" if user != project else f"{user}-project", scoped)
        if facts["system"]:
            add(f"{user}-system", {**auth, "system_scope": "all"})
    credential = base["application_credential"]
    add(
        "audit-appcred",
        {
            "application_credential_id": credential["id"],
            "application_credential_secret": credential["secret"],
        },
        auth_type="v3applicationcredential",
    )
    return {"clouds": clouds}


what = {"env": show_env, "clouds": show_clouds}[sys.argv[1]]()
json.dump(what, sys.stdout, ensure_ascii=False, indent=1 if sys.argv[1] == "clouds" else None)
print()
