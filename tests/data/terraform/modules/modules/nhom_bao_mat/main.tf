terraform {
  required_providers {
    openstack = {
      source = "terraform-provider-openstack/openstack"
    }
  }
}

variable "name" { type = string }
variable "ports" { type = list(number) }
variable "cidr" { type = string }

resource "openstack_networking_secgroup_v2" "nhom" {
  name                 = var.name
  delete_default_rules = true
}

resource "openstack_networking_secgroup_rule_v2" "vao" {
  for_each = toset([for port in var.ports : tostring(port)])

  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = tonumber(each.key)
  port_range_max    = tonumber(each.key)
  remote_ip_prefix  = var.cidr
  security_group_id = openstack_networking_secgroup_v2.nhom.id
}

output "id" {
  value = openstack_networking_secgroup_v2.nhom.id
}
