"""Who and what is in both stories: projects, users, roles and the planted secrets."""

import base64
import os
from pathlib import Path

import openstack

env = os.environ
DATA = Path(env["DATA"])
STORIES = {
    "hn": {"site": "Hà Nội", "region": env.get("REGION_HN", "vn-hn-1"), "az": "hn-az1"},
    "hcm": {"site": "TP. Hồ Chí Minh", "region": env.get("REGION_HCM", "vn-hcm-1"), "az": "hcm-az1"},
}

PROJECTS = {
    "cong-dich-vu": "Cổng dịch vụ công",
    "van-ban": "Quản lý văn bản",
    "trang-tin": "Trang tin điện tử",
    "nen-tang": "Nền tảng và sao lưu",
}

# Each password is a planted string too.
USERS = {
    "audit": {
        "description": "Kiểm toán, chỉ đọc",
        "password": "PLANTED-pw-audit-c41d9",
        "projects": {
            "cong-dich-vu": ["reader", "swift_auditor"],
            "van-ban": ["reader", "swift_auditor"],
            "trang-tin": ["reader"],
            "nen-tang": ["reader"],
        },
        "system": ["reader"],
    },
    "audit-tenant": {
        "description": "Kiểm toán của một đơn vị",
        "password": "PLANTED-pw-audit-tenant-70be2",
        "projects": {"cong-dich-vu": ["reader"]},
    },
    "noblock": {
        "description": "Chỉ đọc, không được xem lưu trữ khối",
        "password": "PLANTED-pw-noblock-19f6a",
        "projects": {"cong-dich-vu": ["reader", "deny_block_storage"]},
    },
    "ops-admin": {
        "description": "Quản trị, có xác thực nhiều yếu tố",
        "password": "PLANTED-pw-ops-admin-e2a57",
        "projects": {},
        "system": ["admin"],
        "mfa_rules": [["password", "totp"]],
        # Base32, as an authenticator wants it; it reads PLANTED-totp-seed-ops-adm.
        "totp_seed": "KBGECTSUIVCC25DPORYC243FMVSC233QOMWWCZDN",
    },
    "ops-backup": {
        "description": "Quản trị sao lưu",
        "password": "PLANTED-pw-ops-backup-3b8c4",
        "projects": {"nen-tang": ["admin"]},
    },
    "deploy": {
        "description": "Tài khoản máy triển khai",
        "password": "PLANTED-pw-deploy-d6075",
        "projects": {p: ["member", "creator"] for p in PROJECTS},
    },
}

APPLICATION_CREDENTIAL_SECRET = "PLANTED-appcred-secret-audit-84fb1d"

USER_DATA_SECRET = "PLANTED-user-data-7c1f02"
USER_DATA = base64.b64encode(
    f"#!/bin/sh\necho 'API_KEY={USER_DATA_SECRET}' >/etc/portal.env\n".encode()
).decode()

PLANTED = {
    "server_user_data": USER_DATA_SECRET,
    "server_user_data_base64": USER_DATA,  # as Nova keeps and shows it
    "server_metadata": "PLANTED-db-password-4e88b1",
    "volume_metadata": "PLANTED-volume-note-a90d35",
    "image_property": "PLANTED-image-token-55c2e8",
    "swift_account_temp_url_key": "PLANTED-temp-url-account-0b6d7f",
    "swift_container_temp_url_key": "PLANTED-temp-url-container-91e4c3",
    "swift_container_sync_key": "PLANTED-container-sync-key-2fd86a",
    "stack_parameter": "PLANTED-stack-parameter-6fa1c8",
    "secret_payload": "PLANTED-secret-payload-d3b60f",
    "vpn_psk": "PLANTED-vpn-psk-c7730e",
    "application_credential_secret": APPLICATION_CREDENTIAL_SECRET,
    "swift_realm_key": env.get("SYNC_REALM_KEY"),
    "totp_seed_ops-admin": USERS["ops-admin"]["totp_seed"],
    "password_admin": env.get("ADMIN_PASSWORD"),
    "password_service": env.get("SERVICE_PASSWORD"),
    **{f"password_{name}": user["password"] for name, user in USERS.items()},
}


def connect(user="admin", project="admin", region=None):
    return openstack.connect(
        auth_url=env["KEYSTONE_URL"],
        username=user,
        password=env["ADMIN_PASSWORD"] if user == "admin" else USERS[user]["password"],
        project_name=project,
        user_domain_name="Default",
        project_domain_name="Default",
        region_name=region or env["REGION_HN"],
        app_name="bed",
    )
