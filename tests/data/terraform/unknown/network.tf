resource "openstack_networking_network_v2" "cong" {
  name                  = "cong-dich-vu"
  admin_state_up        = true
  port_security_enabled = true
  tags                  = ["data_residency=VN", "system_id=cong-dich-vu"]
}

resource "openstack_networking_subnet_v2" "cong" {
  name            = "cong-dich-vu"
  network_id      = openstack_networking_network_v2.cong.id
  cidr            = "10.20.0.0/24"
  dns_nameservers = ["10.20.0.2"]
}

# What is decided while the plan is applied.
resource "terraform_data" "quyet_dinh" {
  input = {
    listener = "TERMINATED_HTTPS"
    acl      = "private"
    sse      = "AES256"
  }
}

resource "openstack_networking_floatingip_v2" "bastion" {
  pool = "internet"
}

resource "openstack_networking_router_v2" "ra" {
  name                = "ra-internet"
  external_network_id = var.external_network_id
}

resource "openstack_networking_router_interface_v2" "ra" {
  router_id = openstack_networking_router_v2.ra.id
  subnet_id = openstack_networking_subnet_v2.cong.id
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
  remote_ip_prefix  = "${openstack_networking_floatingip_v2.bastion.address}/32"
  security_group_id = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_port_v2" "web" {
  name               = "web-01"
  network_id         = openstack_networking_network_v2.cong.id
  security_group_ids = [openstack_networking_secgroup_v2.web.id]

  fixed_ip {
    subnet_id  = openstack_networking_subnet_v2.cong.id
    ip_address = "10.20.0.11"
  }
}

resource "openstack_networking_floatingip_v2" "web" {
  pool    = "internet"
  port_id = openstack_networking_port_v2.web.id
}

resource "openstack_lb_loadbalancer_v2" "cong" {
  name          = "cong-dich-vu"
  vip_subnet_id = openstack_networking_subnet_v2.cong.id
}

resource "openstack_lb_listener_v2" "cong" {
  name            = "cong-dich-vu"
  protocol        = terraform_data.quyet_dinh.output.listener
  protocol_port   = 443
  loadbalancer_id = openstack_lb_loadbalancer_v2.cong.id
}

resource "openstack_lb_pool_v2" "cong" {
  name        = "cong-dich-vu"
  protocol    = "HTTP"
  lb_method   = "ROUND_ROBIN"
  listener_id = openstack_lb_listener_v2.cong.id
}

resource "openstack_lb_member_v2" "web" {
  name          = "web-01"
  pool_id       = openstack_lb_pool_v2.cong.id
  address       = "10.20.0.11"
  protocol_port = 8080
}
