# Cổng dịch vụ công: một máy chủ web sau tường lửa, và một kho hồ sơ.
# A public service portal: a web server behind its firewall, and a store of files.
terraform {
  required_version = ">= 0.15"
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

resource "openstack_networking_network_v2" "cong" {
  name = "cong-dich-vu"
}

resource "openstack_networking_subnet_v2" "cong" {
  name       = "cong-dich-vu"
  network_id = openstack_networking_network_v2.cong.id
  cidr       = "10.20.0.0/24"
}

resource "openstack_networking_secgroup_v2" "web" {
  name        = "web"
  description = "Máy chủ web"
}

resource "openstack_networking_secgroup_rule_v2" "https" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 443
  port_range_max    = 443
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_secgroup_rule_v2" "ssh" {
  description       = "Quản trị từ xa"
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_port_v2" "web" {
  name               = "web-01"
  network_id         = openstack_networking_network_v2.cong.id
  security_group_ids = [openstack_networking_secgroup_v2.web.id]

  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.cong.id
  }
}

resource "openstack_objectstorage_container_v1" "ho_so" {
  name           = "ho-so-cong-dan"
  container_read = ".r:*,.rlistings"
}
