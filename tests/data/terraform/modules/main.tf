# Modules in modules, count and for_each over keys as people write them, dynamic blocks, groups passed as outputs.
terraform {
  required_providers {
    openstack = {
      source  = "terraform-provider-openstack/openstack"
      version = "~> 3.0"
    }
  }
}

provider "openstack" {
  auth_url = "https://identity.hn.example.vn:5000/v3"
  region   = "HN"
}

variable "systems" {
  description = "Hệ thống và cổng mà mỗi hệ thống mở."
  type = map(object({
    ports = list(number)
    cidr  = string
  }))
  default = {
    "cổng dịch vụ"  = { ports = [80, 443], cidr = "0.0.0.0/0" }
    "hồ sơ \"mật\"" = { ports = [22], cidr = "10.10.5.0/28" }
    "a.b[0]/c"      = { ports = [], cidr = "10.0.0.0/8" }
  }
}

variable "standby" {
  type    = bool
  default = false
}

resource "openstack_networking_network_v2" "chung" {
  name = "chung"
}

module "he_thong" {
  source   = "./modules/may_chu"
  for_each = var.systems

  name       = each.key
  ports      = each.value.ports
  cidr       = each.value.cidr
  network_id = openstack_networking_network_v2.chung.id
  replicas   = 2
}

module "du_phong" {
  source = "./modules/may_chu"
  count  = var.standby ? 1 : 0

  name       = "dự phòng"
  ports      = [443]
  cidr       = "10.0.0.0/8"
  network_id = openstack_networking_network_v2.chung.id
  replicas   = 1
}

module "nhat_ky" {
  source = "./modules/may_chu"
  count  = 2

  name       = "nhật ký ${count.index}"
  ports      = [6514]
  cidr       = "0.0.0.0/0"
  network_id = openstack_networking_network_v2.chung.id
  replicas   = 1
  volumes    = [10]
}

resource "openstack_networking_secgroup_rule_v2" "ssh" {
  for_each = module.he_thong

  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = each.value.security_group_id
}

output "groups" {
  value = { for name, one in module.he_thong : name => one.security_group_id }
}
