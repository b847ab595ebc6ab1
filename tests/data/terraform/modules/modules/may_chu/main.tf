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
variable "network_id" { type = string }
variable "replicas" { type = number }

variable "volumes" {
  type    = list(number)
  default = []
}

module "nhom" {
  source = "../nhom_bao_mat"

  name  = var.name
  ports = var.ports
  cidr  = var.cidr
}

resource "openstack_networking_port_v2" "cong" {
  count = var.replicas

  name               = "${var.name}-${count.index}"
  network_id         = var.network_id
  security_group_ids = [module.nhom.id]
}

resource "openstack_compute_instance_v2" "may" {
  count = var.replicas

  name        = "${var.name}-${count.index}"
  flavor_name = "m1.small"
  image_name  = "ubuntu-24.04"

  network {
    port = openstack_networking_port_v2.cong[count.index].id
  }

  dynamic "block_device" {
    for_each = var.volumes

    content {
      source_type      = "blank"
      destination_type = "volume"
      volume_size      = block_device.value
      boot_index       = -1
    }
  }
}

output "security_group_id" {
  value = module.nhom.id
}
