"""What the bed does to its databases directly, because no API does it.

databases.py create NAME...   make empty databases
databases.py switch HOST...   tell Neutron of a virtual switch there, so that it binds the ports of servers
databases.py retime           give the backups of the story their ages (see seed.py)
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pymysql


def connect(database=None):
    return pymysql.connect(
        unix_socket=str(Path(os.environ["RUN"]) / "mariadb.sock"),
        user="root",
        database=database,
        autocommit=True,
    )


def create(names):
    cursor = connect().cursor()
    for name in names:
        cursor.execute(f"create database if not exists {name} character set utf8mb3")


def switch(hosts):
    """The rows that Open vSwitch's reporters would write, with a heartbeat far in the future.

    None runs here. Without a living one ML2 refuses to bind a port, and servers end in an error.
    """
    conf = {
        "bridge_mappings": {"public": "br-ex"},
        "tunnel_types": ["vxlan"],
        "tunneling_ip": "127.0.0.1",
        "datapath_type": "system",
        "ovs_hybrid_plug": False,
        "devices": 0,
        "extensions": [],
    }
    cursor = connect("neutron").cursor()
    for host in hosts:
        cursor.execute(
            "insert into agents (id, agent_type, `binary`, topic, host, admin_state_up, created_at,"
            " started_at, heartbeat_timestamp, configurations, `load`, resource_versions)"
            " values (%s, 'Open vSwitch agent', 'neutron-openvswitch-agent', 'N/A', %s, 1,"
            " '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2099-01-01 00:00:00', %s, 0, '{}')",
            (str(uuid.uuid4()), host, json.dumps(conf)),
        )


def retime():
    """Date the backups, volumes and images by the ages in truth.json, counted from now.

    A state restored a week after it was saved would otherwise hold no fresh backup any more.
    """
    path = Path(os.environ["DATA"]) / "truth.json"
    truth = json.loads(path.read_text())
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    cursor = connect("cinder").cursor()
    images = connect("glance").cursor()
    newest = {}
    for thing in truth["things"]:
        if thing["type"] == "volume":
            made = now - timedelta(hours=thing["age_hours"])
            cursor.execute(
                "update volumes set created_at=%s, launched_at=%s where id=%s", (made, made, thing["id"])
            )
            thing["created_at"] = made.isoformat()
        elif thing["type"] == "backup":
            made = now - timedelta(hours=thing["age_hours"])
            cursor.execute(
                "update backups set data_timestamp=%s, created_at=%s, updated_at=%s where id=%s",
                (made, made, made + timedelta(minutes=2), thing["id"]),
            )
            thing["data_timestamp"] = made.isoformat()
            key = thing["volume_id"]
            newest[key] = max(newest.get(key, ""), thing["data_timestamp"])
        elif thing["type"] == "image" and "age_hours" in thing:
            made = now - timedelta(hours=thing["age_hours"])
            images.execute("update images set created_at=%s where id=%s", (made, thing["id"]))
    for thing in truth["things"]:
        if thing["type"] == "volume":
            thing["newest_backup_data_timestamp"] = newest.get(thing["id"])
    truth["retimed_at"] = now.isoformat() + "Z"
    new = path.with_suffix(".new")
    new.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
    new.replace(path)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "create":
        create(rest)
    elif command == "switch":
        switch(rest)
    elif command == "retime":
        retime()
    else:
        sys.exit(__doc__)
