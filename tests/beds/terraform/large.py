"""Write a configuration of many resources, as an agency with a hundred systems has one.

    large.py FOLDER [COUNT]      main.tf, modules/he_thong/main.tf and one file per tenth system; 2,000 resources

Nine systems of ten come from one module by for_each; every tenth is written out, in a file of its own. Which
systems have something wrong is a matter of their number, so that it is known: see `opened`. The plan of it is made
by `bed.sh large FOLDER [COUNT]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

OF_A_SYSTEM = 20
"""Resources: the blocks of SYSTEM."""

MAIN = """\
terraform {{
  required_providers {{
    openstack = {{
      source  = "terraform-provider-openstack/openstack"
      version = "~> 3.0"
    }}
    aws = {{
      source  = "hashicorp/aws"
      version = "~> 3.39"
    }}
  }}
}}

provider "openstack" {{
  auth_url = "https://identity.hn.example.vn:5000/v3"
  region   = "HN"
}}

provider "aws" {{
  region                      = "vn-hn"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true
  s3_force_path_style         = true

  endpoints {{
    s3 = "https://s3.hn.example.vn"
  }}
}}

locals {{
  network_id = "7a1c9f52-0e39-4a4c-8b3c-5c0f4d0d9b02"
  systems = {{
{systems}
  }}
}}

module "he_thong" {{
  source   = "./modules/he_thong"
  for_each = local.systems

  name       = each.key
  ssh        = each.value.ssh
  read       = each.value.read
  acl        = each.value.acl
  network_id = local.network_id
}}
"""

MODULE = """\
terraform {
  required_providers {
    openstack = {
      source = "terraform-provider-openstack/openstack"
    }
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "name" { type = string }
variable "ssh" { type = string }
variable "read" { type = string }
variable "acl" { type = string }
variable "network_id" { type = string }
"""

SYSTEM = """
resource "openstack_networking_secgroup_v2" "{label}nhom" {{
  name = {name}
}}
{rules}
resource "openstack_networking_port_v2" "{label}cong" {{
  count              = 3
  name               = "${{{name_of}}}-${{count.index}}"
  network_id         = {network}
  security_group_ids = [openstack_networking_secgroup_v2.{label}nhom.id]
}}

resource "openstack_compute_instance_v2" "{label}may" {{
  count             = 3
  name              = "${{{name_of}}}-${{count.index}}"
  flavor_name       = "m1.small"
  image_name        = "ubuntu-24.04"
  availability_zone = "hn-${{count.index % 2 + 1}}"

  metadata = {{
    system_id      = {name}
    data_residency = "VN"
  }}

  network {{
    port = openstack_networking_port_v2.{label}cong[count.index].id
  }}
}}

resource "openstack_blockstorage_volume_v3" "{label}dia" {{
  count       = 3
  name        = "${{{name_of}}}-${{count.index}}"
  size        = 100
  volume_type = "ma-hoa"

  metadata = {{
    system_id      = {name}
    data_residency = "VN"
  }}
}}

resource "openstack_compute_volume_attach_v2" "{label}dia" {{
  count       = 3
  instance_id = openstack_compute_instance_v2.{label}may[count.index].id
  volume_id   = openstack_blockstorage_volume_v3.{label}dia[count.index].id
}}

resource "openstack_objectstorage_container_v1" "{label}kho" {{
  name           = {name}
  container_read = {read}
}}

resource "aws_s3_bucket" "{label}kho" {{
  bucket = {name}
  acl    = {acl}

  versioning {{
    enabled = true
  }}

  server_side_encryption_configuration {{
    rule {{
      apply_server_side_encryption_by_default {{
        sse_algorithm = "AES256"
      }}
    }}
  }}

  tags = {{
    system_id      = {name}
    data_residency = "VN"
  }}
}}
"""

RULE = """
resource "openstack_networking_secgroup_rule_v2" "{label}{what}" {{
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = {port}
  port_range_max    = {port}
  remote_ip_prefix  = {prefix}
  security_group_id = openstack_networking_secgroup_v2.{label}nhom.id
}}
"""


def opened(number: int) -> dict[str, bool]:
    """What is wrong with a system: SSH open to the world, a public container, a public bucket."""
    return {"ssh": number % 7 == 0, "read": number % 11 == 0, "acl": number % 13 == 0}


def _arguments(number: int) -> dict[str, str]:
    wrong = opened(number)
    return {
        "ssh": '"0.0.0.0/0"' if wrong["ssh"] else '"10.10.5.0/28"',
        "read": '".r:*,.rlistings"' if wrong["read"] else '"noi-bo:*"',
        "acl": '"public-read"' if wrong["acl"] else '"private"',
    }


def _system(label: str, values: dict[str, str]) -> str:
    ports = {"ssh": (22, values["ssh"]), "https": (443, '"0.0.0.0/0"')}
    ports |= {f"noi_bo_{port}": (port, '"10.20.0.0/16"') for port in (5432, 6379, 9100)}
    rules = "".join(
        RULE.format(label=label, what=what, port=port, prefix=prefix)
        for what, (port, prefix) in ports.items()
    )
    return SYSTEM.format(label=label, rules=rules, **values)


def write(folder: Path, count: int = 2000) -> None:
    """The files, for as many resources as are asked for, up to the next whole system."""
    systems = range(-(-count // OF_A_SYSTEM))
    inside = folder / "modules" / "he_thong"
    inside.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in systems:
        values = _arguments(number)
        name = f"he-thong-{number:03}"
        if number % 10:
            lines.append(
                f'    "{name}" = {{ ssh = {values["ssh"]}, read = {values["read"]}, acl = {values["acl"]} }}'
            )
        else:
            written = {**values, "name": f'"{name}"', "name_of": f'"{name}"', "network": "local.network_id"}
            (folder / f"{name}.tf").write_text(_system(f"s{number:03}_", written).lstrip(), encoding="utf-8")
    (folder / "main.tf").write_text(MAIN.format(systems="\n".join(lines)), encoding="utf-8")
    variables = {what: f"var.{what}" for what in ("ssh", "read", "acl", "name")}
    module = MODULE + _system("", {**variables, "name_of": "var.name", "network": "var.network_id"})
    (inside / "main.tf").write_text(module, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), *(int(count) for count in sys.argv[2:]))
