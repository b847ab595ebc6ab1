# Secrets wherever a configuration can have them. All of them begin with CANARY-s3cr3t-.
terraform {
  required_providers {
    openstack = {
      source  = "terraform-provider-openstack/openstack"
      version = "~> 3.0"
    }
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.39"
    }
  }
}

variable "db_password" {
  type      = string
  sensitive = true
}

variable "plain_token" {
  description = "Not marked as sensitive, and a secret all the same."
  type        = string
}

# Written into the configuration itself.
provider "openstack" {
  auth_url  = "https://identity.hn.example.vn:5000/v3"
  region    = "HN"
  user_name = "trien-khai"
  password  = "CANARY-s3cr3t-provider-password"
}

provider "aws" {
  region                      = "vn-hn"
  access_key                  = "CANARY-s3cr3t-access-key"
  secret_key                  = "CANARY-s3cr3t-secret-key"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true
  s3_force_path_style         = true

  endpoints {
    s3 = "https://s3.hn.example.vn"
  }
}

locals {
  script = "#!/bin/sh\nexport DB=${var.db_password}\n"
}

resource "openstack_compute_instance_v2" "db" {
  name        = "db-01"
  flavor_name = "m1.large"
  image_name  = "ubuntu-24.04"
  admin_pass  = "CANARY-s3cr3t-admin-pass"
  user_data   = local.script

  metadata = {
    system_id   = "cong-dich-vu"
    db_password = var.db_password
  }

  personality {
    file    = "/etc/db.conf"
    content = base64encode("password=${var.db_password}")
  }
}

resource "openstack_compute_instance_v2" "web" {
  name        = "web-01"
  flavor_name = "m1.small"
  image_name  = "ubuntu-24.04"
  user_data   = "#cloud-config\npassword: CANARY-s3cr3t-user-data\n"

  metadata = {
    api_token = var.plain_token
  }
}

resource "openstack_identity_user_v3" "van_hanh" {
  name     = "van-hanh"
  password = "CANARY-s3cr3t-user-password"
}

resource "openstack_identity_application_credential_v3" "trien_khai" {
  name   = "trien-khai"
  secret = var.db_password
}

resource "openstack_keymanager_secret_v1" "khoa" {
  name                 = "khoa"
  payload              = "CANARY-s3cr3t-payload"
  payload_content_type = "text/plain"
}

resource "openstack_vpnaas_site_connection_v2" "chi_nhanh" {
  name           = "chi-nhanh"
  ikepolicy_id   = "9f0c2d4e-0000-4000-8000-000000000001"
  ipsecpolicy_id = "9f0c2d4e-0000-4000-8000-000000000002"
  vpnservice_id  = "9f0c2d4e-0000-4000-8000-000000000003"
  peer_address   = "203.0.113.7"
  peer_id        = "203.0.113.7"
  psk            = "CANARY-s3cr3t-psk"

  dpd {
    action   = "restart"
    interval = 21
    timeout  = 42
  }
}

resource "openstack_orchestration_stack_v1" "phan_mem" {
  name          = "phan-mem"
  template_opts = { Bin = "heat_template_version: 2021-04-16\nparameters:\n  key:\n    default: CANARY-s3cr3t-template\n" }
  parameters    = { admin_password = var.db_password }
}

resource "openstack_networking_secgroup_v2" "bi_mat" {
  name        = "CANARY-s3cr3t-${nonsensitive(length(var.db_password))}-khong-phai"
  description = var.db_password
}

# The prefix itself is sensitive: what it opens cannot be shown.
resource "openstack_networking_secgroup_rule_v2" "ssh" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
  remote_ip_prefix  = sensitive("0.0.0.0/0")
  security_group_id = openstack_networking_secgroup_v2.bi_mat.id
}

resource "aws_s3_bucket" "ho_so" {
  bucket = "ho-so"
  acl    = "private"
  tags   = sensitive({ api_key = "CANARY-s3cr3t-tag", system_id = "cong-dich-vu" })
}

output "connection" {
  value     = "postgres://app:${var.db_password}@db-01/app"
  sensitive = true
}

output "note" {
  value = "CANARY-s3cr3t-${var.plain_token}"
}
