# Data that are read while planning, and data that cannot be read before something else is there.
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

data "openstack_images_image_v2" "nen" {
  name = "ubuntu-24.04"
}

data "openstack_networking_network_v2" "internet" {
  name = "internet"
}

resource "openstack_networking_network_v2" "moi" {
  name = "moi"
}

data "openstack_networking_network_v2" "moi" {
  network_id = openstack_networking_network_v2.moi.id
}

data "openstack_networking_secgroup_v2" "mac_dinh" {
  name       = "default"
  depends_on = [openstack_networking_network_v2.moi]
}

resource "openstack_networking_secgroup_rule_v2" "ssh" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = data.openstack_networking_secgroup_v2.mac_dinh.id
}

resource "openstack_compute_instance_v2" "may" {
  name        = "may-01"
  flavor_name = "m1.small"
  image_id    = data.openstack_images_image_v2.nen.id

  network {
    uuid = data.openstack_networking_network_v2.moi.id
  }
}

resource "openstack_networking_floatingip_v2" "ra" {
  pool = data.openstack_networking_network_v2.internet.name
}
