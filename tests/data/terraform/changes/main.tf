# What is wanted: see before/main.tf for what is there.
terraform {
  required_version = ">= 1.7"
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

resource "openstack_networking_secgroup_v2" "web" {
  name = "web"
}

resource "openstack_networking_secgroup_rule_v2" "giu_nguyen" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 443
  port_range_max    = 443
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_secgroup_rule_v2" "thay_the" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_secgroup_rule_v2" "thay_the_truoc" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 3389
  port_range_max    = 3389
  remote_ip_prefix  = "10.10.5.0/28"
  security_group_id = openstack_networking_secgroup_v2.web.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "openstack_networking_secgroup_rule_v2" "moi" {
  direction         = "ingress"
  ethertype         = "IPv6"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = "::/0"
  security_group_id = openstack_networking_secgroup_v2.web.id
}

resource "openstack_objectstorage_container_v1" "sua" {
  name           = "sua"
  container_read = ".r:*,.rlistings"
}

# Opened by somebody since.
resource "openstack_objectstorage_container_v1" "troi" {
  name           = "troi"
  container_read = "cong-dich-vu:*"

  lifecycle {
    ignore_changes = [container_read]
  }
}

removed {
  from = openstack_objectstorage_container_v1.quen

  lifecycle {
    destroy = false
  }
}

moved {
  from = openstack_blockstorage_volume_v3.ten_cu
  to   = openstack_blockstorage_volume_v3.ten_moi
}

resource "openstack_blockstorage_volume_v3" "ten_moi" {
  name = "chuyen-ten"
  size = 1
}

resource "openstack_blockstorage_volume_v3" "bot" {
  count = 2
  name  = "bot-${count.index}"
  size  = 1
}

resource "openstack_compute_instance_v2" "may" {
  name        = "may-01"
  flavor_name = "m1.large"
  image_name  = "ubuntu-24.04"
  admin_pass  = "CANARY-s3cr3t-admin-pass-2"
  user_data   = "#cloud-config\n"

  network {
    uuid = "7a1c9f52-0e39-4a4c-8b3c-5c0f4d0d9b02"
  }
}

import {
  to = openstack_objectstorage_container_v1.nhap
  id = "nhap"
}

resource "openstack_objectstorage_container_v1" "nhap" {
  name           = "nhap"
  container_read = ".r:*"
}

data "openstack_images_image_v2" "nen" {
  name = "ubuntu-24.04"
}

data "openstack_networking_secgroup_v2" "mac_dinh" {
  name       = "default"
  depends_on = [openstack_networking_secgroup_rule_v2.moi]
}

check "anh_nen" {
  assert {
    condition     = data.openstack_images_image_v2.nen.protected
    error_message = "Ảnh nền phải được bảo vệ."
  }
}
