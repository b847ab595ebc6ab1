# Nothing but a value.
variable "region" {
  type    = string
  default = "HN"
}

output "region" {
  value = var.region
}
