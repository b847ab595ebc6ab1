resource "openstack_compute_instance_v2" "web" {
  name              = "web-01"
  flavor_name       = "m1.medium"
  image_id          = openstack_images_image_v2.web.id
  availability_zone = "hn-1"
  config_drive      = true

  metadata = {
    system_id      = "cong-dich-vu"
    data_class     = "important"
    data_residency = "VN"
  }

  network {
    port = openstack_networking_port_v2.web.id
  }
}

resource "openstack_blockstorage_volume_v3" "ho_so" {
  name              = "ho-so"
  size              = 100
  volume_type       = "ma-hoa"
  availability_zone = "hn-1"

  metadata = {
    system_id      = "cong-dich-vu"
    data_class     = "important"
    data_residency = "VN"
  }
}

resource "openstack_compute_volume_attach_v2" "ho_so" {
  instance_id = openstack_compute_instance_v2.web.id
  volume_id   = openstack_blockstorage_volume_v3.ho_so.id
}

resource "openstack_images_image_v2" "web" {
  name             = "web-2026-01"
  container_format = "bare"
  disk_format      = "qcow2"
  local_file_path  = "web.qcow2"
  visibility       = "private"
}

resource "openstack_sharedfilesystem_share_v2" "dung_chung" {
  name        = "dung-chung"
  share_proto = "NFS"
  size        = 50
}

resource "openstack_sharedfilesystem_share_access_v2" "dung_chung" {
  share_id     = openstack_sharedfilesystem_share_v2.dung_chung.id
  access_type  = "ip"
  access_to    = "10.20.0.11"
  access_level = "rw"
}

resource "openstack_identity_application_credential_v3" "trien_khai" {
  name         = "trien-khai"
  unrestricted = false
  roles        = ["member"]
  expires_at   = "2026-12-31T00:00:00Z"
}
